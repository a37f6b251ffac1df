import { createHash } from "node:crypto";
import { isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { INDEX_ENTRY_BYTES, INDEX_PACK_BYTES, type PackRecord } from "../model/index_object.ts";
import { indexKey } from "../model/object_keys.ts";
import type { PackTable } from "../model/pack_table.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { replaceDamaged } from "../storage/repairer.ts";
import { addTable } from "./index_tables.ts";
import type { ObjectSealer } from "./object_sealer.ts";

/** Index objects are written once this much has gathered, so that an interrupted run finds its packs indexed. */
const FLUSH_BYTES = 4 * 1024 * 1024;

/** Describes packs in index objects; their name is the SHA-256 of what is sealed in them. */
export class IndexWriter {
  #builder = new IndexBuilder();
  #packs = 0;

  constructor(readonly store: ObjectStore, readonly sealer: ObjectSealer, readonly signal?: AbortSignal) {}

  /** Adds a pack that is durable in the store; may write what gathered before it. */
  async add(pack: PackRecord, table: PackTable): Promise<void> {
    const bytes = INDEX_PACK_BYTES +
      table.frames.reduce((sum, frame) => sum + frame.chunks.length, 0) * INDEX_ENTRY_BYTES;
    if (this.#packs > 0 && this.#builder.byteLength() + bytes > LIMITS.indexPartitionBytesMax) await this.flush();
    addTable(this.#builder, pack, table);
    this.#packs++;
    if (this.#builder.byteLength() >= FLUSH_BYTES) await this.flush();
  }

  async flush(signal = this.signal): Promise<void> {
    if (this.#packs === 0) return;
    const builder = this.#builder;
    this.#builder = new IndexBuilder();
    this.#packs = 0;
    await this.#write(builder, signal);
  }

  async #write(builder: IndexBuilder, signal?: AbortSignal): Promise<void> {
    const payload = builder.encode();
    const key = indexKey(createHash("sha256").update(payload).digest("hex"));
    const stored = await this.sealer.seal("index", key, payload);
    try {
      await this.store.put(key, stored, signal);
    } catch (error) {
      if (!isKind(error, "object_exists")) throw error;
      if (!await this.#isWhole(key)) await replaceDamaged(this.store, key, stored, signal);
    }
  }

  async #isWhole(key: string): Promise<boolean> {
    try {
      await this.sealer.open("index", key, await this.store.get(key, "all"));
      return true;
    } catch (error) {
      if (isKind(error, "data_damaged", "limit_exceeded")) return false;
      throw error;
    }
  }
}
