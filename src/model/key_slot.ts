/**
 * `keys/<id>`: the master key, wrapped by one secret. A text object (`text_object.ts`) whose check is a plain SHA-256 of
 * `covered`: it tells a damaged slot from a wrong password before any key is known. What protects the slot is inside:
 *
 * ```text
 * {"commitment":hex 32,"created":ns,"kdf":{…},"label":text,"mac":hex 32,"master_generation":n,"nonce":hex 12,
 *  "public_key":hex 32,"repository_id":hex 16,"salt":hex 32,"version":1,"wrapped_master":hex 48}
 *
 * wrapped_master   AES-256-GCM(wrapping key, nonce, AAD = covered(keys/<id>, JSON without mac and wrapped_master), master 32)
 * mac              HMAC-SHA-256(slot MAC key of the master, covered(keys/<id>, JSON without mac))
 * ```
 *
 * The AAD binds every member, known or not, to whoever knows the secret; the MAC lets whoever opened the repository by
 * another slot see that this one is genuine. Slots are never rewritten: a new password is a new slot under a new id.
 */
import type { Bytes } from "../base/bytes.ts";
import { encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { isHexOf, isIntegerIn, isTimeNs, labelFault } from "./fields.ts";
import { kdfFault, type KdfParameters } from "./kdf_parameters.ts";
import { PREFIX } from "./object_keys.ts";
import { coveredBytes, decodeTextObject, type TextObject } from "./text_object.ts";

export interface KeySlot {
  version: 1;
  repository_id: string;
  created: string;
  label: string;
  kdf: KdfParameters;
  /** Of the KDF. */
  salt: string;
  /** Compared before anything is unwrapped, so that a slot opens under one key only. */
  commitment: string;
  /** X25519, to wrap a later master for this slot without its secret; zeros where there is none. */
  public_key: string;
  master_generation: number;
  nonce: string;
  wrapped_master: string;
  mac: string;
  [later: string]: unknown;
}

/** What every slot wraps; a revocation makes the next generation. */
export interface Master {
  generation: number;
  key: Bytes;
}

export const MASTER_BYTES = 32;
export const MASTER_GENERATION_MAX = 0xffffffff;

export function slotKey(id: string): string {
  return PREFIX.keys + id;
}

/** The id in a slot's key, or undefined for a key of another form. */
export function slotId(objectKey: string): string | undefined {
  return /^keys\/([0-9a-f]{32})$/.exec(objectKey)?.[1];
}

/** What sealing `wrapped_master` binds. */
export function slotAad(slot: Readonly<Record<string, unknown>>, objectKey: string): Bytes {
  const { mac: _, wrapped_master: __, ...bound } = slot;
  return coveredBytes(objectKey, encodeJson(bound as Record<string, Json>));
}

/** What `mac` covers. */
export function slotMacInput(slot: Readonly<Record<string, unknown>>, objectKey: string): Bytes {
  const { mac: _, ...bound } = slot;
  return coveredBytes(objectKey, encodeJson(bound as Record<string, Json>));
}

/** The first line of the object. Throws `RangeError` for a slot that a reader would refuse. */
export function encodeSlot(slot: KeySlot): Bytes {
  const fault = slotFault(slot);
  if (fault !== undefined) throw new RangeError(`Not a key slot: ${fault.why}`);
  return encodeJson(slot as unknown as Json);
}

/**
 * Nothing in the result can be trusted before its check was compared and it was opened. Throws `data_damaged`,
 * `limit_exceeded` for a KDF that costs too much, `repository_unsupported` for what a later version wrote.
 */
export function decodeSlot(stored: Uint8Array, objectKey: string): TextObject & { slot: KeySlot } {
  const what = `the key slot ${objectKey}`;
  const text = decodeTextObject(stored, LIMITS.keySlotBytesMax, what, (document) => document.version);
  const fault = slotFault(text.document);
  if (fault !== undefined) throw new AxiomError(fault.kind, `Cannot use ${what}: ${fault.why}`);
  return { ...text, slot: text.document as unknown as KeySlot };
}

const HEX_MEMBERS: Readonly<Record<string, number>> = {
  repository_id: 16,
  salt: 32,
  commitment: 32,
  public_key: 32,
  nonce: 12,
  wrapped_master: MASTER_BYTES + 16,
  mac: 32,
};

function slotFault(slot: Readonly<Record<string, unknown>>): ReturnType<typeof kdfFault> {
  const damaged = (why: string) => ({ kind: "data_damaged", why } as const);
  for (const [name, bytes] of Object.entries(HEX_MEMBERS)) {
    if (!isHexOf(slot[name], bytes)) return damaged(`its ${name} is not ${2 * bytes} hexadecimal digits`);
  }
  if (slot.version !== 1) return damaged("its version is not 1");
  if (!isTimeNs(slot.created)) return damaged("its time of creation is not a decimal number");
  if (!isIntegerIn(slot.master_generation, 1, MASTER_GENERATION_MAX)) {
    return damaged("its master_generation is out of range");
  }
  const label = labelFault(slot.label);
  return label === undefined ? kdfFault(slot.kdf) : damaged(label);
}
