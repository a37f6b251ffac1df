import { isKind } from "../base/errors.ts";
import type { PackRecord } from "../model/index_object.ts";
import { packKey } from "../model/object_keys.ts";
import type { DamagedIndex } from "./index_objects.ts";
import { type IndexView, isPackFault } from "./index_view.ts";
import { isPackWhole } from "./pack_hash.ts";
import type { Repository } from "./repository.ts";
import { setAside, whereItWent } from "./set_aside.ts";

/**
 * Torn packs are moved out of the way; nothing is deleted. A pack whose bytes are what its name says stays: then it is this
 * client that cannot read it. So does one whose table can be read, such as a pack that became longer: earlier snapshots are
 * restored from it.
 */
export async function setPacksAside(repository: Repository, view: IndexView, signal?: AbortSignal): Promise<void> {
  const { store, context } = repository;
  for (const { name, sizeBytes, reason } of view.damagedPacks) {
    const hasTable = await isTableReadable(repository, view.index.pack(name), signal);
    const stays = hasTable || await isPackWhole(store, name, sizeBytes, signal);
    const went = whereItWent(stays ? undefined : await setAside(store, packKey(name), signal));
    const advice = hasTable ? "; `axiom repair index --read-data` stores again what is whole in it" : "";
    const message = `The pack ${name} is damaged (${reason}) and ${went}${advice}`;
    context.onEvent({ type: "warning", code: "damaged_pack", message });
  }
}

async function isTableReadable(
  { packs }: Repository,
  pack: PackRecord | undefined,
  signal?: AbortSignal,
): Promise<boolean> {
  if (pack === undefined) return false;
  try {
    await packs.readTable(pack, signal);
    return true;
  } catch (error) {
    if (isKind(error, "object_missing") || isPackFault(error)) return false;
    throw error;
  }
}

export async function setIndexesAside(
  { store, context }: Repository,
  damaged: readonly DamagedIndex[],
  signal?: AbortSignal,
): Promise<void> {
  for (const { key, reason } of damaged) {
    const went = whereItWent(await setAside(store, key, signal));
    const message = `The index object ${key} is damaged (${reason}) and ${went}; its packs are read instead`;
    context.onEvent({ type: "warning", code: "damaged_index", message });
  }
}
