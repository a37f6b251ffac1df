import type { Bytes } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { PACK_WORD } from "../model/index_entries.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { INDEX_ENTRY_BYTES, INDEX_HEADER_BYTES, INDEX_NAME_BYTES, INDEX_PACK_BYTES } from "../model/index_object.ts";
import type { ChunkIndex, PackNames } from "./chunk_index.ts";
import type { EntryRun } from "./entry_run.ts";

export interface SplitOptions {
  /** Names of the index objects that the result replaces, in hexadecimal. */
  supersedes?: readonly string[];
  /** Leaves out all other packs and their chunks. */
  allowed?: PackNames;
  /** Most bytes per object. */
  bytesMax?: number;
}

/**
 * Writes the whole index as few objects, each for a range of the id space: halves of halves, down to what fits, so that
 * ranges keep their borders from one compaction to the next.
 *
 * They must be put in this order: the last one supersedes, and before it is there the old objects count.
 */
export function* splitIndex(index: ChunkIndex, options: SplitOptions = {}): Generator<Bytes> {
  const supersedes = options.supersedes ?? [];
  const bytesMax = options.bytesMax ?? LIMITS.indexPartitionBytesMax;
  const splitter = new Splitter(index, options.allowed, bytesMax);
  let last: IndexBuilder | undefined;
  for (const range of splitter.ranges()) {
    if (last !== undefined) yield last.encode();
    last = splitter.build(range);
  }
  const idle = splitter.packsWithoutChunks();
  const restBytes = INDEX_PACK_BYTES * idle.length + INDEX_NAME_BYTES * supersedes.length;
  if (last !== undefined && last.byteLength() + restBytes > bytesMax) {
    yield last.encode();
    last = undefined;
  }
  if (last === undefined && restBytes === 0) return;
  last ??= new IndexBuilder();
  for (const pack of idle) last.addPack(index.packs()[pack]);
  yield last.encode(supersedes);
}

interface Range {
  from: number;
  to: number;
}

class Splitter {
  readonly #run: EntryRun;
  readonly #mask: Uint8Array;
  /** By pack number: where it was last counted or numbered. */
  readonly #stamps: Float64Array;
  readonly #used: Uint8Array;
  #stamp = 0;

  constructor(readonly index: ChunkIndex, allowed: PackNames | undefined, readonly bytesMax: number) {
    this.#run = index.sorted();
    this.#mask = index.packMask(allowed);
    this.#stamps = new Float64Array(this.#mask.length);
    this.#used = new Uint8Array(this.#mask.length);
  }

  ranges(): Generator<Range> {
    return this.#halve({ from: 0, to: this.#run.count }, 0, 0);
  }

  /** @param firstWord Least first word of the prefixes in `range`, of which `depth` bits are fixed */
  *#halve(range: Range, firstWord: number, depth: number): Generator<Range> {
    const bytes = this.#byteLength(range);
    if (bytes === 0) return;
    if (bytes <= this.bytesMax) {
      yield range;
      return;
    }
    if (range.to - range.from === 1) throw new RangeError(`No index entry fits in ${this.bytesMax} bytes`);
    const half = depth < 32 ? 2 ** (31 - depth) : 0;
    const middle = half > 0
      ? this.#run.lowerBound(Uint32Array.of(firstWord + half, 0, 0, 0))
      : Math.floor((range.from + range.to) / 2);
    yield* this.#halve({ from: range.from, to: middle }, firstWord, depth + 1);
    yield* this.#halve({ from: middle, to: range.to }, firstWord + half, depth + 1);
  }

  build(range: Range): IndexBuilder {
    const builder = new IndexBuilder();
    const numbers = new Map<number, number>();
    for (let i = range.from; i < range.to; i++) {
      const block = this.#run.block(i);
      const at = this.#run.at(i);
      const pack = block[at + PACK_WORD];
      if (this.#mask[pack] === 0) continue;
      let number = numbers.get(pack);
      if (number === undefined) {
        number = builder.addPack(this.index.packs()[pack]);
        numbers.set(pack, number);
        this.#used[pack] = 1;
      }
      builder.addWords(block, at, number);
    }
    return builder;
  }

  /** Numbers of allowed packs that no range held; to be asked after the last one was built. */
  packsWithoutChunks(): number[] {
    return [...this.#mask.keys()].filter((pack) => this.#mask[pack] === 1 && this.#used[pack] === 0);
  }

  /** Of an object that holds `range`; 0 if none is needed. */
  #byteLength(range: Range): number {
    const stamp = ++this.#stamp;
    let entryCount = 0;
    let packCount = 0;
    for (let i = range.from; i < range.to; i++) {
      const pack = this.#run.block(i)[this.#run.at(i) + PACK_WORD];
      if (this.#mask[pack] === 0) continue;
      entryCount++;
      if (this.#stamps[pack] !== stamp) {
        this.#stamps[pack] = stamp;
        packCount++;
      }
    }
    return entryCount === 0 ? 0 : INDEX_HEADER_BYTES + packCount * INDEX_PACK_BYTES + entryCount * INDEX_ENTRY_BYTES;
  }
}
