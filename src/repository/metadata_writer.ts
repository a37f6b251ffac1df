import { type Bytes, toHex } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { ChunkKind } from "../model/chunk.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { DedupTable } from "../stages/dedup_table.ts";
import { FrameBuilder } from "../stages/frame_builder.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";

/** Frames on their way; more makes whoever stores documents wait. */
const FRAMES_AT_ONCE = 16;

export interface MetadataOwner {
  /** Called when a document was new, before the table of known chunks is too full. */
  onGrowth(): void;
  /** Whether a known document must be stored again, because what the repository has of it is probably damaged. */
  isDistrusted(id: Bytes): boolean;
}

/** Stores trees and lists: documents that are new fill small frames of their own kind, which workers seal. */
export class MetadataWriter {
  readonly #identify: (chunk: Uint8Array) => Bytes;
  readonly #sealing = new Semaphore(FRAMES_AT_ONCE);
  #frame: FrameBuilder;
  /** Ids in hexadecimal of documents that were stored again. */
  readonly #repeated = new Set<string>();
  /** Plain bytes and number of documents that the repository lacked. */
  bytesNew = 0;
  chunksNew = 0;

  constructor(
    readonly pool: WorkerPool,
    readonly dedup: DedupTable,
    idKey: Bytes,
    readonly style: FrameStyle,
    readonly owner: MetadataOwner,
  ) {
    this.#identify = chunkIdentifier(idKey);
    this.#frame = this.#emptyFrame();
  }

  #emptyFrame(): FrameBuilder {
    return new FrameBuilder(
      { ...this.style, kind: ChunkKind.tree, owner: -1 },
      new Uint8Array(LIMITS.metadataFramePlainBytesMax),
    );
  }

  /** Returns the document's id in hexadecimal. */
  readonly put = async (data: Bytes): Promise<string> => {
    const id = this.#identify(data);
    if (this.dedup.claim(id) || this.#mustRepeat(id)) {
      this.owner.onGrowth();
      this.bytesNew += data.length;
      this.chunksNew++;
      const full = this.#frame.hasRoom(data.length) ? undefined : this.#take();
      this.#frame.append(id, data);
      if (full !== undefined) await this.#seal(full);
    }
    return toHex(id);
  };

  #mustRepeat(id: Bytes): boolean {
    if (!this.owner.isDistrusted(id) || this.#repeated.has(toHex(id))) return false;
    this.#repeated.add(toHex(id));
    return true;
  }

  #take(): FrameBuilder {
    const frame = this.#frame;
    this.#frame = this.#emptyFrame();
    return frame;
  }

  async #seal(builder: FrameBuilder): Promise<void> {
    const release = await this.#sealing.acquire();
    this.pool.sealFrame(builder.finish()).finally(release).catch(() => {}); // the pool keeps the failure
  }

  /** Waits until everything was handed to the packs. */
  async flush(): Promise<void> {
    if (this.#frame.chunkCount > 0) await this.#seal(this.#take());
    (await this.#sealing.acquire(undefined, FRAMES_AT_ONCE))();
  }
}
