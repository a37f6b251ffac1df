import type { Bytes } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import type { ObjectStore } from "./object_store.ts";

/** What a store can do, beyond {@linkcode ObjectStore}, about an object that is torn or short. */
export interface ObjectRepairer {
  /**
   * Moves an object out of the way, so that its key can be stored again; nothing is deleted. Durable when it resolves;
   * `object_missing` if there is none.
   *
   * @returns The key under `damaged/` that holds it from now on
   */
  setAside(key: string, signal?: AbortSignal): Promise<string>;
}

export interface RepairableStore extends ObjectStore {
  /** Undefined where the store cannot move objects. */
  readonly repair?: ObjectRepairer;
}

export function repairerOf(store: ObjectStore): ObjectRepairer | undefined {
  return (store as RepairableStore).repair;
}

/**
 * Stores the right bytes of an object that was found damaged. An object that holds them already is left alone, so a client
 * that comes second does not move the healed one.
 *
 * @returns The key that the damaged object has now; undefined if nothing had to be moved
 */
export async function replaceDamaged(
  store: ObjectStore,
  key: string,
  data: Bytes,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    await store.put(key, data, signal);
    return undefined;
  } catch (error) {
    if (!isKind(error, "object_exists")) throw error;
  }
  const repair = repairerOf(store);
  if (!repair) {
    throw new AxiomError("storage_denied", `Cannot replace ${key}: ${store.location} cannot move objects`);
  }
  const asideKey = await repair.setAside(key, signal);
  await store.put(key, data, signal);
  return asideKey;
}
