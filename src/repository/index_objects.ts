import { createHash } from "node:crypto";
import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import { decodeIndexObject, type IndexObject } from "../model/index_object.ts";
import { indexKey, PREFIX } from "../model/object_keys.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { type ChunkIndex, withoutSuperseded } from "./chunk_index.ts";
import type { ObjectSealer } from "./object_sealer.ts";

/** An index object that could not be used. */
export interface DamagedIndex {
  key: string;
  reason: string;
}

/** Index objects by name, as they were listed and read. */
export interface IndexObjects {
  /** Those that count. */
  current: string[];
  /** Readable ones that another one replaces. */
  superseded: string[];
  damaged: DamagedIndex[];
  /** Names that no new object may have: they count as absent, or belong to damaged objects. */
  taken: ReadonlySet<string>;
}

export interface IndexObjectSource {
  store: ObjectStore;
  sealer: ObjectSealer;
  signal?: AbortSignal;
}

const READS_AT_ONCE = 8;
/** Other clients may replace objects while this one reads; each round reads what the one before could not know. */
const ROUNDS_MAX = 8;

/** The name in an index object's key, or undefined for a key of another form. */
function indexName(key: string): string | undefined {
  return /^index\/([0-9a-f]{64})$/.exec(key)?.[1];
}

/**
 * Reads all index objects into `index`. Lists them until a listing shows none that is new: an object may be removed only
 * after the one that replaces it was put, so what vanishes between two listings is then in hand in its new form.
 */
export async function readIndexObjects(source: IndexObjectSource, index: ChunkIndex): Promise<IndexObjects> {
  const objects = new Map<string, IndexObject>();
  const damaged = new Map<string, string>();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const listed = await listNames(source);
    const fresh = listed.filter((name) => !objects.has(name) && !damaged.has(name));
    if (fresh.length === 0) break;
    await readAll(source, fresh, objects, damaged);
  }
  const all = [...objects.keys()];
  const current = withoutSuperseded(objects);
  const replaced = [...objects.values()].flatMap(({ supersedes }) => [...supersedes]);
  for (const name of current) {
    try {
      index.add(objects.get(name)!);
    } catch (error) {
      if (!isKind(error, "data_damaged")) throw error;
      damaged.set(name, messageOf(error));
    }
    objects.delete(name); // its entries are in `index` now
  }
  const counting = new Set(current);
  return {
    current: current.filter((name) => !damaged.has(name)),
    superseded: all.filter((name) => !counting.has(name)),
    damaged: [...damaged].map(([name, reason]) => ({ key: indexKey(name), reason })),
    taken: new Set([...replaced, ...damaged.keys()]),
  };
}

async function listNames({ store, signal }: IndexObjectSource): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(PREFIX.index, signal)) {
    const name = indexName(key);
    if (name !== undefined) names.push(name);
  }
  return names;
}

async function readAll(
  source: IndexObjectSource,
  names: readonly string[],
  objects: Map<string, IndexObject>,
  damaged: Map<string, string>,
): Promise<void> {
  const slots = new Semaphore(READS_AT_ONCE);
  const read = async (name: string) => {
    try {
      objects.set(name, await readIndexObject(source, name));
    } catch (error) {
      if (isKind(error, "object_missing")) return; // replaced since the listing
      if (!isKind(error, "data_damaged", "limit_exceeded")) throw error;
      damaged.set(name, messageOf(error));
    }
  };
  await Promise.all(names.map((name) => slots.run(() => read(name), source.signal)));
}

/** Throws `data_damaged` unless the object is exactly what its name says, `object_missing` if it is gone. */
export async function readIndexObject(
  { store, sealer, signal }: IndexObjectSource,
  name: string,
): Promise<IndexObject> {
  const key = indexKey(name);
  const payload = await sealer.open("index", key, await store.get(key, "all", signal));
  if (createHash("sha256").update(payload).digest("hex") !== name) {
    throw new AxiomError("data_damaged", `Cannot use ${key}: its name is not the hash of what it holds`);
  }
  return decodeIndexObject(payload, name);
}
