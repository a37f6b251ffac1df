import { GIB, KIB } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";

const FIXED_BLOCK_BYTES_MIN = 4 * KIB; // a page of a database or of memory
const SMALL_BLOCK_BYTES = 16 * KIB;
const SMALL_FILE_BYTES = GIB;
const MEDIUM_BLOCK_BYTES = 64 * KIB;
const BLOCKS_MAX = 2 ** 20; // 32 MiB of index per file

/**
 * Length of the blocks into which a file that is rewritten in place is cut.
 *
 * 16 KiB up to 1 GiB, 32 KiB up to 2 GiB, 64 KiB up to 64 GiB, then doubling so that no file has more than 2^20 blocks; a
 * block never exceeds a frame, so beyond 4 TiB there are more. What the last run used is kept while that costs at most
 * four times as many blocks: a file that grows over a border would otherwise be stored again as a whole.
 *
 * @param recordedBlockBytes What the parent's tree records, if it was cut before
 */
export function fixedBlockBytes(fileSizeBytes: number, recordedBlockBytes?: number): number {
  let blockBytes = SMALL_BLOCK_BYTES;
  while (blockBytes < MEDIUM_BLOCK_BYTES && fileSizeBytes > blockBytes * (SMALL_FILE_BYTES / SMALL_BLOCK_BYTES)) {
    blockBytes *= 2;
  }
  while (blockBytes < LIMITS.framePlainBytesMax && fileSizeBytes > blockBytes * BLOCKS_MAX) blockBytes *= 2;
  const keep = isFixedBlockBytes(recordedBlockBytes) && recordedBlockBytes * 4 >= blockBytes;
  return keep ? recordedBlockBytes : blockBytes;
}

/** A power of two from 4 KiB to a whole frame. */
export function isFixedBlockBytes(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= FIXED_BLOCK_BYTES_MIN &&
    (value as number) <= LIMITS.framePlainBytesMax && Number.isInteger(Math.log2(value as number));
}
