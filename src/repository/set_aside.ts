import { isKind } from "../base/errors.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { repairerOf } from "../storage/repairer.ts";

/**
 * Moves a damaged object to `damaged/`, so that its key is free again; nothing is deleted. Returns its new key, or undefined
 * where it stays: the store cannot move objects, may not, or has lost it meanwhile.
 */
export async function setAside(store: ObjectStore, key: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    return await repairerOf(store)?.setAside(key, signal);
  } catch (error) {
    if (isKind(error, "object_missing", "storage_denied")) return undefined;
    throw error;
  }
}

/** For messages: `was moved to damaged/…`. */
export function whereItWent(asideKey: string | undefined): string {
  return asideKey === undefined ? "is left where it is" : `was moved to ${asideKey}`;
}
