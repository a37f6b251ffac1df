/** Seals and opens envelopes; the bytes are drawn in `model/envelope.ts`. */
import { type Bytes, concat, equalBytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import {
  decodeEnvelope,
  encodeHeader,
  envelopeAad,
  type EnvelopeType,
  NONCE_BYTES,
  padPayload,
  SALT_BYTES,
  type SealedType,
  unpadPayload,
} from "../model/envelope.ts";
import { gcmOpen, gcmSeal } from "./aes_gcm.ts";
import type { RepositoryKeys } from "./keys.ts";

/** Gives the key of one envelope, or undefined for an epoch that it does not know. */
export type EnvelopeKey = (epoch: number, salt: Bytes) => Bytes | undefined;

/**
 * Seals `payload` as the object `objectKey` and opens it again before anyone trusts it. Throws `limit_exceeded` for a
 * payload that no reader would accept, `data_damaged` if this machine computed wrongly.
 */
export async function sealEnvelope(
  keyOf: EnvelopeKey,
  type: EnvelopeType,
  epoch: number,
  objectKey: string,
  payload: Bytes,
  random: Random,
): Promise<Bytes> {
  const plain = padPayload(payload, objectKey);
  const salt = random(SALT_BYTES), nonce = random(NONCE_BYTES);
  const header = encodeHeader({ type, epoch, salt, nonce });
  const key = keyOf(epoch, salt);
  if (key === undefined) throw new RangeError(`No key of epoch ${epoch}`);
  const sealed = await gcmSeal(key, nonce, envelopeAad(header, objectKey), plain);
  const stored = concat([header, sealed]);
  if (!equalBytes(await openEnvelope(keyOf, type, objectKey, stored), payload)) {
    throw new AxiomError("data_damaged", `Cannot seal ${objectKey}: what was sealed opens as something else`, {
      hint: "Test this machine's memory",
    });
  }
  return stored;
}

/** Inverse of {@linkcode sealEnvelope}. Throws `data_damaged` if any bit of the object or of its key differs. */
export async function openEnvelope(
  keyOf: EnvelopeKey,
  type: EnvelopeType,
  objectKey: string,
  stored: Bytes,
): Promise<Bytes> {
  const { header, aad, sealed } = decodeEnvelope(type, objectKey, stored);
  const key = keyOf(header.epoch, header.salt);
  if (key === undefined) {
    throw new AxiomError("data_damaged", `Cannot open ${objectKey}: the key of epoch ${header.epoch} is not known`, {
      hint: "If keys were rotated meanwhile, run the command again; otherwise the object is damaged",
    });
  }
  const plain = await gcmOpen(key, header.nonce, aad, sealed);
  if (plain === undefined) {
    throw new AxiomError("data_damaged", `Cannot open ${objectKey}: it was changed, or belongs elsewhere`, {
      hint: "Run `axiom check` to see what is damaged",
    });
  }
  return unpadPayload(plain, objectKey);
}

/** The stored bytes of the object `objectKey`, sealed in the newest epoch; fails as {@linkcode sealEnvelope} does. */
export function sealObject(
  keys: RepositoryKeys,
  type: SealedType,
  objectKey: string,
  payload: Bytes,
  random: Random,
): Promise<Bytes> {
  return sealEnvelope(envelopeKeys(keys, type), type, keys.epoch, objectKey, payload, random);
}

/** The payload; throws `data_damaged` unless `stored` was sealed as a `type` under exactly this `objectKey`. */
export function openObject(keys: RepositoryKeys, type: SealedType, objectKey: string, stored: Bytes): Promise<Bytes> {
  return openEnvelope(envelopeKeys(keys, type), type, objectKey, stored);
}

function envelopeKeys(keys: RepositoryKeys, type: SealedType): EnvelopeKey {
  return (epoch, salt) => keys.hasEpoch(epoch) ? keys.objectKey(type, epoch, salt) : undefined;
}
