import { fromHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Condemned } from "../repository/condemned.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { ReachableChunks } from "./reachable_chunks.ts";

/**
 * Whether a new manifest may name what old ones name. A deleter that listed the sessions before this one began knows
 * nothing of it, and nothing of an old manifest that is removed meanwhile; so each chunk must lie in a pack that is on no
 * list. What is damaged anyway is no reason to refuse. Throws `storage_busy`.
 *
 * @param condemned Read after the session began, before this call
 */
export async function demandSafeFromDeletion(
  repository: Repository,
  snapshots: readonly StoredSnapshot[],
  condemned: Condemned,
  signal?: AbortSignal,
): Promise<void> {
  const view = await repository.loadIndex(signal);
  if (!view.index.packs().some(({ name }) => condemned.has(name))) return;
  const options = { expectedChunks: view.index.entryCount, onDamage: () => {}, signal };
  const chunks = new ReachableChunks(repository.trees(view, signal), options);
  for (const { id, snapshot } of snapshots) {
    for await (const chunk of chunks.below(snapshot.root)) {
      const locations = view.index.lookup(fromHex(chunk.id));
      if (locations.length > 0 && locations.every(({ pack }) => condemned.has(pack.name))) throw underDeletion(id);
    }
  }
}

function underDeletion(id: string): AxiomError {
  const why = "a deletion that is under way may take away what it needs";
  return new AxiomError("storage_busy", `Cannot change the snapshot ${id}: ${why}`, {
    hint: "Try again when the deletion is done",
  });
}
