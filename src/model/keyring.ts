/**
 * `keyring/<generation>`: every secret that outlives a password. Canonical JSON in an envelope (`envelope.ts`) that the
 * master seals; the envelope's epoch is the generation of that master.
 *
 * ```text
 * {"audit_key":hex 32,"chunker_keys":{"data":hex 32,"plain":hex 32},"id_root":hex 32,"master_generation":n,
 *  "roots":[{"created":ns,"epoch":n,"key":hex 32}, …],"version":1}
 * ```
 *
 * `roots` ascend by epoch; the last one seals what is new. `id_root` and `chunker_keys` never change, so deduplication
 * outlives every rotation. Members of later versions survive: the interface is the JSON.
 */
import type { Bytes } from "../base/bytes.ts";
import { decodeJson, encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { isDocument, isHexOf, isIntegerIn, isTimeNs } from "./fields.ts";
import { MASTER_GENERATION_MAX } from "./key_slot.ts";

export interface Keyring {
  version: 1;
  master_generation: number;
  roots: KeyringRoot[];
  id_root: string;
  chunker_keys: { data: string; plain: string; [later: string]: unknown };
  audit_key: string;
  [later: string]: unknown;
}

export interface KeyringRoot {
  /** From 1. */
  epoch: number;
  key: string;
  created: string;
  [later: string]: unknown;
}

/** Throws `RangeError` for a keyring that a reader would refuse. */
export function encodeKeyring(keyring: Keyring): Bytes {
  const fault = keyringFault(keyring);
  if (fault !== undefined) throw new RangeError(`Not a keyring: ${fault}`);
  return encodeJson(keyring as unknown as Json);
}

/** Throws `data_damaged`, or `repository_unsupported` for a later version. */
export function decodeKeyring(payload: Uint8Array, objectKey: string): Keyring {
  let document: unknown;
  try {
    document = decodeJson(payload);
  } catch {
    throw new AxiomError("data_damaged", `Cannot read ${objectKey}: it is not JSON`);
  }
  if (!isDocument(document)) throw new AxiomError("data_damaged", `Cannot read ${objectKey}: it is no object`);
  if (isIntegerIn(document.version, 2, Number.MAX_SAFE_INTEGER)) {
    const why = `version ${document.version} is newer than this program`;
    throw new AxiomError("repository_unsupported", `Cannot read ${objectKey}: ${why}`, { hint: "Update axiom" });
  }
  const fault = keyringFault(document);
  if (fault !== undefined) throw new AxiomError("data_damaged", `Cannot read ${objectKey}: ${fault}`);
  return document as unknown as Keyring;
}

function keyringFault(document: Readonly<Record<string, unknown>>): string | undefined {
  if (document.version !== 1) return "its version is not 1";
  if (!isIntegerIn(document.master_generation, 1, MASTER_GENERATION_MAX)) {
    return "its master_generation is out of range";
  }
  if (!isHexOf(document.id_root, 32) || !isHexOf(document.audit_key, 32)) return "a key is not 64 hexadecimal digits";
  const chunkers = document.chunker_keys;
  if (!isDocument(chunkers) || !isHexOf(chunkers.data, 32) || !isHexOf(chunkers.plain, 32)) {
    return "a chunker key is not 64 hexadecimal digits";
  }
  return rootsFault(document.roots);
}

function rootsFault(roots: unknown): string | undefined {
  if (!Array.isArray(roots) || roots.length === 0 || roots.length > LIMITS.epochsMax) return "its roots are malformed";
  let before = 0;
  for (const root of roots) {
    if (!isDocument(root) || !isHexOf(root.key, 32) || !isTimeNs(root.created)) return "a root is malformed";
    if (!isIntegerIn(root.epoch, before + 1, LIMITS.epochsMax)) return "its epochs are out of range or order";
    before = root.epoch;
  }
  return undefined;
}
