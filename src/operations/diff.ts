import { fromHex } from "../base/bytes.ts";
import { AxiomError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Content, Entry } from "../model/entry.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { DiffStatistics } from "./diff_statistics.ts";
import { differingChunks, differingLeaves } from "./differing_nodes.ts";
import { EntryCursor, PairCursor } from "./entry_cursor.ts";
import { contentDiffers, metadataDifferences, type MetadataField } from "./entry_differences.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { absolutePath, damageReport, joinPath, type ListedEntry, listedEntry } from "./listed_entry.ts";
import { resolvePath, type SnapshotPlace } from "./snapshot_paths.ts";
import { walkTree } from "./tree_walk.ts";

/** `type`: a folder became a file, for example; what was below it is `removed`, what is below it now is `added`. */
export type ChangeKind = "added" | "removed" | "content" | "metadata" | "type";

export interface EntryChange {
  kind: ChangeKind;
  path: string;
  before?: ListedEntry;
  after?: ListedEntry;
  /** What differs beside the content; of a file that was only read anew these may be `ctime` and `inode` alone. */
  metadata: MetadataField[];
}

/** A place of a snapshot; all of it by default. */
export interface DiffSide {
  snapshot: StoredSnapshot;
  path?: string;
}

export interface SnapshotDiff {
  changes: AsyncGenerator<EntryChange>;
  /** Counts what `changes` has given so far. */
  statistics: DiffStatistics;
}

/**
 * What made `before` into `after`, in order of the names' bytes, each folder before what it holds. Reads only documents that
 * differ. A folder that cannot be read is an event, and the rest follows. Throws `path_missing`.
 */
export async function diffSnapshots(
  repository: Repository,
  before: DiffSide,
  after: DiffSide,
  context: ReadContext,
): Promise<SnapshotDiff> {
  const view = await repository.loadIndex(context.signal);
  return await diffTrees(repository.trees(view, context.signal), before, after, context, view.index);
}

/** As {@linkcode diffSnapshots}, from trees at hand; bytes within changed files are counted only with an `index`. */
export async function diffTrees(
  trees: TreeReader,
  before: DiffSide,
  after: DiffSide,
  context: ReadContext,
  index?: ChunkIndex,
): Promise<SnapshotDiff> {
  const statistics = new DiffStatistics();
  const places: [SnapshotPlace, SnapshotPlace] = [
    await resolvePath(trees, before.snapshot, before.path),
    await resolvePath(trees, after.snapshot, after.path),
  ];
  const walk = new DiffWalk(trees, index, statistics, context);
  return { changes: walk.places(...places, absolutePath(after.path)), statistics };
}

interface FolderPair {
  path: string;
  cursor: PairCursor;
}

class DiffWalk {
  readonly #stack: FolderPair[] = [];

  constructor(
    readonly trees: TreeReader,
    readonly index: ChunkIndex | undefined,
    readonly statistics: DiffStatistics,
    readonly context: ReadContext,
  ) {}

  async *places(before: SnapshotPlace, after: SnapshotPlace, path: string): AsyncGenerator<EntryChange> {
    if (before.entry !== undefined && after.entry !== undefined) yield* this.#pair(path, before.entry, after.entry);
    else if ("folder" in before && "folder" in after) await this.#push(path, before.folder, after.folder);
    else throw onlyOneRoot(path);
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      throwIfAborted(this.context.signal);
      const pair = await this.#guarded(top.path, top.cursor.next());
      if (pair === undefined) {
        this.#stack.pop();
        continue;
      }
      const name = (pair.before ?? pair.after)!.name;
      yield* this.#pair(joinPath(top.path, name), pair.before, pair.after);
    }
  }

  async *#pair(path: string, before: Entry | undefined, after: Entry | undefined): AsyncGenerator<EntryChange> {
    if (before === undefined) return yield* this.#whole("added", path, after!);
    if (after === undefined) return yield* this.#whole("removed", path, before);
    if (before.type !== after.type) {
      yield this.#change("type", path, before, after);
      if (before.type === "dir") yield* this.#below("removed", path, before);
      if (after.type === "dir") yield* this.#below("added", path, after);
      return;
    }
    const content = contentDiffers(before, after);
    const metadata = metadataDifferences(before, after);
    if (content && after.type === "file") await this.#guarded(path, this.#countChunks(before.content, after.content));
    if (content) yield this.#change("content", path, before, after, metadata);
    else if (metadata.length > 0) yield this.#change("metadata", path, before, after, metadata);
    if (after.type === "dir" && before.subtree !== after.subtree) {
      await this.#push(path, before.subtree!, after.subtree!);
    }
  }

  async *#whole(kind: "added" | "removed", path: string, entry: Entry): AsyncGenerator<EntryChange> {
    yield kind === "added" ? this.#change(kind, path, undefined, entry) : this.#change(kind, path, entry, undefined);
    if (entry.type === "dir") yield* this.#below(kind, path, entry);
  }

  async *#below(kind: "added" | "removed", path: string, folder: Entry): AsyncGenerator<EntryChange> {
    for await (const { path: below, entry } of walkTree(this.trees, folder.subtree!, path, this.context)) {
      yield kind === "added"
        ? this.#change(kind, below, undefined, entry)
        : this.#change(kind, below, entry, undefined);
    }
  }

  #change(
    kind: ChangeKind,
    path: string,
    before: Entry | undefined,
    after: Entry | undefined,
    metadata: MetadataField[] = [],
  ): EntryChange {
    this.statistics.count(kind, before, after);
    return {
      kind,
      path,
      ...(before === undefined ? {} : { before: listedEntry(path, before) }),
      ...(after === undefined ? {} : { after: listedEntry(path, after) }),
      metadata,
    };
  }

  async #push(path: string, before: string, after: string): Promise<void> {
    if (before === after) return;
    if (this.#stack.length === LIMITS.treeDepthMax) {
      throw new AxiomError("limit_exceeded", `Cannot compare ${path.slice(0, 80)}…: folders are nested too deeply`);
    }
    const leaves = await this.#guarded(path, differingLeaves(this.trees, before, after));
    if (leaves === undefined) return;
    const [left, right] = leaves.map((each) => new EntryCursor(each));
    this.#stack.push({ path, cursor: new PairCursor(left, right) });
  }

  async #countChunks(before: Content | undefined, after: Content | undefined): Promise<void> {
    if (this.index === undefined) return;
    const [gone, come] = await differingChunks(this.trees, before, after);
    this.statistics.changedBytes(this.#bytesOf(gone, before), this.#bytesOf(come, after));
  }

  #bytesOf(ids: readonly string[], content: Content | undefined): number {
    const kind = content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    let bytes = 0;
    for (const id of ids) {
      bytes += this.index!.lookup(fromHex(id)).find(({ place }) => place.kind === kind)?.place.length ?? 0;
    }
    return bytes;
  }

  /** Undefined, after an event, where a document is damaged. */
  async #guarded<T>(path: string, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      this.context.onEvent({ type: "error", error: damageReport(error), path });
      return undefined;
    }
  }
}

function onlyOneRoot(path: string): AxiomError {
  return new AxiomError("usage", `Cannot compare ${path} with something else than a whole snapshot`, {
    hint: "Name a path in both snapshots or in none",
  });
}
