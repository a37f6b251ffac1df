/**
 * Generations of the config. Its check is HMAC-SHA-256 over `covered` (`model/text_object.ts`) under
 * HKDF(master, no salt, "axiom/1/config" | repository id 16). The newest generation that verifies counts; an older one can
 * be passed off only by removing or damaging the newer, which clients notice by the generation that they pinned.
 */
import { type Bytes, equalBytes, equalSecrets, fromHex } from "../base/bytes.ts";
import { AxiomError, isKind, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Master } from "../model/key_slot.ts";
import { PREFIX } from "../model/object_keys.ts";
import { decodeConfig, encodeConfig, type RepositoryConfig } from "../model/repository_config.ts";
import { coveredBytes, encodeTextObject } from "../model/text_object.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { type Generation, generationKey, listGenerations } from "./generations.ts";
import { hkdf, hmacSha256, NO_SALT } from "./hkdf.ts";

/** A config whose MAC was not checked yet. */
export interface ConfigClaim {
  generation: number;
  objectKey: string;
  config: RepositoryConfig;
  json: Bytes;
  check: Bytes;
}

export interface ConfigClaims {
  /** The newest first; at least one. */
  claims: ConfigClaim[];
  warnings: string[];
}

/**
 * What the repository says of itself to someone without a key. Throws `repository_missing` if there is none,
 * `object_missing` if only its config is gone, `repository_unsupported` for a later format, `data_damaged` if none can be read.
 */
export async function readConfigs(store: ObjectStore, signal?: AbortSignal): Promise<ConfigClaims> {
  const generations = await listGenerations(store, PREFIX.config, signal);
  if (generations.length === 0) {
    const left = await anyObject(store, signal);
    if (left !== undefined) {
      const why = `its config is gone, though it holds ${left}`;
      throw new AxiomError("object_missing", `Cannot open the repository ${store.location}: ${why}`, {
        hint: "Put the folder config/ back from a copy; do not make a new repository here: the data is still there",
      });
    }
    throw new AxiomError("repository_missing", `Cannot open the repository ${store.location}: there is none`, {
      hint: "Check the location, or make one with `axiom init`",
    });
  }
  const claims: ConfigClaim[] = [];
  const problems: AxiomError[] = [];
  for (const entry of generations) {
    try {
      claims.push(await readConfig(store, entry, signal));
    } catch (error) {
      if (!(error instanceof AxiomError) || error.kind === "interrupted") throw error;
      // What this program does not understand must not be passed over for something older that it does.
      if (error.kind === "repository_unsupported" && claims.length === 0) throw error;
      problems.push(error);
    }
  }
  const warnings = problems.map((problem) => `Skipped a config: ${problem.message}`);
  if (claims.length > 0) return { claims, warnings };
  const kind = problems.every((problem) => problem.kind === problems[0].kind) ? problems[0].kind : "data_damaged";
  const why = problems.map(messageOf).join("; ");
  throw new AxiomError(kind, `Cannot open the repository ${store.location}: no config can be read (${why})`, {
    hint: "Put the folder config/ back from a copy; do not make a new repository here: the data is still there",
    cause: problems[0],
  });
}

/** Of what only a repository that was whole once holds: keys are there before the first config. */
async function anyObject(store: ObjectStore, signal?: AbortSignal): Promise<string | undefined> {
  for (const prefix of [PREFIX.snapshots, PREFIX.packs, PREFIX.index]) {
    for await (const { key } of store.list(prefix, signal)) return key;
  }
  return undefined;
}

/** One generation, whose MAC is not checked. Throws `data_damaged`, or `repository_unsupported` for a later format. */
export async function readConfig(store: ObjectStore, entry: Generation, signal?: AbortSignal): Promise<ConfigClaim> {
  const { generation, objectKey, sizeBytes } = entry;
  if (sizeBytes > LIMITS.configBytesMax) {
    throw new AxiomError("data_damaged", `Cannot read the config ${objectKey}: it has ${sizeBytes} bytes`);
  }
  const { config, json, check } = decodeConfig(await store.get(objectKey, "all", signal), objectKey);
  return { generation, objectKey, config, json, check };
}

function configMac(repositoryId: string, master: Master, objectKey: string, json: Bytes): Bytes {
  const key = hkdf(master.key, NO_SALT, "axiom/1/config", [fromHex(repositoryId)], 32);
  return hmacSha256(key, coveredBytes(objectKey, json));
}

/** The newest claim that `master` bears out; newer ones that it does not are added to `warnings`. */
export function verifiedConfig(
  claims: readonly ConfigClaim[],
  repositoryId: string,
  master: Master,
  warnings: string[],
): ConfigClaim | undefined {
  const doubts: string[] = [];
  for (const claim of claims) {
    const { config, objectKey, json, check } = claim;
    if (config.repository_id !== repositoryId) {
      doubts.push(`Skipped the config ${objectKey}: it belongs to the repository ${config.repository_id}`);
    } else if (equalSecrets(configMac(repositoryId, master, objectKey, json), check)) {
      warnings.push(...doubts);
      return claim;
    } else doubts.push(`Skipped the config ${objectKey}: its MAC does not verify, it was changed`);
  }
  return undefined;
}

/**
 * Puts a generation of the config and reads it back. Throws `object_exists` if another client was faster, `data_damaged` if
 * the store gives back something else.
 */
export async function writeConfig(
  store: ObjectStore,
  master: Master,
  config: RepositoryConfig,
  generation: number,
  signal?: AbortSignal,
): Promise<void> {
  const objectKey = generationKey(PREFIX.config, generation);
  const json = encodeConfig(config);
  const stored = encodeTextObject(json, configMac(config.repository_id, master, objectKey, json));
  if (stored.length > LIMITS.configBytesMax) {
    throw new RangeError(`A config of ${stored.length} bytes could not be read again`);
  }
  await store.put(objectKey, stored, signal);
  const { claims } = await readConfigs(store, signal);
  const written = claims.find((claim) => claim.generation === generation);
  if (
    written === undefined || !equalBytes(written.json, json) ||
    !verifiedConfig([written], config.repository_id, master, [])
  ) {
    throw new AxiomError("data_damaged", `Cannot trust ${store.location}: ${objectKey} reads back as something else`);
  }
}

/** Whether there is anything that claims to be a repository. Throws `object_missing` if only its config is gone. */
export async function hasConfig(store: ObjectStore, signal?: AbortSignal): Promise<boolean> {
  try {
    await readConfigs(store, signal);
    return true;
  } catch (error) {
    if (isKind(error, "repository_missing")) return false;
    if (isKind(error, "data_damaged", "repository_unsupported")) return true;
    throw error;
  }
}
