import { throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import type { RestoreOptions } from "./restore.ts";
import type { RestoreOther, RestoreWork } from "./restore_file.ts";
import type { LinkGroup } from "./restore_links.ts";
import { RestoreRemoval } from "./restore_removal.ts";
import type { RestoreTally } from "./restore_tally.ts";
import { isFull, targetFull } from "./target_full.ts";

/** What is done once all content is there. */
export class RestoreFinish {
  readonly #removal: RestoreRemoval;

  constructor(
    readonly target: TargetTree,
    readonly tally: RestoreTally,
    readonly options: RestoreOptions,
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
    for (const { path, to, other } of work.links) this.#attempt(path, () => this.#link(path, to, other));
    for (const path of work.deletions) this.#attempt(path, () => this.#removal.remove(path));
    for (const { path, metadata } of work.folders.toReversed()) {
      this.#attempt(path, () => this.tally.losses(path, this.target.setMetadata(path, metadata)));
    }
    this.target.sync();
  }

  /** False after a fault, which is told. */
  #attempt(path: string, action: () => void): boolean {
    throwIfAborted(this.signal);
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (isFull(error)) throw targetFull(path, error);
      this.tally.fault(path, error);
      return false;
    }
  }

  /** @param other What to make where the system has no other names for such an object */
  #link(path: string, to: LinkGroup, other: RestoreOther | undefined): void {
    if (to.failed) {
      if (other !== undefined) return this.#make(other);
      const message = `Cannot restore ${displayName(path)}: ${displayName(to.path)}, whose other name it is, failed`;
      return this.tally.fault(path, { kind: "target_unwritable", message });
    }
    const existing = this.target.lstat(path);
    const first = this.target.lstat(to.path);
    if (
      existing !== undefined && first !== undefined && existing.inode === first.inode &&
      existing.device === first.device
    ) return;
    if (existing !== undefined && this.options.overwrite === "never") return this.tally.skipped(path);
    this.#removal.makeWay(path);
    try {
      this.target.makeLink(path, to.path);
      this.tally.othersRestored++;
    } catch (error) {
      if (other === undefined || !(error instanceof SystemError) || isFull(error)) throw error;
      this.#make(other);
    }
  }

  #make({ path, type, target, rdev, metadata, group }: RestoreOther): void {
    const existing = this.target.lstat(path);
    const isSame = existing?.type === "symlink" && type === "symlink" && this.target.readLink(path) === target;
    if (!isSame || (existing.links > 1 && group === undefined)) {
      this.#removal.makeWay(path);
      if (type === "symlink") this.target.makeSymlink(path, target!);
      else if (type !== "file" && type !== "dir") this.target.makeNode(path, type, rdev?.[0] ?? 0, rdev?.[1] ?? 0);
      this.tally.othersRestored++;
    }
    this.tally.losses(path, this.target.setMetadata(path, metadata));
  }
}
