import { type FileStat, SystemError, type TargetTree } from "../platform/file_system.ts";
import { clashAt, type NameClash, StandingNames } from "./restore_names.ts";
import type { PartNames } from "./restore_parts.ts";

/** A folder of the walk, made once something in it is wanted. */
export class WalkedFolder {
  #isMade = false;
  #isNew = false;
  readonly #names: StandingNames | undefined;

  constructor(
    readonly path: string,
    readonly target: TargetTree | undefined,
    readonly parts: PartNames,
    /** It stood there under exactly its name. */
    readonly stood: boolean,
    /** Whether there was none. Throws `SystemError`. */
    readonly makeFolder: () => boolean,
  ) {
    this.#names = target === undefined ? undefined : new StandingNames(target, path);
  }

  make(): void {
    if (this.#isMade) return;
    this.#isNew = this.makeFolder();
    this.#isMade = true;
  }

  /** This restore made it, so nothing else is in it. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Below what is no folder, or has another name, nothing is looked for: it goes before the folder is made, or is a fault. */
  stat(path: string): FileStat | undefined {
    const isEmpty = this.#isMade ? this.#isNew : !this.stood;
    return isEmpty ? undefined : this.target?.lstat(path);
  }

  clash(path: string, existing: FileStat | undefined): NameClash | undefined {
    return existing === undefined ? undefined : this.#names!.clash(path);
  }

  /** What stands in it under exactly this name. Throws `NameClash`. */
  standing(path: string): FileStat | undefined {
    const existing = this.stat(path);
    const clash = this.clash(path, existing);
    if (clash !== undefined) throw clash;
    return existing;
  }
}

/**
 * Whether there was none. Throws `NameClash` for one of another name.
 *
 * @param fresh Nothing stood there when it was planned
 */
export function makeFolder(target: TargetTree, path: string, fresh: boolean): boolean {
  if (fresh && isMadeAnew(target, path)) return true;
  const existing = target.lstat(path);
  const clash = fresh && existing !== undefined ? clashAt(target, path) : undefined;
  if (clash !== undefined) throw clash;
  if (existing?.type === "dir") return false;
  if (existing !== undefined && !fresh) target.remove(path);
  target.makeFolder(path);
  return true;
}

function isMadeAnew(target: TargetTree, path: string): boolean {
  try {
    target.makeFolder(path);
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === "EEXIST") return false;
    throw error;
  }
}
