import { createHash, type Hash } from "node:crypto";
import { type Bytes, free } from "../base/bytes.ts";
import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { PackRecord } from "../model/index_object.ts";
import { packKey } from "../model/object_keys.ts";
import type { PackFrame } from "../model/pack_table.ts";
import type { StoredTable } from "../model/stored_frame.ts";
import type { Repository } from "../repository/repository.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { LoadResult } from "../stages/worker_protocol.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { isObjectFault } from "./damage.ts";

/** What reading every byte of a pack has shown. */
export interface PackReading {
  /** False if the stored bytes are not what the pack's name says. */
  named: boolean;
  /** By frame: why none of it can be used, or the numbers of the chunks whose bytes are not what their ids say. */
  badFrames: Map<number, { reason: string; chunks: number[] | "all" }>;
}

/** Frames that are read ahead per worker: one being decoded, two waiting. */
const FRAMES_PER_WORKER = 3;

/** Reads packs and has all workers open, decode and identify what is in them. Memory: some ranges and frames. */
export class PackVerifier {
  readonly #slots: Semaphore;

  constructor(
    readonly repository: Repository,
    readonly pool: WorkerPool,
    readonly onBytes: (bytes: number) => void,
    readonly signal?: AbortSignal,
  ) {
    this.#slots = new Semaphore(FRAMES_PER_WORKER * pool.size);
  }

  /**
   * Reads every byte of a pack. Throws what the store throws, also `object_missing`; damage is part of the result.
   *
   * @param sizeBytes As listed; what lies beyond the index's own size is only hashed
   */
  async readAll(pack: PackRecord, table: StoredTable, sizeBytes: number): Promise<PackReading> {
    const hash = createHash("sha256");
    const reading = await this.#read(pack, table, wholeSegments(table.frames, sizeBytes), hash);
    reading.named = hash.digest("hex") === pack.name;
    return reading;
  }

  /** Reads some frames only; `named` is true. */
  readFrames(pack: PackRecord, table: StoredTable, numbers: Iterable<number>): Promise<PackReading> {
    return this.#read(pack, table, [...numbers].map((number) => frameSegment(table, number)));
  }

  async #read(pack: PackRecord, table: StoredTable, segments: Iterable<Segment>, hash?: Hash): Promise<PackReading> {
    const all = [...segments];
    await this.repository.packs.demandDecoders(table, all.flatMap(({ frames }) => frames), this.signal);
    const reading: PackReading = { named: true, badFrames: new Map() };
    const running = new Set<Promise<void>>();
    let failure: { error: unknown } | undefined;
    for await (const { segment, data } of this.#segments(pack, table, all, reading)) {
      hash?.update(data);
      this.onBytes(data.length);
      for (const number of segment.frames) {
        const frame = table.frames[number];
        if (isEmpty(frame)) continue;
        const release = await this.#slots.acquire(this.signal);
        const from = frame.offset - segment.offset;
        const sealed = data.slice(from, from + frame.storedBytes);
        const job: Promise<void> = this.#verify(pack, table, number, sealed, reading)
          .catch((error) => void (failure ??= { error }))
          .finally(() => {
            release();
            running.delete(job);
          });
        running.add(job);
      }
      free(data);
      if (failure !== undefined) break;
    }
    await Promise.all(running);
    if (failure !== undefined) throw failure.error;
    return reading;
  }

  /** What can be read of `segments`; where one fails its frames are tried one by one. */
  async *#segments(
    pack: PackRecord,
    table: StoredTable,
    segments: Iterable<Segment>,
    reading: PackReading,
  ): AsyncGenerator<{ segment: Segment; data: Bytes }> {
    for (const segment of segments) {
      const { offset, length, frames } = segment;
      let data: Bytes;
      try {
        data = length === 0
          ? new Uint8Array()
          : await this.repository.store.get(packKey(pack.name), { offset, length }, this.signal);
      } catch (error) {
        if (!await isObjectFault(this.repository, error, this.signal)) throw error;
        if (frames.length === 1) reading.badFrames.set(frames[0], { reason: messageOf(error), chunks: "all" });
        else yield* this.#segments(pack, table, frames.map((number) => frameSegment(table, number)), reading);
        continue;
      }
      yield { segment, data };
    }
  }

  async #verify(
    pack: PackRecord,
    table: StoredTable,
    number: number,
    sealed: Bytes,
    reading: PackReading,
  ): Promise<void> {
    let result: LoadResult;
    try {
      const frame = this.repository.packs.loadFrame(pack, table, number, sealed);
      result = await this.pool.load(frame, { type: "verify" });
    } catch (error) {
      // A codec or cipher that is not loaded.
      if (!isKind(error, "repository_unsupported")) throw error;
      reading.badFrames.set(number, { reason: error.message, chunks: "all" });
      return;
    }
    const { fault, badChunks } = result;
    if (fault?.kind === "plugin_failed") throw new AxiomError(fault.kind, fault.message, { hint: fault.hint });
    if (fault !== undefined) reading.badFrames.set(number, { reason: fault.message, chunks: "all" });
    else if (badChunks.length > 0) {
      const reason = `${badChunks.length} of its chunks hold other bytes than their ids say`;
      reading.badFrames.set(number, { reason, chunks: badChunks });
    }
  }
}

/** The place of a frame that never arrived, in a pack whose backup was interrupted. */
export function isEmpty(frame: PackFrame): boolean {
  return frame.storedBytes === 0 && frame.plainBytes === 0 && frame.chunks.length === 0;
}

export interface Segment {
  offset: number;
  length: number;
  /** Numbers of the frames that lie in it. */
  frames: number[];
}

function frameSegment(table: StoredTable, number: number): Segment {
  const { offset, storedBytes } = table.frames[number];
  return { offset, length: storedBytes, frames: [number] };
}

/** Every byte of a pack once, in order, in few requests; no frame is cut. */
export function* wholeSegments(frames: readonly PackFrame[], sizeBytes: number): Generator<Segment> {
  const order = frames.map((_, number) => number).sort((a, b) => frames[a].offset - frames[b].offset);
  let segment: Segment = { offset: 0, length: 0, frames: [] };
  for (const number of order) {
    const { offset, storedBytes } = frames[number];
    const end = offset + storedBytes;
    if (segment.length > 0 && end - segment.offset > LIMITS.rangeBytesMax) {
      yield* pieces(segment, offset);
      segment = { offset, length: 0, frames: [] };
    }
    segment.length = Math.max(segment.length, end - segment.offset); // one of no bytes may begin where the last did
    segment.frames.push(number);
  }
  yield* pieces(segment, sizeBytes);
}

/** A segment, and what lies between its end and `to`. */
function* pieces(segment: Segment, to: number): Generator<Segment> {
  if (segment.length > 0 || segment.frames.length > 0) yield segment;
  for (let offset = segment.offset + segment.length; offset < to; offset += LIMITS.rangeBytesMax) {
    yield { offset, length: Math.min(LIMITS.rangeBytesMax, to - offset), frames: [] };
  }
}
