/**
 * `config/<generation>`: what everyone must know before a key is at hand. A text object (`text_object.ts`) whose check is
 * HMAC-SHA-256 under a key that the master gives: `repository/config_store.ts`.
 *
 * The interface is the JSON: what is parsed is used as it is, so members of later versions survive a rewrite.
 */
import { type Bytes, KIB, MIB } from "../base/bytes.ts";
import { encodeJson, type Json } from "../base/canonical_json.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Features } from "./features.ts";
import { isDocument, isHexOf, isIntegerIn, isTimeNs, labelFault } from "./fields.ts";
import { decodeTextObject, type TextObject } from "./text_object.ts";

export const FORMAT_VERSION = 1;

export interface RepositoryConfig extends ConfigSettings {
  format_version: typeof FORMAT_VERSION;
  /** 32 hexadecimal digits of 16 random bytes; key derivations take the bytes. */
  repository_id: string;
  /** Nanoseconds since 1970. */
  created: string;
  label?: string;
  features: Features;
  [later: string]: unknown;
}

/** How a writer cuts and packs; sizes in bytes. Readers need none of it. */
export interface ConfigSettings {
  /** Algorithms other than those of {@linkcode KNOWN_CHUNKERS} make the repository read-only. */
  chunker: { algorithm: string; min: number; normal: number; max: number; [later: string]: unknown };
  /** For files that are rewritten in place. */
  fixed_blocks: { algorithm: string; [later: string]: unknown };
  pack_bytes: { min: number; max: number; [later: string]: unknown };
  /** Plain bytes of a frame at most. */
  frame_bytes: { data: number; [later: string]: unknown };
}

export const KNOWN_CHUNKERS = { chunker: "fastcdc-1", fixed_blocks: "fixed-1" } as const;

export const DEFAULT_SETTINGS: ConfigSettings = {
  chunker: { algorithm: KNOWN_CHUNKERS.chunker, min: 256 * KIB, normal: 1 * MIB, max: LIMITS.framePlainBytesMax },
  fixed_blocks: { algorithm: KNOWN_CHUNKERS.fixed_blocks },
  pack_bytes: { min: 16 * MIB, max: 64 * MIB },
  frame_bytes: { data: LIMITS.framePlainBytesMax },
};

/** The first line of the object. Throws `RangeError` for a config that a reader would refuse. */
export function encodeConfig(config: RepositoryConfig): Bytes {
  const fault = configFault(config);
  if (fault !== undefined) throw new RangeError(`Not a config: ${fault}`);
  return encodeJson(config as unknown as Json);
}

/**
 * Nothing in the result can be trusted before its MAC was checked. Throws `data_damaged`, or `repository_unsupported` for a
 * later format version.
 */
export function decodeConfig(stored: Uint8Array, objectKey: string): TextObject & { config: RepositoryConfig } {
  const what = `the config ${objectKey}`;
  const text = decodeTextObject(stored, LIMITS.configBytesMax, what, (document) => document.format_version);
  const fault = configFault(text.document);
  if (fault !== undefined) throw new AxiomError("data_damaged", `Cannot read ${what}: ${fault}`);
  return { ...text, config: text.document as unknown as RepositoryConfig };
}

function configFault(document: Record<string, unknown>): string | undefined {
  if (document.format_version !== FORMAT_VERSION) return `format_version ${document.format_version} is unknown`;
  if (!isHexOf(document.repository_id, 16)) return "its repository_id is not 32 hexadecimal digits";
  if (!isTimeNs(document.created)) return "its time of creation is not a decimal number";
  if (document.label !== undefined) {
    const fault = labelFault(document.label);
    if (fault !== undefined) return fault;
  }
  return featuresFault(document.features) ?? settingsFault(document);
}

function featuresFault(features: unknown): string | undefined {
  if (!isDocument(features)) return "it has no features";
  for (const set of ["read", "write", "delete"]) {
    const names = features[set];
    if (
      !Array.isArray(names) || !names.every((name) => typeof name === "string" && /^[a-z][a-z0-9_]{0,63}$/.test(name))
    ) {
      return `its features.${set} is not a list of names`;
    }
    if (new Set(names).size !== names.length) return `its features.${set} has a name twice`;
  }
  return undefined;
}

function settingsFault(document: Record<string, unknown>): string | undefined {
  const { chunker, fixed_blocks: fixed, pack_bytes: pack, frame_bytes: frame } = document;
  if (!isDocument(chunker) || !isDocument(fixed) || !isDocument(pack) || !isDocument(frame)) {
    return "a section of settings is missing";
  }
  if (!isAlgorithm(chunker.algorithm) || !isAlgorithm(fixed.algorithm)) return "the name of a chunker is malformed";
  if (!isIntegerIn(frame.data, 64 * KIB, LIMITS.framePlainBytesMax)) return "its frame_bytes.data is out of range";
  if (!ascend(64, chunker.min, chunker.normal, chunker.max, frame.data)) {
    return "its chunker's sizes are out of range or order";
  }
  if (!ascend(64 * KIB, pack.min, pack.max, LIMITS.packBytesMax)) return "its pack_bytes are out of range or order";
  return undefined;
}

function isAlgorithm(name: unknown): boolean {
  return typeof name === "string" && /^[a-z0-9][a-z0-9-]{0,63}$/.test(name);
}

function ascend(...sizes: unknown[]): boolean {
  return sizes.every((size, i) =>
    Number.isSafeInteger(size) && (i === 0 || (sizes[i - 1] as number) <= (size as number))
  );
}
