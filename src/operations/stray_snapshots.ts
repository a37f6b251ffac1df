import { createHash } from "node:crypto";
import { isKind, messageOf } from "../base/errors.ts";
import { markerKey, sessionKey, snapshotKey } from "../model/object_keys.ts";
import { decodeSnapshot } from "../model/snapshot.ts";
import { readLedger } from "../repository/ledger.ts";
import type { Repository } from "../repository/repository.ts";
import { readSnapshot, type SnapshotList, type StoredSnapshot } from "../repository/snapshots.ts";
import { isDamage } from "./damage.ts";

/** What is left of a snapshot that does not count, and why it does not. */
export type StraySnapshot =
  & { id: string }
  & (
    /** Its writer's session is there: it is about to finish it, or was interrupted before it could. */
    | { state: "at_work"; stored: StoredSnapshot }
    /** The ledger says that somebody took it away. */
    | { state: "removed" }
    /** Another snapshot has the same content in its place. */
    | { state: "redone"; stored: StoredSnapshot; by: string }
    /** Its manifest is right. Its marker is gone, or is damaged for the reason given; then it was finished. */
    | { state: "unmarked"; stored: StoredSnapshot; reason?: string; namedBy?: string }
    /** Its manifest is damaged or gone. */
    | { state: "lost"; reason: string }
  );

/**
 * Judges manifests and markers of which only one is there, or which cannot be read. What turns out to be another client's
 * work that was finished or removed since `list` was read is left out.
 */
export async function judgeStrays(
  repository: Repository,
  list: SnapshotList,
  signal?: AbortSignal,
): Promise<StraySnapshot[]> {
  const ids = [...new Set([...list.damaged.map(({ id }) => id), ...list.orphans, ...list.unfinished])];
  if (ids.length === 0) return [];
  const { records } = await readLedger(repository.store, repository.sealer, signal);
  const removed = new Set(records.flatMap(({ record }) => record.removed).map(({ id }) => id));
  const strays: StraySnapshot[] = [];
  for (const id of ids) {
    const stray = await judge(repository, list, removed, id, signal);
    if (stray !== undefined) strays.push(stray);
  }
  return strays;
}

async function judge(
  repository: Repository,
  list: SnapshotList,
  removed: ReadonlySet<string>,
  id: string,
  signal?: AbortSignal,
): Promise<StraySnapshot | undefined> {
  const { store } = repository;
  const hasMarker = async () => await store.stat(markerKey(id), signal) !== undefined;
  const manifest = await readManifest(repository, id, signal);
  if (!("stored" in manifest)) {
    if (manifest.reason === undefined && !await hasMarker()) return undefined;
    if (removed.has(id)) return { id, state: "removed" };
    const reason = manifest.reason ??
      `Cannot find the manifest of the snapshot ${id}: only its commit marker is left`;
    return { id, state: "lost", reason };
  }
  const { stored } = manifest;
  // The session first: once it is gone no marker of it comes any more.
  const isAtWork = /^[0-9a-f]{32}$/.test(stored.snapshot.session) &&
    await store.stat(sessionKey(stored.snapshot.session), signal) !== undefined;
  const reason = await markerFault(repository, id, signal);
  if (reason === undefined) return undefined;
  if (reason === null && isAtWork) return { id, state: "at_work", stored };
  if (removed.has(id)) return { id, state: "removed" };
  if (await store.stat(snapshotKey(id), signal) === undefined) return undefined; // withdrawn meanwhile
  const by = list.snapshots.find((other) => isSame(other, stored))?.id;
  if (by !== undefined) return { id, state: "redone", stored, by };
  const namedBy = list.snapshots.find(({ snapshot }) => snapshot.previous === stored.hash || snapshot.parent === id)
    ?.id;
  return { id, state: "unmarked", stored, ...(reason === null ? {} : { reason }), namedBy };
}

/** Without a reason where there is none. */
async function readManifest(
  { store, sealer }: Repository,
  id: string,
  signal?: AbortSignal,
): Promise<{ stored: StoredSnapshot } | { reason?: string }> {
  const key = snapshotKey(id);
  try {
    const payload = await sealer.open("snapshot", key, await store.get(key, "all", signal));
    const hash = createHash("sha256").update(payload).digest("hex");
    return { stored: { id, snapshot: decodeSnapshot(payload, id), hash } };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return error.kind === "object_missing" ? {} : { reason: error.message };
  }
}

/** Null where there is no marker, undefined where it is right. */
async function markerFault(
  { store, sealer }: Repository,
  id: string,
  signal?: AbortSignal,
): Promise<string | null | undefined> {
  try {
    await readSnapshot(store, sealer, id, signal);
    return undefined;
  } catch (error) {
    if (isKind(error, "object_missing")) return null;
    if (!isDamage(error)) throw error;
    return messageOf(error);
  }
}

/** Whether both are the same snapshot, or copies of one that differ in their tags. */
function isSame(a: StoredSnapshot, b: StoredSnapshot): boolean {
  return (a.snapshot.original ?? a.id) === (b.snapshot.original ?? b.id) && a.snapshot.root === b.snapshot.root;
}
