/** Makes and opens key slots; their form and what binds them are drawn in `model/key_slot.ts`. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { Buffer } from "node:buffer";
import { type Bytes, equalSecrets, fromHex, toHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";
import {
  encodeSlot,
  type KeySlot,
  type Master,
  MASTER_BYTES,
  slotAad,
  slotKey,
  slotMacInput,
} from "../model/key_slot.ts";
import { coveredBytes, encodeTextObject } from "../model/text_object.ts";
import { gcmOpen, gcmSeal } from "./aes_gcm.ts";
import { hkdf, hmacSha256, NO_SALT, sha256 } from "./hkdf.ts";
import { runKdf } from "./kdf.ts";
import { type Secret, secretBytes } from "./secret.ts";

/** What a secret gives for one slot. */
interface SlotKeys {
  commitment: Bytes;
  wrappingKey: Bytes;
  /** X25519, RFC 7748. */
  privateKey: Bytes;
}

async function deriveSlotKeys(
  kdf: KdfParameters,
  secret: Secret,
  salt: Bytes,
  signal?: AbortSignal,
): Promise<SlotKeys> {
  const output = await runKdf(kdf, secretBytes(secret), salt, signal);
  const both = hkdf(output, NO_SALT, "axiom/1/slot", [], 64);
  return {
    commitment: both.slice(0, 32),
    wrappingKey: both.slice(32),
    privateKey: hkdf(output, NO_SALT, "axiom/1/slot/x25519", [], 32),
  };
}

// PKCS #8 of an X25519 key without its last 32 bytes: RFC 8410, section 7.
const PKCS8_HEAD = fromHex("302e020100300506032b656e04220420");

function publicKeyOf(privateKey: Bytes): Bytes {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, privateKey]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  return new Uint8Array(Buffer.from(x!, "base64url"));
}

/** HMAC by which holders of the master know that a slot is genuine. */
function slotMac(slot: KeySlot, objectKey: string, master: Master): Bytes {
  const key = hkdf(master.key, NO_SALT, "axiom/1/slot-mac", [fromHex(slot.repository_id)], 32);
  return hmacSha256(key, slotMacInput(slot, objectKey));
}

/** Whether whoever wrote the slot held `master`. */
export function isGenuineSlot(slot: KeySlot, id: string, master: Master): boolean {
  return slot.master_generation === master.generation &&
    equalSecrets(slotMac(slot, slotKey(id), master), fromHex(slot.mac));
}

export interface NewSlot {
  id: string;
  /** 32 hexadecimal digits. */
  repositoryId: string;
  master: Master;
  secret: Secret;
  kdf: KdfParameters;
  label: string;
  created: string;
}

/** The stored bytes of a slot under a fresh salt. Throws what `secretBytes` and `runKdf` throw. */
export async function sealSlot(request: NewSlot, random: Random, signal?: AbortSignal): Promise<Bytes> {
  const { id, master, kdf } = request;
  const salt = random(32), nonce = random(12);
  const keys = await deriveSlotKeys(kdf, request.secret, salt, signal);
  const slot: KeySlot = {
    version: 1,
    repository_id: request.repositoryId,
    created: request.created,
    label: request.label,
    kdf: { ...kdf },
    salt: toHex(salt),
    commitment: toHex(keys.commitment),
    public_key: toHex(publicKeyOf(keys.privateKey)),
    master_generation: master.generation,
    nonce: toHex(nonce),
    wrapped_master: "",
    mac: "",
  };
  const objectKey = slotKey(id);
  slot.wrapped_master = toHex(await gcmSeal(keys.wrappingKey, nonce, slotAad(slot, objectKey), master.key));
  slot.mac = toHex(slotMac(slot, objectKey, master));
  const json = encodeSlot(slot);
  return encodeTextObject(json, sha256(coveredBytes(objectKey, json)));
}

/**
 * The master, or undefined if the slot is of another secret. Throws `data_damaged` if it is of this secret but was changed
 * since, and what `runKdf` throws.
 */
export async function openSlot(
  slot: KeySlot,
  id: string,
  secret: Secret,
  signal?: AbortSignal,
): Promise<Master | undefined> {
  const keys = await deriveSlotKeys(slot.kdf, secret, fromHex(slot.salt), signal);
  if (!equalSecrets(keys.commitment, fromHex(slot.commitment))) return undefined;
  const objectKey = slotKey(id);
  const wrapped = fromHex(slot.wrapped_master);
  const key = await gcmOpen(keys.wrappingKey, fromHex(slot.nonce), slotAad(slot, objectKey), wrapped);
  const master = { generation: slot.master_generation, key: key ?? new Uint8Array(MASTER_BYTES) };
  if (key === undefined || !isGenuineSlot(slot, id, master)) {
    throw new AxiomError("data_damaged", `Cannot open the key slot ${objectKey}: the secret fits, but it was changed`);
  }
  return master;
}
