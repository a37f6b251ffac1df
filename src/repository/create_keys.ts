import { toHex } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { type Random, randomId } from "../base/random.ts";
import { accessOf } from "../model/features.ts";
import { labelFault } from "../model/fields.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";
import type { Keyring } from "../model/keyring.ts";
import { type Master, MASTER_BYTES } from "../model/key_slot.ts";
import { PREFIX } from "../model/object_keys.ts";
import {
  type ConfigSettings,
  DEFAULT_SETTINGS,
  FORMAT_VERSION,
  type RepositoryConfig,
} from "../model/repository_config.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { hasConfig, writeConfig } from "./config_store.ts";
import { listGenerations } from "./generations.ts";
import { RepositoryKeys } from "./keys.ts";
import { writeKeyring } from "./keyring_store.ts";
import type { OpenKeys } from "./open_keys.ts";
import type { Secret } from "./secret.ts";
import { kdfForSecret, putSlot } from "./slot_writer.ts";

export interface CreateKeysOptions {
  secret: Secret;
  /** Argon2id by default; ignored for a key file. Throws `usage` if it is too weak or dearer than readers allow. */
  kdf?: KdfParameters;
  /** Of the repository. */
  label?: string;
  /** Of the first key slot. */
  slotLabel?: string;
  settings?: ConfigSettings;
  random: Random;
  clock: Clock;
  signal?: AbortSignal;
}

const FIRST = 1;

/**
 * Makes the keys and the config of a new repository, and proves each by reading it back.
 *
 * The config comes last: without it there is no repository, so what an interruption leaves behind is never taken for one
 * and stands in nobody's way. Throws `repository_exists` if there is a config, and what the store throws.
 */
export async function createKeys(store: ObjectStore, options: CreateKeysOptions): Promise<OpenKeys> {
  const { secret, slotLabel = "", random, clock, signal } = options;
  const kdf = kdfForSecret(secret, options.kdf);
  const config = newConfig(options);
  if (await hasConfig(store, signal)) throw exists(store);
  const master: Master = { generation: FIRST, key: random(MASTER_BYTES) };
  const keyring = newKeyring(master, clock, random);
  const repositoryId = config.repository_id;
  const left = await listGenerations(store, PREFIX.keyring, signal);
  const keyringGeneration = (left[0]?.generation ?? 0) + FIRST;
  const request = { secret, kdf, label: slotLabel, created: clock.nowNs(), master, repositoryId };
  let slotId: string;
  try {
    await writeKeyring(store, master, repositoryId, keyring, keyringGeneration, random, signal);
    slotId = await putSlot(store, request, random, signal);
    await writeConfig(store, master, config, FIRST, signal);
  } catch (error) {
    throw isKind(error, "object_exists") ? exists(store) : error; // another client makes one right now
  }
  return {
    keys: new RepositoryKeys(repositoryId, keyring),
    master,
    config,
    configGeneration: FIRST,
    keyringGeneration,
    access: accessOf(config),
    slotId,
    warnings: [],
  };
}

function exists(store: ObjectStore): AxiomError {
  return new AxiomError("repository_exists", `Cannot make a repository in ${store.location}: there is one already`, {
    hint: "Choose another location",
  });
}

function newConfig(
  { label, slotLabel = "", settings = DEFAULT_SETTINGS, random, clock }: CreateKeysOptions,
): RepositoryConfig {
  const fault = labelFault(label ?? "") ?? labelFault(slotLabel);
  if (fault !== undefined) throw new AxiomError("usage", `Cannot make a repository: ${fault}`);
  return {
    ...settings,
    format_version: FORMAT_VERSION,
    repository_id: randomId(random),
    created: clock.nowNs(),
    ...(label === undefined ? {} : { label }),
    features: { read: [], write: [], delete: [] },
  };
}

function newKeyring(master: Master, clock: Clock, random: Random): Keyring {
  const key = () => toHex(random(32));
  return {
    version: 1,
    master_generation: master.generation,
    roots: [{ epoch: 1, key: key(), created: clock.nowNs() }],
    id_root: key(),
    chunker_keys: { data: key(), plain: key() },
    audit_key: key(),
  };
}
