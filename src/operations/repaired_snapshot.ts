import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { randomId } from "../base/random.ts";
import type { Snapshot, SnapshotStatistics } from "../model/snapshot.ts";
import { appendLedger } from "../repository/ledger.ts";
import type { Repository } from "../repository/repository.ts";
import { SnapshotCommit, type StoredSnapshot } from "../repository/snapshots.ts";
import type { RepositoryWriter, WriterIdentity } from "../repository/writer.ts";
import type { DroppedPart } from "./tree_repair.ts";

export const REPAIRED_TAG = "repaired";
const FAULTS_MAX = 1000;

export type Committed = Pick<StoredSnapshot, "id" | "snapshot">;

/** Commits `stored` with another root folder, as a snapshot that says what it lacks, and with `counts` of what it holds. */
export async function commitRepaired(
  writer: RepositoryWriter,
  root: string,
  { id, snapshot }: StoredSnapshot,
  dropped: readonly DroppedPart[],
  counts: Partial<SnapshotStatistics> = {},
): Promise<Committed> {
  const { store, sealer, context } = writer.repository;
  await writer.flush();
  const faults = [...snapshot.faults ?? [], ...dropped.map(({ path, reason }) => ({ path, reason }))];
  const repaired: Snapshot = {
    ...snapshot,
    root,
    session: writer.session.id,
    tags: dropped.length === 0 ? snapshot.tags : [...new Set([...snapshot.tags, REPAIRED_TAG])].sort(),
    original: snapshot.original ?? id,
    statistics: { ...snapshot.statistics, ...counts },
    ...(faults.length === 0 ? {} : { faults: faults.slice(0, FAULTS_MAX) }),
  };
  const commit = new SnapshotCommit(store, sealer, randomId(context.random), repaired);
  await writer.commit(commit);
  return { id: commit.id, snapshot: repaired };
}

interface RemovalContext {
  identity: WriterIdentity;
  onEvent: EventSink;
  signal?: AbortSignal;
}

/** Says in the ledger that a snapshot goes, and which one stands in its place. */
export async function recordRemoval(
  { store, sealer, context: { clock } }: Repository,
  id: string,
  replacedBy: string | null,
  { identity: { client, host, user }, signal }: RemovalContext,
): Promise<void> {
  const removed = [{ id, ...(replacedBy === null ? {} : { replaced_by: replacedBy }) }];
  const record = { version: 1 as const, reason: "repair", removed, by: { client, host, user }, time: clock.nowNs() };
  await appendLedger(store, sealer, record, signal);
}

/**
 * Takes a snapshot away that another one replaces; false if the store does not let it go. The record in the ledger comes
 * first, so that whoever misses the snapshot finds it.
 */
export async function forgetReplaced(
  repository: Repository,
  { id, snapshot }: StoredSnapshot,
  replacedBy: string,
  context: RemovalContext,
): Promise<boolean> {
  await recordRemoval(repository, id, replacedBy, context);
  try {
    await new SnapshotCommit(repository.store, repository.sealer, id, snapshot).withdraw();
    return true;
  } catch (error) {
    if (!isKind(error, "storage_denied")) throw error;
    const message = `The old snapshot ${id} remains beside the new one: ${messageOf(error)}`;
    context.onEvent({ type: "warning", code: "retained", message });
    return false;
  }
}
