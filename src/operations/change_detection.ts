import type { Entry } from "../model/entry.ts";
import type { FileStat } from "../platform/file_system.ts";
import { PACKED } from "../platform/packed_folder.ts";
import { deviceNumber, TYPES } from "../platform/stat_buffer.ts";
import type { LeafEntry } from "./leaf_entry.ts";
import type { LeafText } from "./leaf_text.ts";

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
  readonly #racySplit: SplitTime;
  readonly #racyElsewhereSplit: SplitTime;

  /**
   * @param scanStartedNs Of the snapshot that the entries are from
   * @param otherClocks Devices that have their times from another clock than `scanStartedNs` is of
   */
  constructor(scanStartedNs: string, readonly otherClocks: ReadonlySet<string> = new Set()) {
    this.#racyFrom = (BigInt(scanStartedNs) - CLOCK_GRAIN_NS).toString();
    this.#racyElsewhereFrom = (BigInt(scanStartedNs) - OTHER_CLOCK_NS).toString();
    this.#racySplit = split(this.#racyFrom);
    this.#racyElsewhereSplit = split(this.#racyElsewhereFrom);
  }

  isUnchanged(entry: Entry, stat: FileStat): boolean {
    return entry.type === stat.type && entry.mtime === stat.mtimeNs && entry.ctime === stat.ctimeNs &&
      entry.inode === stat.inode && entry.mode === stat.mode && entry.uid === stat.uid && entry.gid === stat.gid &&
      (stat.type !== "file" || (entry.size === String(stat.sizeBytes) && (entry.links ?? 1) === stat.links)) &&
      (entry.device === undefined || entry.device === stat.device) && entry.changed !== true &&
      !this.#isRacy(stat);
  }

  /** The same for an entry that was only read where it stands in `text`, and the packed stat at `at` of `stats`. */
  isUnchangedPacked(entry: LeafEntry, text: LeafText, stats: Uint32Array, at: number): boolean {
    const mode = stats[at + PACKED.mode];
    const inode = stats[at + PACKED.inode + 1] * 2 ** 32 + stats[at + PACKED.inode];
    return entry.type === TYPES[mode >>> 12] && entry.mode === (mode & 0o7777) &&
      isTime(entry.mtimeSeconds, entry.mtimeNanoseconds, stats, at + PACKED.mtimeSeconds) &&
      isTime(entry.ctimeSeconds, entry.ctimeNanoseconds, stats, at + PACKED.ctimeSeconds) &&
      (entry.inode >= 0 ? entry.inode === inode : entry.inodeText(text) === wideNumber(stats, at + PACKED.inode)) &&
      entry.uid === stats[at + PACKED.uid] && entry.gid === stats[at + PACKED.gid] &&
      (entry.type !== "file" || (entry.links === stats[at + PACKED.links] &&
        entry.sizeBytes === stats[at + PACKED.sizeBytes + 1] * 2 ** 32 + stats[at + PACKED.sizeBytes])) &&
      (entry.device === undefined || String(entry.device) === deviceOf(stats, at)) &&
      !this.#isRacyPacked(entry, stats, at);
  }

  #isRacyPacked(entry: LeafEntry, stats: Uint32Array, at: number): boolean {
    const isElsewhere = this.otherClocks.size > 0 && this.otherClocks.has(deviceOf(stats, at));
    const from = isElsewhere ? this.#racyElsewhereSplit : this.#racySplit;
    return !isBefore(entry.mtimeSeconds, entry.mtimeNanoseconds, from) ||
      !isBefore(entry.ctimeSeconds, entry.ctimeNanoseconds, from);
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

interface SplitTime {
  seconds: number;
  nanoseconds: number;
}

function isBefore(seconds: number, nanoseconds: number, limit: SplitTime): boolean {
  return seconds < limit.seconds || (seconds === limit.seconds && nanoseconds < limit.nanoseconds);
}

function split(timeNs: string): SplitTime {
  return { seconds: Number(BigInt(timeNs) / 1_000_000_000n), nanoseconds: Number(BigInt(timeNs) % 1_000_000_000n) };
}

/** Whether the packed time at `at` is this one, which is not before 1970. */
function isTime(seconds: number, nanoseconds: number, stats: Uint32Array, at: number): boolean {
  return nanoseconds === stats[at + 2] && seconds === stats[at + 1] * 2 ** 32 + stats[at];
}

function wideNumber(stats: Uint32Array, at: number): string {
  return ((BigInt(stats[at + 1]) << 32n) | BigInt(stats[at])).toString();
}

function deviceOf(stats: Uint32Array, at: number): string {
  return deviceNumber(stats[at + PACKED.deviceMajor], stats[at + PACKED.deviceMinor]);
}
