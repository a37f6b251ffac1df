import { createHash } from "node:crypto";
import type { Bytes } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { INDEX_ENTRY_BYTES, INDEX_NAME_BYTES, INDEX_PACK_BYTES, type PackRecord } from "../model/index_object.ts";
import { indexKey } from "../model/object_keys.ts";
import type { PackTable } from "../model/pack_table.ts";
import { supersedeAlso } from "../model/supersede.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { replaceDamaged } from "../storage/repairer.ts";
import { addTable } from "./index_tables.ts";
import type { ObjectSealer } from "./object_sealer.ts";

/** Index objects are written once this much has gathered, so that an interrupted run finds its packs indexed. */
const FLUSH_BYTES = 4 * 1024 * 1024;
/** An object of the same name may come and go with other clients' work, but hardly as often as this. */
const PUT_TRIES = 10;

/** Describes packs in index objects; their name is the SHA-256 of what is sealed in them. */
export class IndexWriter {
  #builder = new IndexBuilder();
  #packs = 0;
  /** Names of the objects so far. */
  readonly written: string[] = [];

  /** @param taken Names that none of its objects may have */
  constructor(readonly store: ObjectStore, readonly sealer: ObjectSealer, readonly taken: ReadonlySet<string>) {}

  /** Adds a pack that is durable in the store; may write what gathered before it. */
  async add(pack: PackRecord, table: PackTable): Promise<void> {
    const bytes = INDEX_PACK_BYTES +
      table.frames.reduce((sum, frame) => sum + frame.chunks.length, 0) * INDEX_ENTRY_BYTES;
    if (this.#packs > 0 && this.#builder.byteLength() + bytes > LIMITS.indexPartitionBytesMax) await this.flush();
    addTable(this.#builder, pack, table);
    this.#packs++;
    if (this.#builder.byteLength() >= FLUSH_BYTES) await this.flush();
  }

  /** Never aborted: what it says of packs is what makes an interrupted backup's work useful. */
  async flush(): Promise<void> {
    if (this.#packs === 0) return;
    const builder = this.#builder;
    this.#builder = new IndexBuilder();
    this.#packs = 0;
    const payload = withFreeName(builder.encode(), this.taken, this.sealer.random);
    this.written.push(await putIndexObject(this.store, this.sealer, payload));
  }
}

/** The same index object, made different by a superseded name that nobody has, if its own name is taken. */
export function withFreeName(payload: Bytes, taken: ReadonlySet<string>, random: Random): Bytes {
  return taken.has(indexNameOf(payload)) ? supersedeAlso(payload, random(INDEX_NAME_BYTES)) : payload;
}

/** Stores an index object, in place of a damaged one of the same name where there is one; returns its name. */
export async function putIndexObject(
  store: ObjectStore,
  sealer: ObjectSealer,
  payload: Bytes,
  signal?: AbortSignal,
): Promise<string> {
  const name = indexNameOf(payload);
  const key = indexKey(name);
  const stored = await sealer.seal("index", key, payload);
  for (let tries = 1;; tries++) {
    try {
      await store.put(key, stored, signal);
      return name;
    } catch (error) {
      if (!isKind(error, "object_exists") || tries === PUT_TRIES) throw error;
    }
    try {
      if (!await isWhole(store, sealer, key)) await replaceDamaged(store, key, stored, signal);
      return name;
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error; // replaced by another client just now
    }
  }
}

/** In hexadecimal. */
export function indexNameOf(payload: Bytes): string {
  return createHash("sha256").update(payload).digest("hex");
}

async function isWhole(store: ObjectStore, sealer: ObjectSealer, key: string): Promise<boolean> {
  try {
    await sealer.open("index", key, await store.get(key, "all"));
    return true;
  } catch (error) {
    if (isKind(error, "data_damaged", "limit_exceeded")) return false;
    throw error;
  }
}
