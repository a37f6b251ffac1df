import type { Entry } from "../model/entry.ts";
import type { FileStat } from "../platform/file_system.ts";

/**
 * Times within this long before a scan, and all later ones, are racy: the file may have changed again without its times
 * showing it. 2 s is the grain of FAT; ext4, XFS, Btrfs and APFS have 10 ms or less, NFS 1 s at worst.
 */
const CLOCK_GRAIN_NS = 2_000_000_000n;

/**
 * The same where another machine's clock gives the times: if it is behind ours, what it stamps during a scan looks older than
 * the scan. Kerberos lets clocks be 5 min apart, so machines that work together are seldom further.
 */
const OTHER_CLOCK_NS = 600_000_000_000n;

/** Whether an entry of an earlier snapshot still describes what is on disk, without reading it. */
export class ChangeDetector {
  readonly #racyFrom: string;
  readonly #racyElsewhereFrom: string;

  /**
   * @param scanStartedNs Of the snapshot that the entries are from
   * @param otherClocks Devices that have their times from another clock than `scanStartedNs` is of
   */
  constructor(scanStartedNs: string, readonly otherClocks: ReadonlySet<string> = new Set()) {
    this.#racyFrom = (BigInt(scanStartedNs) - CLOCK_GRAIN_NS).toString();
    this.#racyElsewhereFrom = (BigInt(scanStartedNs) - OTHER_CLOCK_NS).toString();
  }

  isUnchanged(entry: Entry, stat: FileStat): boolean {
    return entry.type === stat.type && entry.mtime === stat.mtimeNs && entry.ctime === stat.ctimeNs &&
      entry.inode === stat.inode && entry.mode === stat.mode && entry.uid === stat.uid && entry.gid === stat.gid &&
      (stat.type !== "file" || (entry.size === String(stat.sizeBytes) && (entry.links ?? 1) === stat.links)) &&
      (entry.device === undefined || entry.device === stat.device) && entry.changed !== true &&
      !this.#isRacy(stat);
  }

  #isRacy({ mtimeNs, ctimeNs, device }: FileStat): boolean {
    const from = this.otherClocks.has(device) ? this.#racyElsewhereFrom : this.#racyFrom;
    return !isEarlier(mtimeNs, from) || !isEarlier(ctimeNs, from);
  }
}

/** Compares decimal numbers, of which `limit` is positive, without making a BigInt of each of many thousand times. */
function isEarlier(timeNs: string, limit: string): boolean {
  if (timeNs.startsWith("-")) return true;
  return timeNs.length < limit.length || (timeNs.length === limit.length && timeNs < limit);
}
