import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { absolutePath, type ListedEntry, listedEntry } from "./listed_entry.ts";
import { resolvePath } from "./snapshot_paths.ts";
import { walkTree } from "./tree_walk.ts";

export interface ListEntriesOptions {
  snapshot: StoredSnapshot;
  /** A folder, whose content is listed, or anything else, which is listed itself; all by default. */
  path?: string;
  /** False lists one level. */
  recursive: boolean;
}

/**
 * Entries in order of their names' bytes, each folder before what it holds. A folder that cannot be read is an event and
 * the rest follows. Throws `path_missing`.
 */
export async function* listEntries(
  repository: Repository,
  options: ListEntriesOptions,
  context: ReadContext,
): AsyncGenerator<ListedEntry> {
  const view = await repository.loadIndex(context.signal);
  yield* listTree(repository.trees(view, context.signal), options, context);
}

/** As {@linkcode listEntries}, from trees that are at hand. */
export async function* listTree(
  trees: TreeReader,
  { snapshot, path, recursive }: ListEntriesOptions,
  context: ReadContext,
): AsyncGenerator<ListedEntry> {
  const at = absolutePath(path);
  const place = await resolvePath(trees, snapshot, at);
  if (!("folder" in place)) {
    yield listedEntry(at, place.entry);
    return;
  }
  for await (const { path: below, entry } of walkTree(trees, place.folder, at, context, () => recursive)) {
    yield listedEntry(below, entry);
  }
}
