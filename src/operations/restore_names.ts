import { displayName } from "../base/names.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import { joinPath, splitTargetPath } from "../platform/target_path.ts";

/** What stands at a path has another name: the target takes both for one, as file systems do that fold case. */
export class NameClash extends SystemError {
  /** @param other Path of what stands there, if it is known */
  constructor(path: string, readonly other: string | undefined) {
    super("EEXIST", "open", path);
    const what = other === undefined ? "something there" : `${displayName(other)}, which stands there`;
    this.message = `the target takes this name for that of ${what}; restore one of the two into another folder`;
  }
}

/** Tells names apart that the target takes for one, in one folder; where it takes none so, that costs one more look. */
export class StandingNames {
  #foldsCase: boolean | undefined;
  #foldsForms: boolean | undefined;
  #names: ReadonlySet<string> | undefined;

  constructor(readonly target: TargetTree, readonly folder: string) {}

  /** @param path In this folder; something stands there */
  clash(path: string): NameClash | undefined {
    const { name } = splitTargetPath(path, "open");
    if (!this.#mayClash(name)) return undefined;
    this.#names ??= new Set(this.target.readNames(this.folder));
    return this.#names.has(name) ? undefined : clashAt(this.target, path);
  }

  #mayClash(name: string): boolean {
    if (this.#foldsCase !== false) {
      const hasAscii = /[a-z]/i.test(name), other = hasAscii ? otherAsciiCase(name) : otherCase(name);
      if (other !== name && (this.#foldsCase ?? this.#stands(other))) return this.#foldsCase = true;
      if (hasAscii) this.#foldsCase = false; // of other letters a target may fold none, or some
    }
    if (this.#foldsForms === false) return false;
    const other = otherForm(name);
    return other !== name && (this.#foldsForms ??= this.#stands(other));
  }

  #stands(name: string): boolean {
    return this.target.lstat(joinPath(this.folder, name)) !== undefined;
  }
}

/** Says whose name is in the way, where that is why something could not be made. */
export function explained(target: TargetTree | undefined, path: string, error: SystemError): SystemError {
  if (error.code !== "EEXIST" || error instanceof NameClash || target === undefined) return error;
  try {
    return clashAt(target, path) ?? error;
  } catch (failure) {
    if (failure instanceof SystemError) return error;
    throw failure;
  }
}

/** Undefined if nothing stands there, or what has exactly this name. */
export function clashAt(target: TargetTree, path: string): NameClash | undefined {
  const { folder, name } = splitTargetPath(path, "open");
  const names = target.readNames(folder);
  if (names.includes(name) || target.lstat(path) === undefined) return undefined;
  const other = names.find((each) => folded(each) === folded(name));
  return new NameClash(path, other === undefined ? undefined : joinPath(folder, other));
}

function folded(name: string): string {
  return name.normalize("NFC").toUpperCase();
}

/** Of each letter the other case, where that is one letter too. */
function otherCase(name: string): string {
  return Array.from(name, (letter) => {
    const lower = letter.toLowerCase(), other = lower === letter ? letter.toUpperCase() : lower;
    return other.length === letter.length ? other : letter;
  }).join("");
}

/** What every target that folds anything takes for `name`. */
function otherAsciiCase(name: string): string {
  return name.replace(/[a-z]/gi, otherCase);
}

function otherForm(name: string): string {
  const composed = name.normalize("NFC");
  return composed === name ? name.normalize("NFD") : composed;
}
