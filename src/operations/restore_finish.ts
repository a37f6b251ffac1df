import { throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import type { RestoreOptions } from "./restore.ts";
import type { RestoreOther, RestoreWork } from "./restore_file.ts";
import { explained } from "./restore_names.ts";
import { dropPart } from "./restore_parts.ts";
import { RestoreRemoval } from "./restore_removal.ts";
import type { RestoreTally } from "./restore_tally.ts";
import { isFull, targetFull } from "./target_full.ts";

/** What is done once all content is there. */
export class RestoreFinish {
  readonly #removal: RestoreRemoval;

  constructor(
    readonly target: TargetTree,
    readonly tally: RestoreTally,
    options: RestoreOptions,
    readonly signal?: AbortSignal,
  ) {
    this.#removal = new RestoreRemoval(target, tally, options);
  }

  /** Nodes and symbolic links, further names, removals, and last the folders' own metadata, the deepest first. */
  run(work: RestoreWork): void {
    for (const other of work.others) {
      const isMade = this.#attempt(other.path, () => this.#make(other));
      if (!isMade && other.group !== undefined) other.group.failed = true;
    }
    for (const link of work.links) this.#attempt(link.path, () => this.#link(link));
    for (const path of work.deletions) this.#attempt(path, () => this.#removal.remove(path));
    for (const { path, metadata } of work.folders.toReversed()) {
      this.#attempt(path, () => this.tally.losses(path, this.target.setMetadata(path, metadata)), "metadata");
    }
    this.target.sync();
  }

  /** False after a fault, which is told. */
  #attempt(path: string, action: () => void, what: "all" | "metadata" = "all"): boolean {
    throwIfAborted(this.signal);
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (isFull(error)) throw targetFull(path, error);
      this.tally.fault(path, explained(this.target, path, error), what);
      return false;
    }
  }

  /** `other` is made where the system has no other names for such an object. */
  #link({ path, part, to, other }: RestoreWork["links"][number]): void {
    if (to.failed) {
      if (other !== undefined) return this.#make(other);
      const message = `Cannot restore ${displayName(path)}: ${displayName(to.path)}, whose other name it is, failed`;
      return this.tally.fault(path, { kind: "target_unwritable", message });
    }
    if (part !== undefined && this.#isOneObject(path, to.path)) return;
    try {
      this.#place(path, part, (at) => this.target.makeLink(at, to.path));
      this.tally.othersRestored++;
    } catch (error) {
      if (other === undefined || !(error instanceof SystemError) || isFull(error)) throw error;
      this.#make(other);
    }
  }

  #isOneObject(path: string, other: string): boolean {
    const [one, two] = [this.target.lstat(path), this.target.lstat(other)];
    return one !== undefined && one.inode === two?.inode && one.device === two.device;
  }

  #make({ path, part, type, target, rdev, metadata, group }: RestoreOther): void {
    const existing = part === undefined ? undefined : this.target.lstat(path);
    const isSame = existing?.type === "symlink" && type === "symlink" && this.target.readLink(path) === target;
    if (!isSame || (existing.links > 1 && group === undefined)) {
      this.#place(path, part, (at) => {
        if (type === "symlink") this.target.makeSymlink(at, target!);
        else if (type !== "file" && type !== "dir") this.target.makeNode(at, type, rdev?.[0] ?? 0, rdev?.[1] ?? 0);
      });
      this.tally.othersRestored++;
    }
    this.tally.losses(path, this.target.setMetadata(path, metadata));
  }

  /** What stands at the path outlives a failure. */
  #place(path: string, part: string | undefined, make: (path: string) => void): void {
    if (part === undefined) return make(path);
    dropPart(this.target, part);
    make(part);
    try {
      if (this.target.lstat(path)?.type === "dir") this.#removal.makeWay(path);
      this.target.rename(part, path);
    } catch (error) {
      dropPart(this.target, part);
      throw error;
    }
  }
}
