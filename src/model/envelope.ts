/**
 * Sealed form of every object that is neither a pack nor readable without a key. Little-endian.
 *
 * ```text
 *  0  magic "AXEN"        4
 *  4  type                1   OBJECT_TYPES
 *  5  suite               1   1: HKDF-SHA-256, AES-256-GCM
 *  6  epoch             u32   of the root key; for a keyring the generation of the master
 * 10  salt               32   random, of the key
 * 42  nonce              12   random
 * 54  ciphertext          n
 *     tag                16
 *
 * AAD         the 54 bytes above | full object key, UTF-8
 * plain text  payload length u32 | payload | zeros
 * ```
 *
 * There is one length per payload length: Padmé of the whole object, at least 4 KiB. Whoever opens checks it, and the zeros.
 */
import { type Bytes, concat, KIB, utf8, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { padme } from "../base/padme.ts";

/** Numbers are stored and never change. Configs have a number but no envelope: `repository_config.ts`. */
export const OBJECT_TYPES = {
  config: 1,
  keyring: 2,
  index: 3,
  snapshot: 4,
  marker: 5,
  session: 6,
  heartbeat: 7,
  condemned: 8,
  ledger: 9,
  audit: 10,
} as const;

/** Types that a root key seals. */
export type SealedType = Exclude<keyof typeof OBJECT_TYPES, "config" | "keyring">;
export type EnvelopeType = SealedType | "keyring";

const ENVELOPE_MAGIC = "AXEN";
const ENVELOPE_SUITE = 1;
export const HEADER_BYTES = 54;
export const SALT_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
const ENVELOPE_BYTES_MIN = 4 * KIB;
const LENGTH_BYTES = 4;

export interface EnvelopeHeader {
  type: EnvelopeType;
  epoch: number;
  salt: Bytes;
  nonce: Bytes;
}

export interface EnvelopeParts {
  header: EnvelopeHeader;
  aad: Bytes;
  /** Ciphertext and tag. */
  sealed: Bytes;
}

/** Length in bytes of the object that holds a payload of `payloadBytes` bytes. */
export function envelopeBytes(payloadBytes: number): number {
  return padme(HEADER_BYTES + LENGTH_BYTES + payloadBytes + TAG_BYTES, ENVELOPE_BYTES_MIN);
}

export function encodeHeader(header: EnvelopeHeader): Bytes {
  if (header.salt.length !== SALT_BYTES || header.nonce.length !== NONCE_BYTES) {
    throw new RangeError(`Not a salt and a nonce: ${header.salt.length} and ${header.nonce.length} bytes`);
  }
  const data = new Uint8Array(HEADER_BYTES);
  data.set(utf8(ENVELOPE_MAGIC));
  data[4] = OBJECT_TYPES[header.type];
  data[5] = ENVELOPE_SUITE;
  viewOf(data).setUint32(6, header.epoch, true);
  data.set(header.salt, 10);
  data.set(header.nonce, 42);
  return data;
}

export function envelopeAad(header: Uint8Array, objectKey: string): Bytes {
  return concat([header, utf8(objectKey)]);
}

/**
 * Takes an object apart; nothing in it can be trusted before `sealed` was opened under `aad`. Throws `data_damaged`, before
 * any memory is taken, unless it is an envelope of `type` of a possible length.
 */
export function decodeEnvelope(type: EnvelopeType, objectKey: string, stored: Bytes): EnvelopeParts {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot open ${objectKey}: ${why}`);
  if (stored.length < ENVELOPE_BYTES_MIN) throw refuse(`it is torn, only ${stored.length} bytes are left`);
  if (stored.length > envelopeBytes(LIMITS.objectPlainBytesMax)) {
    throw refuse(`${stored.length} bytes are more than an object can have`);
  }
  if (padme(stored.length) !== stored.length) throw refuse(`${stored.length} bytes are not a padded length`);
  if (String.fromCharCode(...stored.subarray(0, 4)) !== ENVELOPE_MAGIC) throw refuse("it is not a sealed object");
  if (stored[4] !== OBJECT_TYPES[type]) throw refuse(`it is of type ${stored[4]}, not ${OBJECT_TYPES[type]} (${type})`);
  if (stored[5] !== ENVELOPE_SUITE) throw refuse(`suite ${stored[5]} is unknown`);
  return {
    header: {
      type,
      epoch: viewOf(stored).getUint32(6, true),
      salt: stored.slice(10, 42),
      nonce: stored.slice(42, HEADER_BYTES),
    },
    aad: envelopeAad(stored.subarray(0, HEADER_BYTES), objectKey),
    sealed: stored.subarray(HEADER_BYTES),
  };
}

/** The plain text of a payload. Throws `limit_exceeded` if it is larger than a reader accepts. */
export function padPayload(payload: Uint8Array, objectKey: string): Bytes {
  if (payload.length > LIMITS.objectPlainBytesMax) {
    const limit = LIMITS.objectPlainBytesMax;
    throw new AxiomError("limit_exceeded", `Cannot seal ${objectKey}: ${payload.length} bytes are more than ${limit}`);
  }
  const plain = new Uint8Array(envelopeBytes(payload.length) - HEADER_BYTES - TAG_BYTES);
  viewOf(plain).setUint32(0, payload.length, true);
  plain.set(payload, LENGTH_BYTES);
  return plain;
}

/** Strict inverse of {@linkcode padPayload}; the result is a view of `plain`. Throws `data_damaged`. */
export function unpadPayload(plain: Bytes, objectKey: string): Bytes {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot open ${objectKey}: ${why}`);
  if (plain.length < LENGTH_BYTES) throw refuse("it has no length");
  const length = viewOf(plain).getUint32(0, true);
  if (length > plain.length - LENGTH_BYTES) throw refuse(`it claims ${length} bytes and has ${plain.length}`);
  if (envelopeBytes(length) !== HEADER_BYTES + plain.length + TAG_BYTES) {
    throw refuse(`${length} bytes are not padded to ${plain.length}`);
  }
  if (plain.subarray(LENGTH_BYTES + length).some((byte) => byte !== 0)) throw refuse("its padding is not zero");
  return plain.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
}
