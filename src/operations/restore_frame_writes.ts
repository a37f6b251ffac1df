import { equalBytes, fromHex } from "../base/bytes.ts";
import type { FrameWrite, LoadFrame } from "../stages/worker_protocol.ts";
import type { RestoreFile } from "./restore_file.ts";
import type { FrameUse } from "./restore_plan.ts";

export type Uses = FrameUse<RestoreFile>[];

/** What one frame holds of which files. */
export class FrameWrites {
  /** Of each file the number of a chunk in the frame, and where in the file it goes, in turn. */
  readonly #parts = new Map<RestoreFile, number[]>();
  /** Files of which the frame lacks a chunk that the index says it holds. */
  readonly #without = new Set<RestoreFile>();

  constructor(frame: LoadFrame, uses: Uses) {
    const numbers = numbersByOffset(frame.lengths);
    for (const { owner, chunk } of uses) {
      const number = numbers.get(chunk.frameOffset);
      const holds = number !== undefined && frame.lengths[number] === chunk.length &&
        equalBytes(frame.ids.subarray(32 * number, 32 * number + 32), fromHex(chunk.id));
      if (!holds) this.#without.add(owner);
      const parts = this.#parts.get(owner);
      if (parts === undefined) this.#parts.set(owner, [number ?? -1, chunk.offset]);
      else parts.push(number ?? -1, chunk.offset);
    }
  }

  get files(): ReadonlySet<RestoreFile> {
    return new Set(this.#parts.keys());
  }

  chunksOf(file: RestoreFile): number {
    return this.#parts.get(file)!.length / 2;
  }

  messages(): FrameWrite[] {
    const writes: FrameWrite[] = [];
    for (const [file, parts] of this.#parts) {
      if (file.failed || this.#without.has(file)) continue;
      const { number, writePath: path, layout: { sizeBytes }, metadata } = file;
      if (file.whole) writes.push({ file: number, path, parts, whole: { sizeBytes, metadata } });
      else writes.push({ file: number, path, parts });
    }
    return writes;
  }

  /** Files that lack something if these chunks of the frame are bad; nothing of them was written from it. */
  filesWithout(badChunks: readonly number[]): ReadonlySet<RestoreFile> {
    if (badChunks.length === 0) return this.#without;
    const bad = new Set(badChunks), found = new Set(this.#without);
    for (const [file, parts] of this.#parts) {
      if (parts.some((part, i) => i % 2 === 0 && bad.has(part))) found.add(file);
    }
    return found;
  }
}

function numbersByOffset(lengths: Uint32Array): Map<number, number> {
  const numbers = new Map<number, number>();
  let offset = 0;
  for (let number = 0; number < lengths.length; number++) {
    numbers.set(offset, number);
    offset += lengths[number];
  }
  return numbers;
}
