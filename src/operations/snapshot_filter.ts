import { AxiomError, DAMAGE_HINTS } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import { selectSnapshot, type SnapshotList, type StoredSnapshot } from "../repository/snapshots.ts";
import { inOrder, warnOfAhead } from "./snapshot_order.ts";

/** When `latest` is asked for, and who is told that a clock was wrong. */
export interface Moment {
  readonly nowNs: string;
  readonly onEvent: EventSink;
}

/** Which snapshots are meant; what is absent or empty lets all pass. */
export interface SnapshotFilter {
  /** Any of these. */
  readonly hosts?: readonly string[];
  /** Any of these lists, of which all tags must be there; an empty list means snapshots without tags. */
  readonly tags?: readonly (readonly string[])[];
  /** All of these, as the snapshot names its sources. */
  readonly paths?: readonly string[];
}

/** `a,b` is one list of two tags, an empty text is the list of none. */
export function parseTagLists(texts: readonly string[]): string[][] {
  return texts.map((text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""))]);
}

function matchesFilter(snapshot: Snapshot, filter: SnapshotFilter): boolean {
  const { hosts = [], tags = [], paths = [] } = filter;
  return (hosts.length === 0 || hosts.includes(snapshot.host)) &&
    (tags.length === 0 || tags.some((list) => hasTags(snapshot, list))) &&
    paths.every((path) => snapshot.paths.includes(withoutEnd(path)));
}

function hasTags(snapshot: Snapshot, list: readonly string[]): boolean {
  return list.length === 0 ? snapshot.tags.length === 0 : list.every((tag) => snapshot.tags.includes(tag));
}

function withoutEnd(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") || "/" : path;
}

/** Those that match, oldest first. */
export function filterSnapshots(snapshots: readonly StoredSnapshot[], filter: SnapshotFilter): StoredSnapshot[] {
  return snapshots.filter(({ snapshot }) => matchesFilter(snapshot, filter));
}

/**
 * The snapshot that `name` means: `latest` is the newest that matches `filter`; an id or a unique prefix means that
 * snapshot whatever the filter says. Throws `snapshot_missing`, `snapshot_ambiguous`, `data_damaged`.
 */
export function findSnapshot(
  list: SnapshotList,
  name: string,
  filter: SnapshotFilter,
  { nowNs, onEvent }: Moment,
): StoredSnapshot {
  if (name === "latest") {
    refuseUnknownLatest(list);
    const matching = filterSnapshots(list.snapshots, filter);
    warnOfAhead(matching, nowNs, onEvent);
    return selectSnapshot(inOrder(matching, nowNs), name);
  }
  if (!list.snapshots.some(({ id }) => id.startsWith(name))) refuseUnusable(list, name);
  return selectSnapshot(list.snapshots, name);
}

/** A snapshot that cannot be read may be the newest; an older one in its place would be a wrong answer without a word. */
function refuseUnknownLatest({ damaged }: SnapshotList): void {
  if (damaged.length === 0) return;
  const ids = damaged.map(({ id }) => id.slice(0, 8)).join(", ");
  throw new AxiomError("data_damaged", `Cannot tell which snapshot is the latest: ${ids} cannot be read`, {
    hint: "Name one by its id: `axiom snapshots` shows them; `axiom check` says what is damaged",
  });
}

/** A snapshot that is there but does not count is worth another answer than one that is not there. */
function refuseUnusable(list: SnapshotList, name: string): void {
  if (!/^[0-9a-f]{8,32}$/.test(name)) return;
  const damaged = list.damaged.find(({ id }) => id.startsWith(name));
  if (damaged !== undefined) {
    throw new AxiomError("data_damaged", `Cannot use the snapshot ${damaged.id}: ${damaged.reason}`, {
      hint: DAMAGE_HINTS.missing,
    });
  }
  const unfinished = list.unfinished.find((id) => id.startsWith(name));
  if (unfinished !== undefined) {
    const why = "its backup was not finished, or its commit marker was lost";
    throw new AxiomError("snapshot_missing", `Cannot use the snapshot ${unfinished}: ${why}`, {
      hint: "Run `axiom check` to see which; `axiom repair snapshots` brings back what was lost",
    });
  }
}

/** Every snapshot that `names` mean, each once, oldest first; without names all that match. */
export function findSnapshots(
  list: SnapshotList,
  names: readonly string[],
  filter: SnapshotFilter,
  moment: Moment,
): StoredSnapshot[] {
  if (names.length === 0) return filterSnapshots(list.snapshots, filter);
  const wanted = new Set(names.map((name) => findSnapshot(list, name, filter, moment)));
  return list.snapshots.filter((stored) => wanted.has(stored));
}

/** The moment of an operation on `repository`. */
export function momentOf(repository: Repository, onEvent: EventSink): Moment {
  return { nowNs: repository.context.clock.nowNs(), onEvent };
}
