import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { randomId } from "../base/random.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { appendLedger } from "../repository/ledger.ts";
import type { Repository } from "../repository/repository.ts";
import { SnapshotCommit, type StoredSnapshot } from "../repository/snapshots.ts";
import type { RepositoryWriter, WriterIdentity } from "../repository/writer.ts";
import type { DroppedPart } from "./tree_repair.ts";

export const REPAIRED_TAG = "repaired";
const FAULTS_MAX = 1000;

/** Commits `stored` with another root folder, as a snapshot that says what it lacks; returns its id. */
export async function commitRepaired(
  writer: RepositoryWriter,
  root: string,
  { id, snapshot }: StoredSnapshot,
  dropped: readonly DroppedPart[],
): Promise<string> {
  const { store, sealer, context } = writer.repository;
  await writer.flush();
  const faults = [...snapshot.faults ?? [], ...dropped.map(({ path, reason }) => ({ path, reason }))];
  const repaired: Snapshot = {
    ...snapshot,
    root,
    session: writer.session.id,
    tags: [...new Set([...snapshot.tags, REPAIRED_TAG])].sort(),
    original: snapshot.original ?? id,
    faults: faults.slice(0, FAULTS_MAX),
  };
  const commit = new SnapshotCommit(store, sealer, randomId(context.random), repaired);
  await writer.commit(commit);
  return commit.id;
}

/**
 * Takes a snapshot away that another one replaces; false if the store does not let it go. The record in the ledger comes
 * first, so that whoever misses the snapshot finds it.
 */
export async function forgetReplaced(
  { store, sealer, context: { clock } }: Repository,
  { id, snapshot }: StoredSnapshot,
  replacedBy: string,
  { identity, onEvent, signal }: { identity: WriterIdentity; onEvent: EventSink; signal?: AbortSignal },
): Promise<boolean> {
  const { client, host, user } = identity;
  const record = { reason: "repair", removed: [{ id, replaced_by: replacedBy }], by: { client, host, user } };
  await appendLedger(store, sealer, { ...record, version: 1, time: clock.nowNs() }, signal);
  try {
    await new SnapshotCommit(store, sealer, id, snapshot).withdraw();
    return true;
  } catch (error) {
    if (!isKind(error, "storage_denied")) throw error;
    const message = `The old snapshot ${id} remains beside the new one: ${messageOf(error)}`;
    onEvent({ type: "warning", code: "retained", message });
    return false;
  }
}
