import { createHash } from "node:crypto";
import { decodeJson, encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { markerKey, PREFIX, snapshotKey } from "../model/object_keys.ts";
import { decodeSnapshot, type Snapshot } from "../model/snapshot.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { ObjectSealer } from "./object_sealer.ts";
import type { WriterSession } from "./session.ts";

export interface StoredSnapshot {
  id: string;
  snapshot: Snapshot;
  /** SHA-256 of the manifest's payload, hexadecimal; what the next one of the chain names. */
  hash: string;
}

export interface SnapshotList {
  /** Those that count, oldest first. */
  snapshots: StoredSnapshot[];
  /** Manifests or markers that cannot be read. */
  damaged: { id: string; reason: string }[];
  /** Ids of manifests without a marker: unfinished, or withdrawn in part. */
  unfinished: string[];
  /** Ids of markers without a manifest. */
  orphans: string[];
}

const READS_AT_ONCE = 8;

export async function readSnapshots(
  store: ObjectStore,
  sealer: ObjectSealer,
  signal?: AbortSignal,
): Promise<SnapshotList> {
  const manifests = new Set<string>();
  const markers = new Set<string>();
  for await (const { key } of store.list(PREFIX.snapshots, signal)) {
    const [, id, marker] = /^snapshots\/([0-9a-f]{32})(\.ok)?$/.exec(key) ?? [];
    if (id !== undefined) (marker === undefined ? manifests : markers).add(id);
  }
  const list: SnapshotList = {
    snapshots: [],
    damaged: [],
    unfinished: [...manifests].filter((id) => !markers.has(id)),
    orphans: [...markers].filter((id) => !manifests.has(id)),
  };
  const slots = new Semaphore(READS_AT_ONCE);
  await Promise.all(
    [...manifests].filter((id) => markers.has(id)).map((id) =>
      slots.run(async () => {
        try {
          list.snapshots.push(await readSnapshot(store, sealer, id, signal));
        } catch (error) {
          if (isKind(error, "object_missing")) return; // forgotten since the listing
          if (!isKind(error, "data_damaged", "limit_exceeded")) throw error;
          list.damaged.push({ id, reason: messageOf(error) });
        }
      }, signal)
    ),
  );
  list.snapshots.sort((a, b) => compareTimes(a.snapshot.time, b.snapshot.time) || compareAtOnce(a, b));
  return list;
}

/**
 * The order of snapshots of one time. A copy comes after the one that it was made of, and one that lacks more, as a repair
 * makes it, after the copies that lost it.
 */
export function compareAtOnce(a: StoredSnapshot, b: StoredSnapshot): number {
  return a.snapshot.sequence - b.snapshot.sequence || compareTexts(firstOf(a), firstOf(b)) ||
    Number(a.snapshot.original !== undefined) - Number(b.snapshot.original !== undefined) ||
    (a.snapshot.faults?.length ?? 0) - (b.snapshot.faults?.length ?? 0) || compareTexts(a.id, b.id);
}

function firstOf({ id, snapshot }: StoredSnapshot): string {
  return snapshot.original ?? id;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareTimes(a: string, b: string): number {
  const difference = BigInt(a) - BigInt(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Reads manifest and marker. Throws `data_damaged` if either is not what it must be. */
export async function readSnapshot(
  store: ObjectStore,
  sealer: ObjectSealer,
  id: string,
  signal?: AbortSignal,
): Promise<StoredSnapshot> {
  const key = snapshotKey(id);
  const payload = await sealer.open("snapshot", key, await store.get(key, "all", signal));
  const hash = createHash("sha256").update(payload).digest("hex");
  const mark = markerKey(id);
  if (manifestOfMarker(await sealer.open("marker", mark, await store.get(mark, "all", signal))) !== hash) {
    throw new AxiomError("data_damaged", `Cannot trust the snapshot ${id}: its commit marker is of another manifest`);
  }
  return { id, snapshot: decodeSnapshot(payload, id), hash };
}

/** The hash that a marker names; undefined for a marker that cannot be read. */
function manifestOfMarker(payload: Uint8Array): unknown {
  try {
    const marker = decodeJson(payload) as { manifest?: unknown; version?: unknown } | null;
    return marker?.version === 1 ? marker.manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Step 5 of a writer: manifest, look, marker, look. */
export class SnapshotCommit {
  #payload;

  constructor(readonly store: ObjectStore, readonly sealer: ObjectSealer, readonly id: string, snapshot: Snapshot) {
    this.#payload = encodeJson(snapshot as unknown as Json);
    decodeSnapshot(this.#payload, id);
  }

  get hash(): string {
    return createHash("sha256").update(this.#payload).digest("hex");
  }

  /**
   * Throws `session_fenced` if another client ended `session`, after taking everything back. Where nothing may be removed, a
   * manifest without marker stays and does not count; with its marker it is whole: the session was there after the
   * manifest was.
   *
   * @param session The one that the manifest names, by which others know whether it is still wanted
   */
  async commit(session: WriterSession, onEvent: EventSink, signal?: AbortSignal): Promise<void> {
    await this.putManifest(signal);
    try {
      await session.demand();
      await this.putMarker();
      await session.demand();
    } catch (error) {
      await this.withdraw().catch((why) => {
        const message = `Cannot take back the snapshot ${this.id}, which is not complete: ${messageOf(why)}`;
        onEvent({ type: "warning", code: "withdraw", message });
      });
      throw error;
    }
  }

  async putManifest(signal?: AbortSignal): Promise<void> {
    const key = snapshotKey(this.id);
    await this.store.put(key, await this.sealer.seal("snapshot", key, this.#payload), signal);
  }

  async putMarker(): Promise<void> {
    const key = markerKey(this.id);
    const payload = encodeJson({ manifest: this.hash, version: 1 });
    await this.store.put(key, await this.sealer.seal("marker", key, payload));
  }

  /** Takes both back. A store that refuses to delete keeps a manifest without marker, which does not count. */
  async withdraw(): Promise<void> {
    await this.store.remove(markerKey(this.id));
    await this.store.remove(snapshotKey(this.id));
  }
}

/** Throws `snapshot_missing` or `snapshot_ambiguous`. `latest` is the newest of `snapshots`. */
export function selectSnapshot(snapshots: readonly StoredSnapshot[], name: string): StoredSnapshot {
  if (name === "latest") {
    const newest = snapshots.at(-1);
    if (newest !== undefined) return newest;
    throw new AxiomError("snapshot_missing", "Cannot find the latest snapshot: there is none that fits", {
      hint: "Run `axiom snapshots` to see all",
    });
  }
  const found = /^[0-9a-f]{1,32}$/.test(name) ? snapshots.filter(({ id }) => id.startsWith(name)) : [];
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    throw new AxiomError("snapshot_missing", `Cannot find a snapshot whose id begins with ${JSON.stringify(name)}`, {
      hint: "Run `axiom snapshots` to see all, or say `latest`",
    });
  }
  throw new AxiomError(
    "snapshot_ambiguous",
    `Cannot tell which snapshot ${JSON.stringify(name)} means: ${found.length} ids begin so`,
    { hint: `Give more digits: ${found.slice(0, 4).map(({ id }) => id.slice(0, name.length + 4)).join(", ")}` },
  );
}
