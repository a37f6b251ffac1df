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

  /** What is there, and everything below it. */
  remove(path: string): void {
    if (this.#isFolder(path)) {
      for (const name of this.target.readNames(path)) this.remove(`${path}/${name}`);
      this.target.removeFolder(path);
    } else this.target.remove(path);
    this.tally.filesDeleted++;
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

  #mayGo(path: string): boolean {
    const isFolder = this.#isFolder(path);
    if (this.options.select?.(path, isFolder) === false) return false;
    if (!isFolder) return true;
    if (this.target.lstat(path)?.device !== this.target.lstat("")?.device) return false;
    return this.target.readNames(path).every((name) => this.#mayGo(`${path}/${name}`));
  }
}
