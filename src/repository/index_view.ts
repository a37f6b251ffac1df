import { encodeJson } from "../base/canonical_json.ts";
import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeIndexObject, type IndexObject, type PackRecord } from "../model/index_object.ts";
import { packName, PREFIX } from "../model/object_keys.ts";
import type { PackTable } from "../model/pack_table.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { ChunkIndex, withoutSuperseded } from "./chunk_index.ts";
import { indexObjectOf } from "./index_tables.ts";
import type { ObjectSealer } from "./object_sealer.ts";
import type { PackReader } from "./pack_reader.ts";

/** Packs that are on a list of what will be deleted. */
export type Condemned = ReadonlySet<string>;

/** What the repository holds, read in the order that deletion relies on: index first, then the listing of packs. */
export interface IndexView {
  index: ChunkIndex;
  /** Packs in the store, by name, with their size. */
  listed: Map<string, number>;
  /** Packs in the store that no index object knew; read from their own tables. */
  unindexed: { pack: PackRecord; table: PackTable }[];
  /** Keys of index objects that could not be read, with the reason. */
  damagedIndexes: { key: string; reason: string }[];
  /** Packs whose size is not what the index says, or whose table cannot be read. */
  damagedPacks: { name: string; sizeBytes: number; reason: string }[];
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
  const { objects, damagedIndexes } = await readIndexObjects(source);
  const index = new ChunkIndex();
  for (const name of withoutSuperseded(objects)) index.add(objects.get(name)!);
  const listed = await listPacks(source);
  const view: IndexView = { index, listed, unindexed: [], damagedIndexes, damagedPacks: [], missingPacks: [] };
  await judgePacks(source, view);
  return view;
}

async function readIndexObjects(source: IndexSource) {
  const { store, sealer, signal } = source;
  const objects = new Map<string, IndexObject>();
  const damagedIndexes: IndexView["damagedIndexes"] = [];
  const slots = new Semaphore(READS_AT_ONCE);
  const reads: Promise<void>[] = [];
  for await (const { key } of store.list(PREFIX.index, signal)) {
    reads.push(slots.run(async () => {
      const name = key.slice(PREFIX.index.length);
      try {
        objects.set(
          name,
          decodeIndexObject(await sealer.open("index", key, await store.get(key, "all", signal)), name),
        );
      } catch (error) {
        if (isKind(error, "object_missing")) return; // compacted away since the listing
        if (!isKind(error, "data_damaged", "limit_exceeded")) throw error;
        damagedIndexes.push({ key, reason: messageOf(error) });
      }
    }));
  }
  await Promise.all(reads);
  return { objects, damagedIndexes };
}

async function listPacks({ store, signal }: IndexSource): Promise<Map<string, number>> {
  const listed = new Map<string, number>();
  for await (const { key, sizeBytes } of store.list(PREFIX.packs, signal)) {
    const name = packName(key);
    if (name !== undefined) listed.set(name, sizeBytes);
  }
  return listed;
}

async function judgePacks(source: IndexSource, view: IndexView): Promise<void> {
  const indexed = new Map(view.index.packs().map((pack) => [pack.name, pack]));
  for (const pack of indexed.values()) {
    const sizeBytes = view.listed.get(pack.name);
    if (sizeBytes === undefined) view.missingPacks.push(pack);
    else if (sizeBytes !== pack.storedBytes) {
      view.damagedPacks.push({
        name: pack.name,
        sizeBytes,
        reason: `it has ${sizeBytes} bytes, not ${pack.storedBytes}`,
      });
    }
  }
  for (const [name, sizeBytes] of view.listed) {
    if (indexed.has(name)) continue;
    try {
      const described = await source.packs.describe(name, sizeBytes, source.signal);
      view.unindexed.push(described);
      view.index.add(indexObjectOf(described.pack, described.table));
    } catch (error) {
      if (isKind(error, "object_missing")) continue;
      if (!isKind(error, "data_damaged", "limit_exceeded")) throw error;
      view.damagedPacks.push({ name, sizeBytes, reason: messageOf(error) });
    }
  }
}

/** Packs that stand on any list of `condemned/`. Read before the index. Throws `data_damaged` for a list that cannot be read. */
export async function readCondemned({ store, sealer, signal }: IndexSource): Promise<Condemned> {
  const names = new Set<string>();
  for await (const { key } of store.list(PREFIX.condemned, signal)) {
    let stored;
    try {
      stored = await store.get(key, "all", signal);
    } catch (error) {
      if (isKind(error, "object_missing")) continue;
      throw error;
    }
    for (const name of decodeCondemned(await sealer.open("condemned", key, stored), key)) names.add(name);
  }
  return names;
}

/** `{"packs":[name, …],"version":1}` */
export function encodeCondemned(packs: readonly string[]) {
  return encodeJson({ packs: [...packs], version: 1 });
}

function decodeCondemned(payload: Uint8Array, key: string): string[] {
  const document = JSON.parse(new TextDecoder().decode(payload)) as { packs?: unknown; version?: unknown };
  const packs = document?.packs;
  if (document?.version !== 1 || !Array.isArray(packs) || packs.length > LIMITS.condemnedPacksMax) {
    throw new AxiomError("repository_unsupported", `Cannot read ${key}: it is not a list of packs`, {
      hint: "Update axiom",
    });
  }
  return packs.map(String);
}
