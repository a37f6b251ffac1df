import { LIMITS } from "../base/limits.ts";
import type { RestoreBatch, RestoreFile } from "./restore_file.ts";
import { ReadPlan } from "./restore_plan.ts";

/** Attributes and lists of chunks can be far larger than files: with so many of either a batch is full. */
const BATCH_XATTR_BYTES = 16 * 2 ** 20;
const BATCH_CHUNKS = 65_536;

/** Gathers files into batches; one is written while the next is gathered. */
export class RestoreBatches {
  batch: RestoreBatch = emptyBatch();
  #chunks = 0;
  #xattrBytes = 0;
  #executing: Promise<void> = Promise.resolve();

  constructor(readonly execute: (batch: RestoreBatch) => Promise<void>) {}

  /** Hands the batch over if `file`, whose plan stands, fills it; then the next file has to wait for the promise. */
  planned({ layout, metadata }: RestoreFile): Promise<void> | undefined {
    this.#chunks += layout.chunks.length;
    for (const { value } of metadata.xattrs ?? []) this.#xattrBytes += value.length;
    const isFull = this.batch.files.length >= LIMITS.restoreBatchFiles || this.#chunks >= BATCH_CHUNKS ||
      this.#xattrBytes >= BATCH_XATTR_BYTES;
    return isFull ? this.#handOver() : undefined;
  }

  async finish(): Promise<void> {
    await this.#handOver();
    await this.#executing;
  }

  async #handOver(): Promise<void> {
    const batch = this.batch;
    this.batch = emptyBatch();
    this.#chunks = this.#xattrBytes = 0;
    await this.#executing;
    this.#executing = this.execute(batch);
    this.#executing.catch(() => {}); // the next to await it sees the failure
  }
}

function emptyBatch(): RestoreBatch {
  return { plan: new ReadPlan(), files: [] };
}
