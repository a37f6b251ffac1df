import { dirname } from "node:path";
import { toHex } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { codeOf, isFull, isMissing, storageFailure } from "./file_errors.ts";
import type { FileInfo, FileOps } from "./file_ops.ts";
import { FolderKeeper } from "./folder_keeper.ts";
import { TEMPORARY } from "./object_key.ts";
import { stalenessOf } from "./volume.ts";

/** What a local file system was found unable to do, as {@linkcode StoreTraits.missing} words it. */
export const MISSING = {
  link: "hard links",
  exclusiveRename: "a rename that never replaces",
  chmod: "access rights of files",
  fileSync: "fsync of a file",
  folderSync: "fsync of a folder",
} as const;

/** A store's folder, and what its parts share. */
export class LocalPlace {
  readonly folders: FolderKeeper;
  readonly missing = new Set<string>();
  readonly staleListingMs: number;

  /**
   * @param root Absolute path without `/` at its end
   * @param kind Of the file system, see `volume.ts`
   */
  constructor(
    readonly root: string,
    readonly ops: FileOps,
    readonly clock: Clock,
    private readonly random: Random,
    readonly kind: string | undefined,
    staleListingMs: number | undefined,
  ) {
    this.staleListingMs = staleListingMs ?? stalenessOf(kind).ms;
    this.folders = new FolderKeeper(root, ops, () => this.missing.add(MISSING.folderSync));
  }

  get staleListingReason(): string {
    return stalenessOf(this.kind).source;
  }

  get location(): string {
    return this.root === "" ? "/" : this.root;
  }

  /** @param relative A key, or a path below `tmp/` */
  pathOf(relative: string): string {
    return `${this.root}/${relative}`;
  }

  randomName(): string {
    return toHex(this.random(8));
  }

  temporaryPath(name = this.randomName()): string {
    return this.pathOf(`${TEMPORARY}/${name}`);
  }

  /** Undefined if there is nothing at `path`. */
  async look(path: string): Promise<FileInfo | undefined> {
    try {
      return await this.ops.stat(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Tells a missing object from a folder that went away, such as a disk that was unplugged. */
  async checkRoot(): Promise<void> {
    if (await this.look(this.location)) return;
    throw new AxiomError("storage_failed", `Cannot use ${this.location}: the folder is gone`, {
      hint: "Check that its disk or network share is mounted",
    });
  }

  /** Removes what may be gone already. */
  async discard(path: string): Promise<void> {
    try {
      await this.ops.remove(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Like {@linkcode discard}, for clearing up: a failure leaves something for the next clean-up. */
  async tidy(path: string): Promise<void> {
    await this.ops.remove(path).catch(() => {});
  }

  /** Runs `task`, and words its failures: "Cannot <action>: …". */
  async attempt<T>(action: string, task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      if (isMissing(error)) await this.checkRoot();
      const volume = isFull(error) ? await this.ops.volume(this.location).catch(() => undefined) : undefined;
      throw storageFailure(action, error, {
        location: this.location,
        remote: this.staleListingMs > 0,
        freeBytes: volume?.freeBytes,
      });
    }
  }
}

/** Path of the folder that holds `key`, relative to the store; empty for the store itself. */
export function folderOf(key: string): string {
  return key.slice(0, Math.max(key.lastIndexOf("/"), 0));
}

/** Throws `repository_missing` unless the folder is there, or may be made and is now. */
export async function findFolder(place: LocalPlace, make: boolean): Promise<void> {
  const { location } = place;
  const info = await place.attempt(`open ${location}`, () => place.look(location));
  if (info && info.type !== "folder") {
    throw new AxiomError("repository_missing", `Cannot open ${location}: it is a file, not a folder`, NO_FOLDER);
  }
  const obstacle = info ? undefined : await place.attempt(`open ${location}`, () => fileAbove(place, location));
  if (obstacle !== undefined) {
    const message = `Cannot open ${location}: ${obstacle} is a file, not a folder`;
    throw new AxiomError("repository_missing", message, NO_FOLDER);
  }
  if (!info && !make) {
    throw new AxiomError("repository_missing", `Cannot open ${location}: there is no such folder`, {
      hint: "Check the path; `axiom init` makes a repository",
    });
  }
  if (!info) await place.attempt(`make ${location}`, () => makeFolders(place, location));
}

const NO_FOLDER = { hint: "Give the path of a folder with --repo" };

async function fileAbove(place: LocalPlace, path: string): Promise<string | undefined> {
  for (let at = dirname(path);; at = dirname(at)) {
    const info = await place.look(at);
    if (info) return info.type === "folder" ? undefined : at;
    if (dirname(at) === at) return undefined;
  }
}

/**
 * Like `mkdir -p`, with each new name durable.
 *
 * @param parentExists Some file systems, such as procfs, say "no such folder" for what cannot be made
 */
async function makeFolders(place: LocalPlace, path: string, parentExists = false): Promise<void> {
  try {
    await place.ops.makeFolder(path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT" || dirname(path) === path || parentExists) throw error;
    await makeFolders(place, dirname(path));
    return await makeFolders(place, path, true);
  }
  await place.ops.syncFolder(dirname(path)).catch(() => {}); // the probe tells where this is refused
}
