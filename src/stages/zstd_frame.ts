/**
 * The outside of a Zstandard frame (RFC 8878, section 3.1.1), read without decoding anything, so that a frame which lies
 * about its length is refused before memory is taken.
 *
 * ```text
 * magic 28 b5 2f fd | descriptor u8 | window u8 unless single segment | content size 1, 2, 4 or 8 | block … | checksum 4 if flagged
 * block   header u24: bit 0 last, bits 1-2 type (0 raw, 1 one byte repeated, 2 compressed), size | content
 * ```
 *
 * The format `zstd-1` is exactly one such frame, with its content size and without a dictionary.
 */
import { type Bytes, viewOf } from "../base/bytes.ts";

const MAGIC = 0xfd2fb528;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];

/** Why `stored` is not one whole frame of `plainLength` bytes, or `undefined` if it is. */
export function zstdFrameFault(stored: Bytes, plainLength: number): string | undefined {
  const view = viewOf(stored);
  if (stored.length < 6 || view.getUint32(0, true) !== MAGIC) return "it is not a Zstandard frame";
  const descriptor = stored[4];
  if ((descriptor & 0b1000) !== 0) return "its header has a reserved bit set";
  if ((descriptor & 0b11) !== 0) return "it wants a dictionary";
  const isSingleSegment = (descriptor & 0b100000) !== 0;
  const sizeBytes = CONTENT_SIZE_BYTES[descriptor >> 6] || (isSingleSegment ? 1 : 0);
  const sizeAt = isSingleSegment ? 5 : 6;
  if (sizeBytes === 0) return "its header does not say how long it is";
  const blocksAt = sizeAt + sizeBytes;
  if (stored.length < blocksAt) return "it is cut short";
  const claimed = contentSize(view, sizeAt, sizeBytes);
  if (claimed !== plainLength) return `it claims to hold ${claimed} bytes instead of ${plainLength}`;
  const blocksEnd = endOfBlocks(stored, blocksAt);
  if (blocksEnd === undefined) return "its blocks are cut short";
  const end = blocksEnd + ((descriptor & 0b100) === 0 ? 0 : 4);
  if (end !== stored.length) return `it ends at byte ${end} of ${stored.length}`;
  return undefined;
}

function contentSize(view: DataView, at: number, bytes: number): number {
  switch (bytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

function endOfBlocks(stored: Bytes, from: number): number | undefined {
  for (let at = from; at + 3 <= stored.length;) {
    const header = stored[at] | (stored[at + 1] << 8) | (stored[at + 2] << 16);
    const type = (header >> 1) & 0b11;
    if (type === 3) return undefined;
    at += 3 + (type === 1 ? 1 : header >> 3);
    if (at > stored.length) return undefined;
    if ((header & 1) !== 0) return at;
  }
  return undefined;
}
