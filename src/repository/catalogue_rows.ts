import type { Entry } from "../model/entry.ts";
import type { TreeChild } from "../model/tree.ts";
import { DIR_CODE, ENTRY_CODES, PART_CODE } from "./catalogue_schema.ts";
import { fingerprintOf, type FoundEntry } from "./folder_source.ts";

/** A row of `entries`, but for where it belongs. */
export interface EntryRow {
  /** Number of the name. */
  name: number;
  /** A place in `ENTRY_CODES`. */
  type: number;
  mode: number | null;
  size: number | null;
  seconds: number | null;
  nanoseconds: number | null;
  content: number;
}

/** A row with where it belongs. */
export interface StoredRow extends EntryRow {
  lineage: number;
  since: number;
  until: number | null;
}

/** For a query that joins `entries` with `json_each`, which has columns `type` and `id` of its own. */
export const ENTRY_COLUMNS =
  "lineage, entries.name AS name, since, until, entries.type AS type, mode, size, seconds, nanoseconds, content";

/** A node's place among the versions of its folder. */
export interface NodePlace {
  lineage: number;
  ordinal: number;
}

export function belongsTo(row: Pick<StoredRow, "since" | "until">, ordinal: number): boolean {
  return row.since <= ordinal && (row.until === null || row.until > ordinal);
}

/** @param node Of what lies below a folder */
export function rowOfEntry(entry: Entry, name: number, node: number | undefined): EntryRow {
  const { seconds, nanoseconds } = splitTime(entry.mtime);
  return {
    name,
    type: ENTRY_CODES.indexOf(entry.type),
    mode: entry.mode,
    size: entry.type === "file" ? Number(entry.size) : null,
    seconds,
    nanoseconds,
    content: node ?? fingerprintOf(entry),
  };
}

export function rowOfPart(_part: TreeChild, name: number, node: number): EntryRow {
  return { name, type: PART_CODE, mode: null, size: null, seconds: null, nanoseconds: null, content: node };
}

export function sameRow(a: EntryRow, b: EntryRow): boolean {
  return a.content === b.content && a.type === b.type && a.mode === b.mode && a.size === b.size &&
    a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

/** Undefined for a part, which is no entry. */
export function entryOfRow(row: EntryRow, name: string): FoundEntry | undefined {
  const type = ENTRY_CODES[row.type];
  if (type === undefined || type === "part") return undefined;
  const entry: FoundEntry = {
    name,
    type,
    mode: row.mode ?? 0,
    mtimeNs: joinTime(row.seconds ?? 0, row.nanoseconds ?? 0),
    fingerprint: row.type === DIR_CODE ? 0 : row.content,
  };
  if (row.size !== null) entry.sizeBytes = row.size;
  if (row.type === DIR_CODE) entry.folder = row.content;
  return entry;
}

const SECOND_NS = 1_000_000_000n;
const PLAIN = /^[1-9][0-9]{9,}$/;

/** Whole seconds since 1970, rounded down, and nanoseconds: numbers that SQLite returns without a BigInt. */
function splitTime(timeNs: string): { seconds: number; nanoseconds: number } {
  if (PLAIN.test(timeNs)) return { seconds: Number(timeNs.slice(0, -9)), nanoseconds: Number(timeNs.slice(-9)) };
  const ns = BigInt(timeNs);
  const nanoseconds = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  return { seconds: Number((ns - nanoseconds) / SECOND_NS), nanoseconds: Number(nanoseconds) };
}

function joinTime(seconds: number, nanoseconds: number): string {
  if (seconds > 0) return `${seconds}${String(nanoseconds).padStart(9, "0")}`;
  return (BigInt(seconds) * SECOND_NS + BigInt(nanoseconds)).toString();
}
