import { decodeIndexObject, INDEX_NAME_BYTES, type IndexObject } from "../model/index_object.ts";
import { LIMITS } from "../base/limits.ts";
import type { ChunkIndex, PackNames } from "./chunk_index.ts";
import type { IndexObjects } from "./index_objects.ts";
import { indexNameOf, putIndexObject, withFreeName } from "./index_writer.ts";
import type { Repository } from "./repository.ts";
import { splitIndex } from "./split_index.ts";

export interface RewriteOptions {
  /** Most bytes per object. */
  bytesMax?: number;
  signal?: AbortSignal;
}

/**
 * Stores `index`, as far as it is about `allowed` packs, in new objects that together replace all of `objects`, the readable
 * and the damaged ones. Until the last new object is there the old ones count too, and from then on only the new ones.
 *
 * @param allowed Of these the old objects must describe each pack whole. New objects are parts of the id space, and a pack
 *   that an interruption leaves in one of them is taken for indexed: it would be known in part
 * @param objects All that were listed before the packs were; what other clients added since then goes on to count
 * @returns Names of the new objects, and of those that they replace
 */
export async function rewriteIndex(
  repository: Repository,
  index: ChunkIndex,
  objects: IndexObjects,
  allowed: PackNames,
  options: RewriteOptions = {},
): Promise<{ written: string[]; replaced: string[] }> {
  const { store, sealer } = repository;
  // Less the room for the one name that withFreeName() may add.
  const bytesMax = (options.bytesMax ?? LIMITS.indexPartitionBytesMax) - INDEX_NAME_BYTES;
  const old = new Set([
    ...objects.current,
    ...objects.superseded,
    ...objects.damaged.map(({ key }) => key.slice(key.lastIndexOf("/") + 1)),
  ]);
  const kept = new Set<string>();
  for (const payload of splitIndex(index, { allowed, bytesMax })) kept.add(indexNameOf(payload));
  const replaced = [...old].filter((name) => !kept.has(name));
  const written: string[] = [];
  for (const payload of splitIndex(index, { allowed, bytesMax, supersedes: replaced })) {
    const named = withFreeName(payload, objects.taken, sealer.random);
    written.push(await putIndexObject(store, sealer, named, options.signal));
  }
  return { written, replaced };
}

/** `index`, as far as it is about `allowed` packs, as objects that another index can take in. */
export function* partsOf(index: ChunkIndex, allowed: PackNames): Generator<IndexObject> {
  for (const payload of splitIndex(index, { allowed })) yield decodeIndexObject(payload, "a part of the index");
}
