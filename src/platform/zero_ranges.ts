import { type Bytes, KIB } from "../base/bytes.ts";

const ZEROS: Bytes = new Uint8Array(new ArrayBuffer(256 * KIB));

/** What to write so that `[offset, offset + length)` of a file of `sizeBytes` reads as zeros, without extending it. */
export function* zeroRanges(offset: number, length: number, sizeBytes: number): Generator<{ data: Bytes; at: number }> {
  const end = Math.min(offset + length, sizeBytes);
  for (let at = offset; at < end; at += ZEROS.length) {
    yield { data: ZEROS.subarray(0, Math.min(ZEROS.length, end - at)), at };
  }
}
