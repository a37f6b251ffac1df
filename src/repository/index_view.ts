import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { PackRecord } from "../model/index_object.ts";
import { packName, PREFIX } from "../model/object_keys.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { ChunkIndex } from "./chunk_index.ts";
import { type IndexObjects, readIndexObjects } from "./index_objects.ts";
import { compareWithIndex, indexObjectOf } from "./index_tables.ts";
import type { ObjectSealer } from "./object_sealer.ts";
import type { PackReader } from "./pack_reader.ts";

/** A pack whose size is not what the index says, or whose table cannot be read. */
export interface DamagedPack {
  name: string;
  sizeBytes: number;
  reason: string;
}

/** What the repository holds, read in the order that deletion relies on: index first, then the listing of packs. */
export interface IndexView {
  index: ChunkIndex;
  objects: IndexObjects;
  /** Packs in the store, by name, with their size. */
  listed: Map<string, number>;
  /** Packs in the store that no index object describes, or not whole; `index` knows them from their own tables. */
  unindexed: PackRecord[];
  damagedPacks: DamagedPack[];
  /** Packs that the index names and the store lacks. */
  missingPacks: PackRecord[];
}

export interface IndexSource {
  store: ObjectStore;
  sealer: ObjectSealer;
  packs: PackReader;
  onEvent: EventSink;
  signal?: AbortSignal;
}

const READS_AT_ONCE = 8;

/** Throws only what the store throws; damage is part of the result. */
export async function loadIndex(source: IndexSource): Promise<IndexView> {
  const index = new ChunkIndex();
  const objects = await readIndexObjects(source, index);
  const listed = await listPacks(source);
  const view: IndexView = { index, objects, listed, unindexed: [], damagedPacks: [], missingPacks: [] };
  await judgePacks(source, view);
  return view;
}

export async function listPacks(
  { store, signal }: { store: ObjectStore; signal?: AbortSignal },
): Promise<Map<string, number>> {
  const listed = new Map<string, number>();
  for await (const { key, sizeBytes } of store.list(PREFIX.packs, signal)) {
    const name = packName(key);
    if (name !== undefined) listed.set(name, sizeBytes);
  }
  return listed;
}

/** What says that a pack, not the store, is at fault. */
export function isPackFault(error: unknown): error is AxiomError {
  return isKind(error, "data_damaged", "limit_exceeded", "repository_unsupported");
}

async function judgePacks(source: IndexSource, view: IndexView): Promise<void> {
  const indexed = new Map(view.index.packs().map((pack) => [pack.name, pack]));
  for (const pack of indexed.values()) {
    const sizeBytes = view.listed.get(pack.name);
    if (sizeBytes === undefined) view.missingPacks.push(pack);
    else if (sizeBytes !== pack.storedBytes) {
      const reason = `it has ${sizeBytes} bytes, not ${pack.storedBytes}`;
      view.damagedPacks.push({ name: pack.name, sizeBytes, reason });
    }
  }
  // Compaction spreads a pack over several objects: if one of all cannot be read, any pack may be known in part.
  const doubtful = view.objects.damaged.length > 0;
  const damaged = new Set(view.damagedPacks.map(({ name }) => name));
  const slots = new Semaphore(READS_AT_ONCE);
  const reads: Promise<void>[] = [];
  for (const [name, sizeBytes] of view.listed) {
    const known = indexed.get(name);
    if (damaged.has(name) || (known !== undefined && !doubtful)) continue;
    reads.push(slots.run(() => readPack(source, view, name, sizeBytes, known), source.signal));
  }
  await Promise.all(reads);
}

async function readPack(
  source: IndexSource,
  view: IndexView,
  name: string,
  sizeBytes: number,
  known: PackRecord | undefined,
): Promise<void> {
  try {
    const { pack, table } = known === undefined
      ? await source.packs.describe(name, sizeBytes, source.signal)
      : { pack: known, table: await source.packs.table(known, source.signal) };
    if (known !== undefined && compareWithIndex(view.index, pack, table).lacking === 0) return;
    view.index.add(indexObjectOf(pack, table));
    view.unindexed.push(pack);
  } catch (error) {
    if (isKind(error, "object_missing")) return; // deleted since the listing
    if (!isPackFault(error)) throw error;
    view.damagedPacks.push({ name, sizeBytes, reason: messageOf(error) });
  }
}
