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
import type { FrameStyle } from "../stages/worker_protocol.ts";
import type { FilePlan } from "./file_saver.ts";

export interface SavedStream {
  sizeBytes: number;
  content?: Content;
  chunker?: ChunkerRecord;
  chunksNew: number;
  bytesNew: number;
}

type Kind = "data" | "plain";

/** Cuts streams in this thread and has their frames sealed by the workers, a few at a time. */
export class StreamSaver {
  readonly #sealing: Semaphore;
  readonly #gears = new Map<Kind, Uint32Array>();
  #window: Uint8Array | undefined;
  /** The one that fills; several streams may share it. */
  #frame: { builder: FrameBuilder; style: string } | undefined;
  #failure: unknown;
  /** Of all streams, also of those that failed: what they gave until then is stored. */
  chunksNew = 0;
  bytesNew = 0;

  constructor(readonly writer: RepositoryWriter) {
    this.#sealing = new Semaphore(LIMITS.framesPerWorkerMax * writer.pool.size);
  }

  /**
   * Call {@linkcode finish} after the last one, and also after one that failed.
   *
   * @param last How its file was cut before
   * @param onProgress Gets the bytes read so far
   */
  async save(
    source: AsyncIterable<Uint8Array>,
    plan: FilePlan,
    last: ChunkerRecord | undefined,
    onProgress: (sizeBytes: number) => void,
  ): Promise<SavedStream> {
    const { keys, config } = this.writer.repository;
    const kind: Kind = plan.style.kind === ChunkKind.plain ? "plain" : CHUNK_KIND_NAMES[ChunkKind.data];
    const chunker = chunkerOf(plan, last), before = { chunksNew: this.chunksNew, bytesNew: this.bytesNew };
    const { min, normal, max } = config.chunker;
    const cutter = new Cutter(chunker, { min, normal, max }, await this.#gear(kind));
    const identify = chunkIdentifier(keys.chunkIdKey(kind));
    const elements: ContentElement[] = [], style = { ...plan, text: JSON.stringify(plan.style) };
    const window = this.#window ??= new Uint8Array(2 * LIMITS.framePlainBytesMax);
    let filled = 0, sizeBytes = 0;
    const cut = async (isEnd: boolean) => {
      let used = 0;
      for (const [start, end] of cutter.cuts(window, 0, filled, isEnd)) {
        elements.push(toHex(await this.#chunk(identify, window.subarray(start, end), style)));
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
      onProgress(sizeBytes);
    }
    await cut(true);
    const chunksNew = this.chunksNew - before.chunksNew, bytesNew = this.bytesNew - before.bytesNew;
    if (elements.length === 0) return { sizeBytes, chunksNew, bytesNew };
    const content = await writeContentNodes(elements, this.writer.metadata.put);
    const whole: Content = kind === "plain" ? { kind, ...content } : content;
    return { sizeBytes, chunksNew, bytesNew, content: whole, chunker: elements.length > 1 ? chunker : undefined };
  }

  async #gear(kind: Kind): Promise<Uint32Array> {
    const gear = this.#gears.get(kind) ?? await deriveGear(this.writer.repository.keys.chunkerKey(kind));
    this.#gears.set(kind, gear);
    return gear;
  }

  async #chunk(
    identify: (chunk: Uint8Array) => Bytes,
    chunk: Uint8Array,
    { style, text }: { style: FrameStyle; text: string },
  ): Promise<Bytes> {
    const id = identify(chunk);
    if (!this.writer.dedup.claim(id)) return id;
    this.writer.growIfNeeded();
    this.chunksNew++;
    this.bytesNew += chunk.length;
    if (this.#frame?.style !== text || !this.#frame.builder.hasRoom(chunk.length)) await this.#seal();
    this.#frame ??= { builder: new FrameBuilder(style, new Uint8Array(LIMITS.framePlainBytesMax)), style: text };
    this.#frame.builder.append(id, chunk);
    return id;
  }

  async #seal(): Promise<void> {
    const frame = this.#frame?.builder;
    this.#frame = undefined;
    if (frame === undefined) return;
    const release = await this.#sealing.acquire();
    if (this.#failure !== undefined) throw this.#failure;
    this.writer.pool.sealFrame(frame.finish())
      .catch((error) => this.#failure ??= error)
      .finally(release);
  }

  async finish(): Promise<void> {
    await this.#seal();
    (await this.#sealing.acquire(undefined, LIMITS.framesPerWorkerMax * this.writer.pool.size))();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** By rule, else as the last run did: the size, by which blocks are chosen, is not known. */
function chunkerOf({ chunkerRule: rule }: FilePlan, last: ChunkerRecord | undefined): ChunkerRecord {
  if (rule?.algorithm === "fixed-1") {
    return { algorithm: "fixed-1", block_bytes: rule.block_bytes ?? fixedBlockBytes(0, last?.block_bytes) };
  }
  if (rule === undefined && isChunker(last)) return last;
  return { algorithm: "fastcdc-1" };
}
