import { AxiomError } from "../base/errors.ts";
import { markerKey, PREFIX, snapshotKey } from "../model/object_keys.ts";
import { listGenerations } from "../repository/generations.ts";
import type { Repository } from "../repository/repository.ts";
import { setAside } from "../repository/set_aside.ts";

/**
 * Moves what is left of a snapshot that does not count to `damaged/`, the marker first; nothing is deleted. Returns the new
 * keys; what the store does not let go stays.
 */
export async function setSnapshotAside({ store }: Repository, id: string, signal?: AbortSignal): Promise<string[]> {
  const asideKeys: string[] = [];
  for (const key of [markerKey(id), snapshotKey(id)]) {
    const asideKey = await setAside(store, key, signal);
    if (asideKey !== undefined) asideKeys.push(asideKey);
  }
  return asideKeys;
}

/** What a newer keyring may open is not damaged. Throws `data_damaged` where there is one that this client cannot use. */
export async function demandNewestKeys({ store, opened }: Repository, signal?: AbortSignal): Promise<void> {
  const [newest] = await listGenerations(store, PREFIX.keyring, signal);
  if (newest === undefined || newest.generation <= opened.keyringGeneration) return;
  const why = `${newest.objectKey} may hold the key of them, and cannot be read`;
  throw new AxiomError("data_damaged", `Cannot tell which snapshots are damaged: ${why}`, {
    hint: `Put ${newest.objectKey} back from a copy, or run the command again if keys were rotated just now`,
  });
}
