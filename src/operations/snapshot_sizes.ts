import { throwIfAborted } from "../base/errors.ts";
import type { Entry } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { damageReport, joinPath } from "./listed_entry.ts";

export interface TreeSize {
  files: number;
  dirs: number;
  others: number;
  /** Sizes of files; of a file with several names once. */
  bytes: number;
}

interface Measured extends TreeSize {
  /** Holds a file with several names, or could not be read: has to be looked at again in each snapshot. */
  again: boolean;
}

/** Adds up what snapshots hold. Folders whose sum is the same wherever they are met are read once. */
export class SnapshotSizes {
  readonly #known = new Map<string, Measured>();

  constructor(readonly trees: TreeReader, readonly context: ReadContext) {}

  async of(root: string): Promise<TreeSize> {
    const { files, dirs, others, bytes } = await this.#folder(root, "/", new Set());
    return { files, dirs, others, bytes };
  }

  /** @param links Files with several names that this snapshot showed already */
  async #folder(id: string, path: string, links: Set<string>): Promise<Measured> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    throwIfAborted(this.context.signal);
    const sum: Measured = { files: 0, dirs: 0, others: 0, bytes: 0, again: false };
    try {
      for await (const entry of this.trees.entries(id)) {
        if (entry.type === "dir") {
          add(sum, await this.#folder(entry.subtree!, joinPath(path, entry.name), links));
          sum.dirs++;
        } else if (entry.type === "file") this.#file(entry, sum, links);
        else sum.others++;
      }
    } catch (error) {
      this.context.onEvent({ type: "error", error: damageReport(error), path });
      sum.again = true;
    }
    if (!sum.again) this.#known.set(id, sum);
    return sum;
  }

  #file(entry: Entry, sum: Measured, links: Set<string>): void {
    sum.files++;
    if (entry.links !== undefined && entry.links > 1) {
      sum.again = true;
      const key = `${entry.device}:${entry.inode}`;
      if (links.has(key)) return;
      links.add(key);
    }
    sum.bytes += Number(entry.size);
  }
}

function add(sum: Measured, part: Measured): void {
  sum.files += part.files;
  sum.dirs += part.dirs;
  sum.others += part.others;
  sum.bytes += part.bytes;
  sum.again ||= part.again;
}
