/**
 * A frame: one or more chunks compressed and sealed together.
 *
 * ```text
 * AAD   format u16 = 1 | suite u16 = 1 | epoch u32 | repository id 16 | salt 32 | kind u8 | codec u8 | cipher u8 | 0 u8 |
 *       frame number u32 | plain length u32 | stored length u32                                             72 bytes, little-endian
 * ```
 *
 * `codec` and `cipher` are places in the dictionary of the pack. The AAD binds a frame to its pack, its place and its kind,
 * so neither swapped frames nor file content made to look like a tree can be opened.
 */
import { type Bytes, free, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { ChunkKind } from "../model/chunk.ts";
import type { Cipher, Codec } from "./codec.ts";

const AAD_BYTES = 72;

/** Where a frame belongs: what its seal binds, and the key of its pack, kind and cipher. */
export interface FramePlace {
  epoch: number;
  repositoryId: Bytes;
  salt: Bytes;
  kind: ChunkKind;
  codec: number;
  cipher: number;
  frame: number;
  key: Bytes;
}

export function frameAad(place: FramePlace, plainBytes: number, storedBytes: number): Bytes {
  const aad = new Uint8Array(AAD_BYTES);
  const view = viewOf(aad);
  view.setUint16(0, 1, true);
  view.setUint16(2, 1, true);
  view.setUint32(4, place.epoch, true);
  aad.set(place.repositoryId, 8);
  aad.set(place.salt, 24);
  aad.set([place.kind, place.codec, place.cipher, 0], 56);
  view.setUint32(60, place.frame, true);
  view.setUint32(64, plainBytes, true);
  view.setUint32(68, storedBytes, true);
  return aad;
}

/** @param encoded What the codec made of `plainBytes` bytes */
export function sealFrame(cipher: Cipher, place: FramePlace, plainBytes: number, encoded: Bytes): Promise<Bytes> {
  const storedBytes = encoded.length + cipher.overheadBytes(encoded.length);
  return cipher.seal(place.key, frameAad(place, plainBytes, storedBytes), encoded);
}

/** Opens and decodes; throws `data_damaged`, and `limit_exceeded` before memory is taken. */
export async function openFrame(
  codec: Codec,
  cipher: Cipher,
  place: FramePlace,
  plainBytes: number,
  sealed: Bytes,
): Promise<Bytes> {
  if (plainBytes > LIMITS.framePlainBytesMax) {
    throw new AxiomError("limit_exceeded", `Cannot read frame ${place.frame}: it claims ${plainBytes} bytes`);
  }
  const encoded = await cipher.open(place.key, frameAad(place, plainBytes, sealed.length), sealed);
  const plain = await codec.decode(encoded, plainBytes);
  if (plain.buffer !== encoded.buffer && encoded.buffer !== sealed.buffer) free(encoded);
  return plain;
}
