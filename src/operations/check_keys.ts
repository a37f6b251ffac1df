import { isKind, messageOf } from "../base/errors.ts";
import { decodeEnvelope } from "../model/envelope.ts";
import { PREFIX } from "../model/object_keys.ts";
import { slotKey } from "../model/key_slot.ts";
import { readConfig, verifiedConfig } from "../repository/config_store.ts";
import { type Generation, generationKey, listGenerations } from "../repository/generations.ts";
import { listSlots } from "../repository/key_slots.ts";
import { openKeyring } from "../repository/keyring_store.ts";
import type { Repository } from "../repository/repository.ts";
import type { Findings } from "./check_findings.ts";
import { isDamage } from "./damage.ts";

/** Judges every config, keyring and key slot, not only those that this client opened the repository with. */
export async function checkKeys(repository: Repository, findings: Findings, signal?: AbortSignal): Promise<void> {
  const { opened } = repository;
  await checkGenerations(repository, findings, {
    prefix: PREFIX.config,
    kind: "config_damaged",
    openedGeneration: opened.configGeneration,
    judge: (entry) => judgeConfig(repository, entry, signal),
    signal,
  });
  await checkGenerations(repository, findings, {
    prefix: PREFIX.keyring,
    kind: "keyring_damaged",
    openedGeneration: opened.keyringGeneration,
    judge: (entry) => judgeKeyring(repository, entry, findings, signal),
    signal,
  });
  await checkSlots(repository, findings, signal);
}

interface GenerationsCheck {
  prefix: string;
  kind: "config_damaged" | "keyring_damaged";
  openedGeneration: number;
  /** Undefined if there is nothing wrong with it. */
  judge: (entry: Generation) => Promise<string | undefined>;
  signal?: AbortSignal;
}

async function checkGenerations(
  { store }: Repository,
  findings: Findings,
  { prefix, kind, openedGeneration, judge, signal }: GenerationsCheck,
): Promise<void> {
  const found = await listGenerations(store, prefix, signal);
  if (!found.some(({ generation }) => generation === openedGeneration)) {
    const key = generationKey(prefix, openedGeneration);
    findings.error(kind, key, `Cannot find ${key}, with which this repository was opened: it is gone`);
  }
  for (const entry of found) {
    const fault = await judge(entry);
    if (fault !== undefined) findings.error(kind, entry.objectKey, fault);
  }
}

async function judgeConfig(
  { store, opened }: Repository,
  entry: Generation,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const claim = await readConfig(store, entry, signal);
    if (verifiedConfig([claim], opened.config.repository_id, opened.master, []) !== undefined) return undefined;
    return `Cannot trust the config ${entry.objectKey}: it was changed, or belongs to another repository`;
  } catch (error) {
    return faultOf(error);
  }
}

async function judgeKeyring(
  { store, opened }: Repository,
  { objectKey, generation }: Generation,
  findings: Findings,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const stored = await store.get(objectKey, "all", signal);
    const master = decodeEnvelope("keyring", objectKey, stored).header.epoch;
    if (master < opened.master.generation && generation < opened.keyringGeneration) {
      findings.note("keyring_superseded", objectKey, `${objectKey} was sealed by an earlier master and is not judged`);
      return undefined;
    }
    await openKeyring(stored, opened.master, opened.config.repository_id, objectKey);
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** What is wrong; undefined for what is gone since the listing. Throws what is no damage. */
function faultOf(error: unknown): string | undefined {
  if (isKind(error, "object_missing")) return undefined;
  if (!isDamage(error)) throw error;
  return messageOf(error);
}

async function checkSlots({ store, opened }: Repository, findings: Findings, signal?: AbortSignal): Promise<void> {
  const slots = await listSlots(store, opened, signal);
  if (!slots.some(({ id }) => id === opened.slotId)) {
    const message = `Cannot find the key slot ${opened.slotId}, with which this repository was opened: it is gone`;
    findings.error("key_slot_damaged", slotKey(opened.slotId), message);
  }
  for (const { id, problem } of slots) {
    if (problem === undefined) continue;
    const message = problem.startsWith("Cannot") ? problem : `Cannot use the key slot ${id}: ${problem}`;
    findings.error("key_slot_damaged", slotKey(id), message);
  }
}
