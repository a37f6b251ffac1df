import { type ErrorReport, reportError, throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { Entry, EntryType } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { isDamage } from "./damage.ts";
import type { OverwriteMode, RestoreOptions } from "./restore.ts";
import type { RestoreTally } from "./restore_tally.ts";

const NOUNS: Record<EntryType, string> = {
  file: "a file",
  dir: "a folder",
  symlink: "a symbolic link",
  fifo: "a named pipe",
  socket: "a socket",
  chardev: "a character device",
  blockdev: "a block device",
};

/** Tells of folders whose place in the target something else keeps, and counts what they would have held. */
export class BlockedFolders {
  constructor(
    readonly trees: TreeReader,
    readonly tally: RestoreTally,
    readonly options: Pick<RestoreOptions, "overwrite" | "select">,
    readonly signal?: AbortSignal,
  ) {}

  /**
   * Nothing is told if neither the folder nor anything below it is wanted.
   *
   * @param standing What is in its place
   */
  async leaveOut(folder: Entry, path: string, standing: EntryType): Promise<void> {
    const entries = await this.#below(folder.subtree!, path);
    if (entries === 0 && !this.#wants(path, true)) return;
    this.tally.fault(path, blocked(path, standing, this.options.overwrite, entries));
  }

  /** Returns how many wanted entries a folder holds at all depths, as far as it can be read. */
  async #below(id: string, folder: string): Promise<number> {
    let entries = 0;
    try {
      for await (const leaf of this.trees.leaves(id)) {
        for (const entry of leaf) {
          throwIfAborted(this.signal);
          const path = `${folder}/${entry.name}`, isFolder = entry.type === "dir";
          if (this.#wants(path, isFolder)) {
            entries++;
            if (!isFolder) this.#skip(entry);
          }
          if (isFolder) entries += await this.#below(entry.subtree!, path);
        }
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.tally.fault(folder, reportError(error));
    }
    return entries;
  }

  #wants(path: string, isFolder: boolean): boolean {
    return this.options.select === undefined || this.options.select(path, isFolder);
  }

  /** Its path is not kept for the comparison, which does not go below a folder that is at fault. */
  #skip({ type, size }: Entry): void {
    this.tally.filesSkipped++;
    if (type !== "file") return;
    this.tally.filesTotal++;
    this.tally.bytesTotal += Number(size);
  }
}

function blocked(path: string, standing: EntryType, overwrite: OverwriteMode, entries: number): ErrorReport {
  const left = entries === 0
    ? ""
    : `; ${entries === 1 ? "1 entry below it was" : `${entries} entries below it were`} left out`;
  return {
    kind: "target_unwritable",
    message: `Cannot restore ${displayName(path)}: ${NOUNS[standing]} stands where the folder was, ` +
      `and --overwrite ${overwrite} keeps it${left}`,
    hint: "Move it away and run the same command again, or restore the folder to another place with --target",
  };
}
