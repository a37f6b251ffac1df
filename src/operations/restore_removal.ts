import type { TargetTree } from "../platform/file_system.ts";
import type { RestoreOptions } from "./restore.ts";
import type { RestoreTally } from "./restore_tally.ts";

/** Removes what stands where a snapshot has nothing, or something else. */
export class RestoreRemoval {
  constructor(
    readonly target: TargetTree,
    readonly tally: RestoreTally,
    readonly options: Pick<RestoreOptions, "delete" | "select">,
  ) {}

  /**
   * What is there, and everything below it, but nothing of another file system that is mounted there: false if that keeps
   * it from going.
   */
  remove(path: string): boolean {
    const existing = this.target.lstat(path);
    if (existing === undefined) return true; // such as a part of this restore
    if (existing.type === "dir") {
      if (!this.#isHere(path)) return false;
      const kept = this.target.readNames(path).filter((name) => !this.remove(`${path}/${name}`));
      if (kept.length > 0) return false;
      this.target.removeFolder(path);
    } else this.target.remove(path);
    this.tally.filesDeleted++;
    return true;
  }

  /**
   * Makes way for what is no folder. A folder that holds something goes only if everything in it may: with `delete`, as far
   * as it was selected, and on this file system. Else it is `ENOTEMPTY`.
   */
  makeWay(path: string): void {
    if (this.target.lstat(path) === undefined) return;
    if (!this.#isFolder(path)) this.target.remove(path);
    else if (this.options.delete && this.#mayGo(path)) this.remove(path);
    else this.target.removeFolder(path);
  }

  #isFolder(path: string): boolean {
    return this.target.lstat(path)?.type === "dir";
  }

  #isHere(path: string): boolean {
    return this.target.mountOf(path) === this.target.mountOf("");
  }

  #mayGo(path: string): boolean {
    const isFolder = this.#isFolder(path);
    if (this.options.select?.(path, isFolder) === false) return false;
    if (!isFolder) return true;
    if (!this.#isHere(path)) return false;
    return this.target.readNames(path).every((name) => this.#mayGo(`${path}/${name}`));
  }
}
