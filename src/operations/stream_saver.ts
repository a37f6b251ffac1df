import { type Bytes, toHex } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_KIND_NAMES, ChunkKind } from "../model/chunk.ts";
import type { ChunkerRecord, Content, ContentElement } from "../model/entry.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { writeContentNodes } from "../repository/tree_writer.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import { Cutter, isChunker } from "../stages/chunk.ts";
import { fixedBlockBytes } from "../stages/fixed_blocks.ts";
import { FrameBuilder } from "../stages/frame_builder.ts";
import { deriveGear } from "../stages/gear.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import type { FilePlan } from "./file_saver.ts";

export interface SavedStream {
  sizeBytes: number;
  content?: Content;
  chunker?: ChunkerRecord;
  chunksNew: number;
  bytesNew: number;
}

/** Cuts a stream in this thread and has its frames sealed by the workers, a few at a time. */
export class StreamSaver {
  readonly #kind: "data" | "plain";
  readonly #sealing: Semaphore;
  #frame: FrameBuilder;
  #failure: unknown;
  #chunksNew = 0;
  #bytesNew = 0;

  /** @param onProgress Gets the bytes read so far */
  constructor(
    readonly writer: RepositoryWriter,
    readonly plan: FilePlan,
    readonly lastChunker: ChunkerRecord | undefined,
    readonly onProgress: (sizeBytes: number) => void,
  ) {
    this.#kind = plan.style.kind === ChunkKind.plain ? "plain" : CHUNK_KIND_NAMES[ChunkKind.data];
    this.#sealing = new Semaphore(LIMITS.framesPerWorkerMax * writer.pool.size);
    this.#frame = emptyFrame(plan);
  }

  async save(source: AsyncIterable<Uint8Array>): Promise<SavedStream> {
    const { keys, config } = this.writer.repository;
    const { min, normal, max } = config.chunker;
    const chunker = this.#chunker();
    const cutter = new Cutter(chunker, { min, normal, max }, await deriveGear(keys.chunkerKey(this.#kind)));
    const identify = chunkIdentifier(keys.chunkIdKey(this.#kind));
    const elements: ContentElement[] = [];
    const window = new Uint8Array(2 * LIMITS.framePlainBytesMax);
    let filled = 0, sizeBytes = 0;
    const cut = async (last: boolean) => {
      let used = 0;
      for (const [start, end] of cutter.cuts(window, 0, filled, last)) {
        elements.push(toHex(await this.#chunk(identify, window.subarray(start, end))));
        used = end;
      }
      window.copyWithin(0, used, filled);
      filled -= used;
    };
    for await (const part of source) {
      for (let at = 0; at < part.length;) {
        const taken = part.subarray(at, at + window.length - filled);
        window.set(taken, filled);
        filled += taken.length;
        at += taken.length;
        if (filled === window.length) await cut(false);
      }
      sizeBytes += part.length;
      this.onProgress(sizeBytes);
    }
    await cut(true);
    await this.#flush();
    const saved = { sizeBytes, chunksNew: this.#chunksNew, bytesNew: this.#bytesNew };
    if (elements.length === 0) return saved;
    const content = await writeContentNodes(elements, this.writer.metadata.put);
    const whole: Content = this.#kind === "plain" ? { kind: "plain", ...content } : content;
    return { ...saved, content: whole, chunker: elements.length > 1 ? chunker : undefined };
  }

  /** By rule, else as the last run did: the size, by which blocks are chosen, is not known. */
  #chunker(): ChunkerRecord {
    const { chunkerRule: rule } = this.plan;
    if (rule?.algorithm === "fixed-1") {
      return {
        algorithm: "fixed-1",
        block_bytes: rule.block_bytes ?? fixedBlockBytes(0, this.lastChunker?.block_bytes),
      };
    }
    if (rule === undefined && isChunker(this.lastChunker)) return this.lastChunker;
    return { algorithm: "fastcdc-1" };
  }

  async #chunk(identify: (chunk: Uint8Array) => Bytes, chunk: Uint8Array): Promise<Bytes> {
    const id = identify(chunk);
    if (!this.writer.dedup.claim(id)) return id;
    this.writer.growIfNeeded();
    this.#chunksNew++;
    this.#bytesNew += chunk.length;
    if (!this.#frame.hasRoom(chunk.length)) await this.#seal();
    this.#frame.append(id, chunk);
    return id;
  }

  async #seal(): Promise<void> {
    const frame = this.#frame;
    this.#frame = emptyFrame(this.plan);
    if (frame.chunkCount === 0) return;
    const release = await this.#sealing.acquire();
    if (this.#failure !== undefined) throw this.#failure;
    this.writer.pool.sealFrame(frame.finish())
      .catch((error) => this.#failure ??= error)
      .finally(release);
  }

  async #flush(): Promise<void> {
    await this.#seal();
    (await this.#sealing.acquire(undefined, LIMITS.framesPerWorkerMax * this.writer.pool.size))();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function emptyFrame({ style }: FilePlan): FrameBuilder {
  return new FrameBuilder(style, new Uint8Array(LIMITS.framePlainBytesMax));
}
