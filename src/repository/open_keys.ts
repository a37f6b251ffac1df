import { AxiomError } from "../base/errors.ts";
import { type Access, accessOf, type FeatureSets, requireAccess } from "../model/features.ts";
import type { Master } from "../model/key_slot.ts";
import type { RepositoryConfig } from "../model/repository_config.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { type ConfigClaim, type ConfigClaims, readConfigs, verifiedConfig } from "./config_store.ts";
import { RepositoryKeys } from "./keys.ts";
import { readKeyring } from "./keyring_store.ts";
import type { Secret } from "./secret.ts";
import { readSlots } from "./slot_reader.ts";
import { type OpenedSlot, SlotSearch } from "./slot_search.ts";

/** A repository whose config and keys were proved by a secret. */
export interface OpenKeys {
  keys: RepositoryKeys;
  master: Master;
  config: RepositoryConfig;
  /** To be pinned by the client: neither may ever go back. */
  configGeneration: number;
  keyringGeneration: number;
  /** What later features forbid; reading is allowed. */
  access: Access;
  /** The slot that opened, to be tried first the next time. */
  slotId: string;
  /** Objects that were passed over, with reasons. */
  warnings: string[];
}

export interface OpenKeysOptions {
  /** Id of the slot that opened the last time. */
  slotHint?: string;
  signal?: AbortSignal;
  /** Features that the caller knows; those of this version by default. */
  known?: FeatureSets;
  /** From {@linkcode readConfigs}, where the caller has asked already. */
  configs?: ConfigClaims;
  /** Called as soon as a thread of its own derives the first key, which takes it some tenths of a second. */
  onDeriving?: () => void;
}

/**
 * Opens a repository with a password or key file; about 0.3 s per Argon2id slot that is tried.
 *
 * Throws `repository_missing`, `repository_unsupported` (a later format or an unknown feature needed for reading),
 * `password_wrong`, `password_missing`, `object_missing` without any slot, `data_damaged`, `interrupted`.
 */
export async function openKeys(store: ObjectStore, secret: Secret, options: OpenKeysOptions = {}): Promise<OpenKeys> {
  const { signal } = options;
  const { claims, warnings } = options.configs ?? await readConfigs(store, signal);
  const ids = new Set(claims.map(({ config }) => config.repository_id));
  const search = new SlotSearch(store.location, secret, options.onDeriving);
  for await (const opened of search.open(await readSlots(store, options.slotHint, signal), ids, signal)) {
    const notes: string[] = [];
    const claim = verifiedConfig(claims, opened.slot.repository_id, opened.master, notes);
    if (claim === undefined) {
      const why = `no config of ${store.location} verifies under its master key`;
      search.reject(opened.id, new AxiomError("data_damaged", `Cannot use the key slot ${opened.id}: ${why}`));
      continue;
    }
    const found = await openWith(store, opened, claim, options, notes);
    return { ...found, warnings: [...warnings, ...search.warnings, ...notes] };
  }
  throw search.failure();
}

async function openWith(
  store: ObjectStore,
  { id, slot, master }: OpenedSlot,
  { config, generation }: ConfigClaim,
  options: OpenKeysOptions,
  notes: string[],
): Promise<Omit<OpenKeys, "warnings">> {
  const access = accessOf(config, options.known);
  requireAccess(access, "read", store.location);
  const found = await readKeyring(store, master, slot.repository_id, notes, options.signal);
  return {
    keys: new RepositoryKeys(slot.repository_id, found.keyring),
    master,
    config,
    configGeneration: generation,
    keyringGeneration: found.generation,
    access,
    slotId: id,
  };
}
