/** What `key list | add | remove | passwd` do to an open repository. No slot is ever changed in place. */
import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";
import { slotKey } from "../model/key_slot.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { OpenKeys } from "./open_keys.ts";
import type { Secret } from "./secret.ts";
import { readSlots, type StoredSlot } from "./slot_reader.ts";
import { isGenuineSlot } from "./slot_sealer.ts";
import { kdfForSecret, putSlot } from "./slot_writer.ts";

export interface SlotInfo {
  id: string;
  /** Whether it is the one that opened the repository. */
  current: boolean;
  kdf?: KdfParameters;
  label?: string;
  /** Nanoseconds since 1970. */
  created?: string;
  /** Why it opens nothing. */
  problem?: string;
}

export interface NewSlotOptions {
  secret: Secret;
  kdf?: KdfParameters;
  label?: string;
  random: Random;
  clock: Clock;
  signal?: AbortSignal;
}

/** All slots, the current one first, then the newest; damaged and forged ones last, with the problem. */
export async function listSlots(store: ObjectStore, open: OpenKeys, signal?: AbortSignal): Promise<SlotInfo[]> {
  const slots = await readSlots(store, open.slotId, signal);
  return slots.map((entry) => slotInfo(entry, open)).sort((a, b) =>
    Number(a.problem !== undefined) - Number(b.problem !== undefined)
  );
}

function slotInfo({ id, slot, problem }: StoredSlot, open: OpenKeys): SlotInfo {
  const current = id === open.slotId;
  if (slot === undefined) return { id, current, problem: problem.message };
  const { kdf, label, created } = slot;
  const genuine = slot.repository_id === open.config.repository_id && isGenuineSlot(slot, id, open.master);
  return {
    id,
    current,
    kdf,
    label,
    created,
    ...(genuine ? {} : { problem: "It does not hold this repository's key" }),
  };
}

async function genuineSlots(store: ObjectStore, open: OpenKeys, signal?: AbortSignal): Promise<SlotInfo[]> {
  return (await listSlots(store, open, signal)).filter(({ problem }) => problem === undefined);
}

/** Lets a further secret open the repository; returns the new slot's id. Throws `usage` beyond 32 slots. */
export async function addSlot(store: ObjectStore, open: OpenKeys, options: NewSlotOptions): Promise<string> {
  const { secret, label = "", random, clock, signal } = options;
  const kdf = kdfForSecret(secret, options.kdf);
  const slots = await genuineSlots(store, open, signal);
  if (slots.length >= LIMITS.keySlotsMax) {
    throw new AxiomError("usage", `Cannot add a key slot: there are ${slots.length} already, the most allowed`, {
      hint: "Remove one with `axiom key remove <id>`",
    });
  }
  const repositoryId = open.config.repository_id;
  const request = { repositoryId, master: open.master, secret, kdf, label, created: clock.nowNs() };
  return await putSlot(store, request, random, signal);
}

export interface RemoveSlotOptions {
  /** Also the slot that this repository was opened with. */
  evenCurrent?: boolean;
  signal?: AbortSignal;
}

/**
 * Takes a slot away. Throws `usage` for one that is not there, the current one unless told, and the last one that works.
 *
 * Two clients could each remove the other's last slot: whoever then finds none puts back what it removed. An old copy of
 * the slot still opens with its secret; only a new master would change that.
 */
export async function removeSlot(
  store: ObjectStore,
  open: OpenKeys,
  id: string,
  { evenCurrent = false, signal }: RemoveSlotOptions = {},
): Promise<void> {
  const refuse = (why: string, hint?: string) =>
    new AxiomError("usage", `Cannot remove the key slot ${id}: ${why}`, { hint });
  const slots = await readSlots(store, open.slotId, signal);
  const target = slots.find((slot) => slot.id === id);
  if (target === undefined) throw refuse("there is none of that id", "`axiom key list` shows all");
  if (id === open.slotId && !evenCurrent) {
    throw refuse(
      "it is the one that opened the repository",
      "Open the repository with another password, or use --force",
    );
  }
  const works = (slot: StoredSlot) => slotInfo(slot, open).problem === undefined;
  if (!slots.some((slot) => slot.id !== id && works(slot))) {
    throw refuse("it is the last one that works", "Add another with `axiom key add` first");
  }
  await store.remove(slotKey(id), signal);
  if (target.slot === undefined || !works(target)) return;
  if ((await genuineSlots(store, open)).length > 0) return;
  await store.put(slotKey(id), target.stored);
  throw refuse("another client removed all others meanwhile, so it was put back");
}

/**
 * Replaces the secret of a slot, the current one by default; returns the new slot's id. The old slot goes only after the new
 * one was read back and opened, so an interruption leaves both.
 */
export async function changePassword(
  store: ObjectStore,
  open: OpenKeys,
  options: NewSlotOptions & { slotId?: string },
): Promise<string> {
  const { slotId = open.slotId, secret, random, clock, signal } = options;
  const kdf = kdfForSecret(secret, options.kdf);
  const old = (await readSlots(store, slotId, signal)).find(({ id }) => id === slotId);
  if (old === undefined) {
    throw new AxiomError("usage", `Cannot change the password of the key slot ${slotId}: there is none of that id`, {
      hint: "`axiom key list` shows all",
    });
  }
  const label = options.label ?? old.slot?.label ?? "";
  const repositoryId = open.config.repository_id;
  const request = { repositoryId, master: open.master, secret, kdf, label, created: clock.nowNs() };
  const id = await putSlot(store, request, random, signal);
  await removeSlot(store, { ...open, slotId: id }, slotId, { signal });
  return id;
}
