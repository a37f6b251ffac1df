import { isKind } from "../base/errors.ts";
import { packKey, PREFIX } from "../model/object_keys.ts";
import { decodeCondemned } from "./condemned.ts";
import type { Repository } from "./repository.ts";

/**
 * Removes lists of condemned packs of which every pack is gone, as a client leaves behind that died before it could; anyone
 * may. Lists that cannot be read stay. Returns their keys.
 */
export async function removeSpentLists(
  { store, sealer }: Repository,
  signal?: AbortSignal,
): Promise<string[]> {
  const removed: string[] = [];
  for await (const { key } of store.list(PREFIX.condemned, signal)) {
    try {
      const packs = decodeCondemned(await sealer.open("condemned", key, await store.get(key, "all", signal)), key);
      if (await anyExists(packs)) continue;
      await store.remove(key, signal);
      removed.push(key);
    } catch (error) {
      const isTheirs = isKind(error, "object_missing", "data_damaged", "limit_exceeded", "repository_unsupported");
      if (!isTheirs && !isKind(error, "storage_denied")) throw error;
    }
  }
  return removed;

  async function anyExists(packs: readonly string[]): Promise<boolean> {
    for (const name of packs) {
      if (await store.stat(packKey(name), signal) !== undefined) return true;
    }
    return false;
  }
}
