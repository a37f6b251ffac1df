/**
 * Cuts content into chunks, and joins them again.
 *
 * `fastcdc-1`: a position is where a chunk could end. With `G` the gear table and `b` the bytes of the file,
 *
 * ```text
 * H(p) = G[b(p-1)] + 2 G[b(p-2)] + … + 2^31 G[b(p-32)]   mod 2^32
 * ```
 *
 * and a chunk that starts at `s` ends at the first `p` of
 *
 * ```text
 * s + min    ≤ p < s + normal   whose H(p) begins with log2(normal) + 2 zero bits, rounded down
 * s + normal ≤ p < s + max      whose H(p) begins with log2(normal) - 2 zero bits, rounded down
 * p = s + max, or the end of the input
 * ```
 *
 * This is the gear hash with normalized chunking of Xia et al., "FastCDC", USENIX ATC 2016, in 32 bits because that is
 * the width of JavaScript's bit operators. H(p) depends on the 32 bytes before `p` and on nothing else, so it does not
 * matter where a scan began. `fixed-1`: blocks of `block_bytes`, the last one shorter. An empty file has no chunk.
 */
import type { Bytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { ChunkerRecord } from "../model/entry.ts";
import { isFixedBlockBytes } from "./fixed_blocks.ts";
import { GEAR_WINDOW_BYTES } from "./gear.ts";

/** Bytes; `64 ≤ min ≤ normal ≤ max ≤ LIMITS.framePlainBytesMax`. */
export interface ChunkBounds {
  readonly min: number;
  readonly normal: number;
  readonly max: number;
}

/**
 * End of the content-defined chunk of `data[start, end)` that begins at `start`: `end` if no more than `bounds.min` bytes
 * are left, else in `[start + bounds.min, start + bounds.max]`.
 *
 * @param gear From `deriveGear`
 */
export function cutPoint(data: Uint8Array, start: number, end: number, bounds: ChunkBounds, gear: Uint32Array): number {
  const cut = findCut(data, start, start, end, bounds, gear);
  return cut < 0 ? end : cut;
}

/** Like {@linkcode cutPoint}, knowing that no chunk ends in `(start, seen]`; -1 if none ends in `(seen, end]` either. */
function findCut(
  data: Uint8Array,
  start: number,
  seen: number,
  end: number,
  bounds: ChunkBounds,
  gear: Uint32Array,
): number {
  const bits = Math.floor(Math.log2(bounds.normal));
  const normalAt = Math.min(start + bounds.normal - 1, end);
  const maxAt = Math.min(start + bounds.max - 1, end);
  const from = Math.max(start + bounds.min - 1, seen);
  let cut = from < normalAt ? scan(data, from, normalAt, -1 << (30 - bits), gear) : -1;
  if (cut < 0 && maxAt > normalAt) cut = scan(data, Math.max(from, normalAt), maxAt, -1 << (34 - bits), gear);
  return cut < 0 && end - start >= bounds.max ? start + bounds.max : cut;
}

/**
 * The first `p` in `(from, to]` with `H(p) & mask = 0`, or -1. Eight positions are hashed before any is tested, and the
 * one that hit is looked for afterwards: 1.5 times as fast in V8 as a test after each. 31 bytes before `from` are read.
 */
function scan(data: Uint8Array, from: number, to: number, mask: number, gear: Uint32Array): number {
  let hash = warmUp(data, from, gear);
  let i = from;
  for (const last = to - 7; i < last; i += 8) {
    const h1 = ((hash << 1) + gear[data[i]]) | 0;
    const h2 = ((h1 << 1) + gear[data[i + 1]]) | 0;
    const h3 = ((h2 << 1) + gear[data[i + 2]]) | 0;
    const h4 = ((h3 << 1) + gear[data[i + 3]]) | 0;
    const h5 = ((h4 << 1) + gear[data[i + 4]]) | 0;
    const h6 = ((h5 << 1) + gear[data[i + 5]]) | 0;
    const h7 = ((h6 << 1) + gear[data[i + 6]]) | 0;
    const h8 = ((h7 << 1) + gear[data[i + 7]]) | 0;
    if (
      (h1 & mask) === 0 || (h2 & mask) === 0 || (h3 & mask) === 0 || (h4 & mask) === 0 ||
      (h5 & mask) === 0 || (h6 & mask) === 0 || (h7 & mask) === 0 || (h8 & mask) === 0
    ) break;
    hash = h8;
  }
  for (; i < to; i++) {
    hash = ((hash << 1) + gear[data[i]]) | 0;
    if ((hash & mask) === 0) return i + 1;
  }
  return -1;
}

function warmUp(data: Uint8Array, from: number, gear: Uint32Array): number {
  let hash = 0;
  for (let i = from - GEAR_WINDOW_BYTES + 1; i < from; i++) hash = ((hash << 1) + gear[data[i]]) | 0;
  return hash;
}

/** Whether this version can cut as `value` says: a tree of a later version may name what it cannot. */
export function isChunker(value: ChunkerRecord | undefined): value is ChunkerRecord {
  if (value?.algorithm === "fixed-1") return isFixedBlockBytes(value.block_bytes);
  return value?.algorithm === "fastcdc-1" && value.block_bytes === undefined;
}

/**
 * Cuts one file, or one region of it, while it streams through a buffer.
 *
 * The caller reads into a buffer, takes chunks from its front, moves what is left to the front when the buffer is full and
 * reads on; the bytes of an unfinished chunk stay in the buffer but are not scanned again.
 */
export class Cutter {
  /** No chunk is longer: a buffer of this length or more always comes to a cut. */
  readonly chunkBytesMax: number;
  readonly #blockBytes: number;
  readonly #bounds: ChunkBounds;
  readonly #gear: Uint32Array;
  #seenBytes = 0;

  /** @param gear Of the data or the plain chunker key; throws `RangeError` if {@linkcode isChunker} says no */
  constructor(chunker: ChunkerRecord, bounds: ChunkBounds, gear: Uint32Array) {
    if (!isChunker(chunker)) throw new RangeError(`Cannot cut as ${JSON.stringify(chunker)}`);
    this.#blockBytes = chunker.algorithm === "fixed-1" ? chunker.block_bytes! : 0;
    this.#bounds = bounds;
    this.#gear = gear;
    this.chunkBytesMax = this.#blockBytes || bounds.max;
  }

  /**
   * End of the chunk that begins at `start`, or -1 if `data[start, end)` does not reach it and is not all. Then the same
   * bytes come again, followed by more; they may have moved, and nothing before `start` is needed.
   *
   * @param last Whether the input ends at `end`
   */
  next(data: Uint8Array, start: number, end: number, last: boolean): number {
    if (start >= end) return -1;
    const cut = this.#blockBytes > 0
      ? (end - start >= this.#blockBytes ? start + this.#blockBytes : -1)
      : findCut(data, start, start + this.#seenBytes, end, this.#bounds, this.#gear);
    if (cut < 0 && !last) {
      this.#seenBytes = end - start;
      return -1;
    }
    this.#seenBytes = 0;
    return cut < 0 ? end : cut;
  }

  /** All chunks of `data[start, end)` that are complete, as offsets; what lies behind the last one comes again. */
  *cuts(data: Uint8Array, start: number, end: number, last: boolean): Generator<[start: number, end: number]> {
    for (let cut = this.next(data, start, end, last); cut >= 0; cut = this.next(data, start, end, last)) {
      yield [start, cut];
      start = cut;
    }
  }
}

/** Inverse of cutting. Throws `data_damaged`, before memory is taken, unless the chunks add up to `lengthBytes`. */
export function join(chunks: readonly Uint8Array[], lengthBytes: number): Bytes {
  const sum = chunks.reduce((total, chunk) => total + chunk.length, 0);
  if (sum !== lengthBytes) {
    throw new AxiomError("data_damaged", `Cannot join ${chunks.length} chunks: ${sum} bytes instead of ${lengthBytes}`);
  }
  const whole = new Uint8Array(sum);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
