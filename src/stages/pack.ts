/** The end of a pack: padding, sealed table and trailer, and the way back from a pack's last bytes to its table. */
import { type Bytes, concat, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { padme } from "../base/padme.ts";
import type { Random } from "../base/random.ts";
import {
  decodePackTable,
  decodeTrailer,
  encodePackTable,
  encodeTrailer,
  PACK_BYTES_MIN,
  type PackTable,
  packTableBytes,
  type PackTrailer,
  TABLE_BYTES_MIN,
  TRAILER_BYTES,
} from "../model/pack_table.ts";
import type { StoredTable } from "../model/stored_frame.ts";
import type { Cipher } from "./codec.ts";

/** AAD of a sealed table: the trailer, then the repository id. */
function tableAad(trailer: Bytes, repositoryId: Bytes): Bytes {
  return concat([trailer, repositoryId]);
}

/**
 * What follows the frames of a pack: random bytes up to a Padmé length of the whole, the sealed table, the trailer.
 *
 * @param frameBytes Length of the frames before it
 * @param key Key of this pack's table
 */
export async function sealPackEnd(
  table: PackTable,
  frameBytes: number,
  pack: { epoch: number; salt: Bytes; repositoryId: Bytes },
  key: Bytes,
  cipher: Cipher,
  random: Random,
): Promise<{ end: Bytes; tableBytes: number }> {
  const payload = encodePackTable(table);
  const plain = new Uint8Array(padme(4 + payload.length, TABLE_BYTES_MIN));
  viewOf(plain).setUint32(0, payload.length, true);
  plain.set(payload, 4);
  const tableBytes = plain.length + cipher.overheadBytes(plain.length);
  const trailer = encodeTrailer({ epoch: pack.epoch, salt: pack.salt, tableBytes });
  const sealed = await cipher.seal(key, tableAad(trailer, pack.repositoryId), plain);
  const used = frameBytes + tableBytes + TRAILER_BYTES;
  const padding = random(padme(used, PACK_BYTES_MIN) - used);
  return { end: concat([padding, sealed, trailer]), tableBytes };
}

/** Of the few built-in codecs and ciphers; an estimate is enough to choose where to end a pack. */
const DICTIONARY_BYTES = 150;

/** About how many random bytes a pack would get that ended now. */
export function paddingBytes(
  frameBytes: number,
  frameCount: number,
  chunkCount: number,
  overheadBytes: number,
): number {
  const tableBytes = padme(4 + packTableBytes(DICTIONARY_BYTES, frameCount, chunkCount), TABLE_BYTES_MIN);
  const used = frameBytes + tableBytes + overheadBytes + TRAILER_BYTES;
  return padme(used, PACK_BYTES_MIN) - used;
}

/** @param trailerBytes The last 64 bytes of a pack of `packBytes` bytes */
export function openTrailer(trailerBytes: Bytes, packBytes: number, where: string): PackTrailer {
  const trailer = decodeTrailer(trailerBytes, where);
  if (trailer.tableBytes + TRAILER_BYTES > packBytes) {
    throw new AxiomError("data_damaged", `Cannot read the pack ${where}: its table is longer than the pack`);
  }
  return trailer;
}

/** @param sealed The `trailer.tableBytes` bytes before the trailer */
export async function openPackTable(
  sealed: Bytes,
  trailer: PackTrailer,
  packBytes: number,
  repositoryId: Bytes,
  key: Bytes,
  cipher: Cipher,
  where: string,
): Promise<StoredTable> {
  const plain = await cipher.open(key, tableAad(encodeTrailer(trailer), repositoryId), sealed);
  const length = plain.length < 4 ? Infinity : viewOf(plain).getUint32(0, true);
  if (
    length > Math.min(plain.length - 4, LIMITS.packTableBytesMax) ||
    plain.subarray(4 + length).some((byte) => byte !== 0)
  ) {
    throw new AxiomError("data_damaged", `Cannot read the table of pack ${where}: its length is ${length}`);
  }
  return decodePackTable(plain.subarray(4, 4 + length), packBytes - TRAILER_BYTES - trailer.tableBytes, where);
}
