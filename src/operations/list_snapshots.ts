import { DAMAGE_HINTS } from "../base/errors.ts";
import { type EventSink, ignoreEvents } from "../base/events.ts";
import type { BackupMode, SnapshotPlugin } from "../model/snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList, StoredSnapshot } from "../repository/snapshots.ts";
import { findSnapshots, momentOf, type SnapshotFilter } from "./snapshot_filter.ts";
import { faultCount } from "./snapshot_faults.ts";
import { inOrder, warnOfAhead } from "./snapshot_order.ts";
import { readSnapshotList } from "./unmarked_snapshots.ts";

export interface ListSnapshotsOptions {
  /** Ids, prefixes or `latest`; all that match the filter by default. */
  names?: readonly string[];
  filter?: SnapshotFilter;
  /** Only so many of the newest of each host and list of paths. */
  newest?: number;
}

/** What every operation that only reads takes. */
export interface ReadContext {
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface SnapshotSummary {
  id: string;
  /** The first eight digits, or as many as tell it from all others. */
  shortId: string;
  timeNs: string;
  host: string;
  user: string;
  paths: string[];
  tags: string[];
  mode: BackupMode;
  parentId: string | null;
  /** Id that the snapshot had first, before its tags were changed. */
  originalId: string | null;
  files: number;
  bytes: number;
  /** Entries that could not be saved, so that they are missing or older than the snapshot. */
  faults: number;
  /** From files, that took part. */
  plugins: SnapshotPlugin[];
  toolVersion: string;
}

/** Oldest first, so that the last is the latest. Snapshots that cannot be read are events. */
export async function listSnapshots(
  repository: Repository,
  options: ListSnapshotsOptions,
  context: ReadContext,
): Promise<SnapshotSummary[]> {
  const list = await readSnapshotList(repository, options, context);
  reportDamaged(list, context.onEvent);
  const moment = momentOf(repository, context.onEvent);
  const named = findSnapshots(list, options.names ?? [], options.filter ?? {}, { ...moment, onEvent: ignoreEvents });
  warnOfAhead(named, moment.nowNs, context.onEvent);
  const found = inOrder(named, moment.nowNs);
  const shown = options.newest === undefined ? found : newestOfEach(found, options.newest);
  const digits = distinctDigits(list.snapshots.map(({ id }) => id));
  return shown.map((stored) => summaryOf(stored, digits));
}

export function reportDamaged(list: SnapshotList, onEvent: EventSink): void {
  for (const { id, reason } of list.damaged) {
    const hint = DAMAGE_HINTS.missing;
    onEvent({
      type: "error",
      error: { kind: "data_damaged", message: `Cannot read the snapshot ${id}: ${reason}`, hint },
    });
  }
}

function newestOfEach(snapshots: readonly StoredSnapshot[], count: number): StoredSnapshot[] {
  const left = new Map<string, number>();
  return snapshots.toReversed().filter(({ snapshot }) => {
    const group = JSON.stringify([snapshot.host, snapshot.paths]);
    const room = left.get(group) ?? count;
    left.set(group, room - 1);
    return room > 0;
  }).reverse();
}

const SHORT_DIGITS_MIN = 8;

/** How many digits tell all ids apart. */
export function distinctDigits(ids: readonly string[]): number {
  const sorted = [...ids].sort();
  let digits = SHORT_DIGITS_MIN;
  for (let i = 1; i < sorted.length; i++) {
    while (digits < sorted[i].length && sorted[i].slice(0, digits) === sorted[i - 1].slice(0, digits)) digits++;
  }
  return digits;
}

function summaryOf({ id, snapshot }: StoredSnapshot, digits: number): SnapshotSummary {
  const { statistics } = snapshot;
  return {
    id,
    shortId: id.slice(0, digits),
    timeNs: snapshot.time,
    host: snapshot.host,
    user: snapshot.user,
    paths: snapshot.paths,
    tags: snapshot.tags,
    mode: snapshot.mode,
    parentId: snapshot.parent,
    originalId: snapshot.original ?? null,
    files: statistics.files,
    bytes: statistics.bytes,
    faults: faultCount(snapshot),
    plugins: snapshot.plugins,
    toolVersion: snapshot.tool_version,
  };
}
