import { type Bytes, utf8, viewOf } from "../base/bytes.ts";

/** Bytes that the hash of one position covers: each byte is shifted out of 32 bits after 32 steps. */
export const GEAR_WINDOW_BYTES = 32;
const CHUNKER_KEY_BYTES = 32;
const WORDS = 256;

/**
 * The table of a chunker: 256 words, one per byte value, fixed for the life of a repository.
 *
 * Word `b` is the little-endian u32 at offset `4 b` of HKDF-SHA-256 (RFC 5869) with `key` as input keying material, no
 * salt, info `axiom/1/gear` and 1,024 bytes of output. A secret table alone does not hide what was saved: sizes of chunks
 * tell it anyway (eprint 2025/532), which is why packs are padded.
 *
 * @param key 32 bytes; throws `RangeError` otherwise
 */
export async function deriveGear(key: Bytes): Promise<Uint32Array> {
  if (key.length !== CHUNKER_KEY_BYTES) throw new RangeError(`A chunker key has 32 bytes, not ${key.length}`);
  const material = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: utf8("axiom/1/gear") };
  const view = viewOf(new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, WORDS * 32)));
  return Uint32Array.from({ length: WORDS }, (_, byte) => view.getUint32(4 * byte, true));
}
