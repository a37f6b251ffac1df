import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { formatLocalTime } from "../base/times.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareAtOnce, type StoredSnapshot } from "../repository/snapshots.ts";

const AHEAD_NS = BigInt(LIMITS.clockAheadMs) * 1_000_000n;

/** Whether a snapshot's time is so far in the future that the clock which gave it, or the one of now, was wrong. */
function isAhead({ snapshot }: StoredSnapshot, nowNs: string): boolean {
  return isTimeAhead(snapshot.time, nowNs);
}

export function isTimeAhead(timeNs: string, nowNs: string): boolean {
  return BigInt(timeNs) > BigInt(nowNs) + AHEAD_NS;
}

/**
 * Oldest first, whatever the clocks said: of one client and list of paths the sequence numbers decide, so that a snapshot
 * which was dated in the future is older than those that followed it. Without any that followed, it comes before all others,
 * because it would else stand for the newest until its time has come. A time that a person gave is believed.
 */
export function inOrder(snapshots: readonly StoredSnapshot[], nowNs: string): StoredSnapshot[] {
  const times = new Map<StoredSnapshot, bigint>();
  const next = new Map<string, bigint>();
  for (const stored of snapshots.toSorted((a, b) => b.snapshot.sequence - a.snapshot.sequence)) {
    const { time, scan_started, client, paths } = stored.snapshot;
    const chain = JSON.stringify([client, paths]);
    const own = BigInt(time), later = next.get(chain);
    const known = time === scan_started && later !== undefined && later < own ? later : own;
    if (time === scan_started) next.set(chain, known);
    times.set(stored, known);
  }
  const ahead = (stored: StoredSnapshot) => times.get(stored)! > BigInt(nowNs) + AHEAD_NS;
  return snapshots.toSorted((a, b) =>
    Number(ahead(b)) - Number(ahead(a)) || compare(times.get(a)!, times.get(b)!) || compareAtOnce(a, b)
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const IDS_SHOWN = 2;

/** One warning for all that are dated in the future: they are not taken for the latest, and someone has to look at a clock. */
export function warnOfAhead(snapshots: readonly StoredSnapshot[], nowNs: string, onEvent: EventSink): void {
  const ahead = snapshots.filter((stored) => isAhead(stored, nowNs));
  if (ahead.length === 0) return;
  const shown = ahead.slice(0, IDS_SHOWN).map(({ id, snapshot }) => `${id.slice(0, 8)} (${dated(snapshot)})`).join(
    ", ",
  );
  const more = ahead.length > IDS_SHOWN ? ` and ${ahead.length - IDS_SHOWN} more` : "";
  const are = ahead.length === 1 ? "snapshot is" : "snapshots are";
  const message = `${ahead.length} ${are} dated in the future, not the latest while there is another: ${shown}${more}`;
  onEvent({ type: "warning", code: "snapshot_ahead", message });
}

function dated({ time, host }: Snapshot): string {
  return `${formatLocalTime(time)}, ${host}`;
}
