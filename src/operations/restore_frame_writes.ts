import { fromHexInto, standsAt } from "../base/bytes.ts";
import { type PackedWrites, WritePacker } from "../stages/packed_writes.ts";
import type { LoadFrame } from "../stages/worker_protocol.ts";
import type { RestoreFile } from "./restore_file.ts";
import type { FrameUse } from "./restore_plan.ts";

/** Those of one file follow each other. */
export type Uses = FrameUse<RestoreFile>[];

const NONE = -1;
const ID_BYTES = 32;
const wantedId = new Uint8Array(ID_BYTES);

/** What one frame holds of which files. */
export class FrameWrites {
  /** Of each use the number of its chunk in the frame. */
  readonly #numbers: Int32Array;
  /** Files of which the frame lacks a chunk that the index says it holds. */
  readonly #without = new Set<RestoreFile>();
  /** Those that are written, in the order of {@linkcode packed}. */
  readonly files: readonly RestoreFile[];
  /** What a worker is told; leaves out files that failed, and those of which the frame lacks a chunk. */
  readonly packed: PackedWrites;

  constructor(readonly frame: LoadFrame, readonly uses: Uses) {
    const starts = startsOf(frame.lengths);
    this.#numbers = Int32Array.from(uses, ({ chunk }) => {
      const number = numberAt(starts, chunk.frameOffset);
      return number !== NONE && frame.lengths[number] === chunk.length && hasId(frame, number, chunk.id)
        ? number
        : NONE;
    });
    uses.forEach(({ owner }, i) => {
      if (this.#numbers[i] === NONE) this.#without.add(owner);
    });
    const packer = new WritePacker<RestoreFile>();
    uses.forEach(({ owner, chunk }, i) => {
      if (!owner.failed && !this.#without.has(owner)) packer.add(owner, this.#numbers[i], chunk.offset);
    });
    this.files = packer.files;
    this.packed = packer.finish();
  }

  /** @param i Place of the file in {@linkcode files} */
  chunksOf(i: number): number {
    return this.packed.starts[i + 1] - this.packed.starts[i];
  }

  bytesOf(i: number): number {
    const { starts, chunks } = this.packed;
    let bytes = 0;
    for (let part = starts[i]; part < starts[i + 1]; part++) bytes += this.frame.lengths[chunks[part]];
    return bytes;
  }

  /** Files that lack something if these chunks of the frame are bad; nothing of them was written from it. */
  filesWithout(badChunks: readonly number[] | "all"): ReadonlySet<RestoreFile> {
    if (badChunks.length === 0) return this.#without;
    const found = new Set(this.#without);
    this.uses.forEach(({ owner }, i) => {
      if (badChunks === "all" || badChunks.includes(this.#numbers[i])) found.add(owner);
    });
    return found;
  }
}

/** Where each chunk begins in the frame. */
function startsOf(lengths: Uint32Array): Uint32Array {
  let end = 0;
  return lengths.map((length) => (end += length) - length);
}

/** Number of the last chunk that begins at `offset`: an empty one before it begins there too. */
function numberAt(starts: Uint32Array, offset: number): number {
  let low = 0, high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle] <= offset) low = middle + 1;
    else high = middle;
  }
  return low > 0 && starts[low - 1] === offset ? low - 1 : NONE;
}

function hasId({ ids }: LoadFrame, number: number, id: string): boolean {
  return standsAt(ids, ID_BYTES * number, fromHexInto(wantedId, id));
}
