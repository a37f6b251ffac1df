import { type Bytes, equalBytes, toHex } from "../base/bytes.ts";
import { AxiomError, DAMAGE_HINTS } from "../base/errors.ts";
import { HmacKey } from "./hmac.ts";

/** HMAC-SHA-256 of a chunk under the id key of its kind: 32 bytes that nobody without the key can compute. */
export type ChunkIdentifier = (chunk: Uint8Array) => Bytes;

/** Make one per key and keep it: the key is taken in once. */
export function chunkIdentifier(key: Bytes): ChunkIdentifier {
  const hmac = new HmacKey(key);
  return (chunk) => hmac.digest(chunk);
}

/** Throws `data_damaged` unless `chunk` is what `expectedId` was computed from. */
export function verifyChunk(identify: ChunkIdentifier, expectedId: Uint8Array, chunk: Uint8Array): void {
  const id = identify(chunk);
  if (equalBytes(id, expectedId)) return;
  throw new AxiomError(
    "data_damaged",
    `Cannot trust the chunk ${toHex(expectedId)}: its ${chunk.length} bytes have the id ${toHex(id)}`,
    { hint: DAMAGE_HINTS.content },
  );
}
