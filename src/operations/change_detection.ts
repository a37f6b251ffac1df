import { compareNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { FileStat } from "../platform/file_system.ts";
import { TreeReader } from "../repository/tree_reader.ts";
import { isDamage } from "./damage.ts";

/**
 * Times within this long before a scan, and all later ones, are racy: the file may have changed again without its times
 * showing it. 2 s is the grain of FAT; ext4, XFS, Btrfs and APFS have 10 ms or less, NFS 1 s at worst.
 */
const CLOCK_GRAIN_NS = 2_000_000_000n;

/** Whether an entry of an earlier snapshot still describes what is on disk, without reading it. */
export class ChangeDetector {
  readonly #racyFrom: string;

  /** @param scanStartedNs Of the snapshot that the entries are from */
  constructor(scanStartedNs: string) {
    this.#racyFrom = (BigInt(scanStartedNs) - CLOCK_GRAIN_NS).toString();
  }

  isUnchanged(entry: Entry, stat: FileStat): boolean {
    return entry.type === stat.type && entry.mtime === stat.mtimeNs && entry.ctime === stat.ctimeNs &&
      entry.inode === stat.inode && entry.mode === stat.mode && entry.uid === stat.uid && entry.gid === stat.gid &&
      (stat.type !== "file" || (entry.size === String(stat.sizeBytes) && (entry.links ?? 1) === stat.links)) &&
      (entry.device === undefined || entry.device === stat.device) && entry.changed !== true &&
      !this.#isRacy(stat.mtimeNs) && !this.#isRacy(stat.ctimeNs);
  }

  #isRacy(timeNs: string): boolean {
    return !isEarlier(timeNs, this.#racyFrom);
  }
}

/** Compares decimal numbers, of which `limit` is positive, without making a BigInt of each of many thousand times. */
export function isEarlier(timeNs: string, limit: string): boolean {
  if (timeNs.startsWith("-")) return true;
  return timeNs.length < limit.length || (timeNs.length === limit.length && timeNs < limit);
}

/**
 * Walks a folder of an earlier snapshot beside the folder on disk; both are in order of their names. What cannot be read of
 * it counts as not there, so that it is saved again.
 */
export class ParentCursor {
  readonly #leaves: AsyncGenerator<Entry[]>;
  #leaf: Entry[] = [];
  #at = 0;
  #ended = false;
  #reusable = true;
  /** Entries that are no longer on disk. */
  skipped = 0;
  taken = 0;

  /** @param has Whether a document may be relied on by a new snapshot */
  constructor(trees: TreeReader, id: string, has: (id: string) => boolean) {
    const reader = new TreeReader((node) => {
      if (!has(node)) this.#reusable = false;
      return trees.get(node);
    });
    this.#leaves = reader.leaves(id);
  }

  /** The entry of `name`, which must come after the name of the call before. A promise only where a further leaf is read. */
  take(name: string): Entry | undefined | Promise<Entry | undefined> {
    while (this.#at < this.#leaf.length) {
      const order = compareNames(this.#leaf[this.#at].name, name);
      if (order > 0) return undefined;
      const entry = this.#leaf[this.#at++];
      if (order === 0) {
        this.taken++;
        return entry;
      }
      this.skipped++;
    }
    return this.#ended ? undefined : this.#nextLeaf().then((more) => more ? this.take(name) : undefined);
  }

  async #nextLeaf(): Promise<boolean> {
    if (this.#ended) return false;
    try {
      const next = await this.#leaves.next();
      if (!next.done) {
        this.#leaf = next.value;
        this.#at = 0;
        return true;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#reusable = false;
    }
    this.#ended = true;
    return false;
  }

  /** True if every entry was taken, and a new snapshot may take over the folder's documents as they are. */
  async isReusable(): Promise<boolean> {
    while (this.#at >= this.#leaf.length) if (!await this.#nextLeaf()) return this.#reusable && this.skipped === 0;
    return false;
  }
}
