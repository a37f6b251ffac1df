import { Catalogue } from "../repository/catalogue.ts";
import { CatalogueFault } from "../repository/catalogue_database.ts";
import { type FolderId, type FolderSource, type FoundEntry, TreeSource } from "../repository/folder_source.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { type ReadContext, reportDamaged } from "./list_snapshots.ts";
import { type FolderVersion, mergedWalk, type SnapshotSet } from "./merged_walk.ts";
import type { PathMatcher } from "./path_matcher.ts";
import { findSnapshots, momentOf, type SnapshotFilter } from "./snapshot_filter.ts";
import { readSnapshotList } from "./unmarked_snapshots.ts";

export interface SearchOptions {
  names?: readonly string[];
  filter?: SnapshotFilter;
  /** Where the catalogue is; without it all trees are read. */
  cache?: string;
}

export interface SearchHit {
  path: string;
  entry: FoundEntry;
  /** Oldest first. */
  snapshotIds: readonly string[];
}

/** What of the snapshots matches, in order of paths, each version of an entry once. */
export async function* searchSnapshots(
  repository: Repository,
  matcher: PathMatcher,
  options: SearchOptions,
  context: ReadContext,
): AsyncGenerator<SearchHit> {
  const list = await readSnapshotList(repository, options, context);
  reportDamaged(list, context.onEvent);
  const wanted = findSnapshots(list, options.names ?? [], options.filter ?? {}, momentOf(repository, context.onEvent));
  yield* new Search(repository, matcher, list.snapshots, wanted, context).run(options.cache);
}

class Search {
  #trees: Promise<TreeReader> | undefined;
  #hits = 0;

  constructor(
    readonly repository: Repository,
    readonly matcher: PathMatcher,
    readonly all: readonly StoredSnapshot[],
    readonly wanted: readonly StoredSnapshot[],
    readonly context: ReadContext,
  ) {}

  async *run(cache: string | undefined): AsyncGenerator<SearchHit> {
    if (this.wanted.length === 0) return;
    const catalogueContext = { ...this.context, clock: this.repository.context.clock };
    const catalogue = cache === undefined
      ? undefined
      : await Catalogue.open(cache, this.repository.id, catalogueContext);
    try {
      if (catalogue !== undefined && (yield* this.#byCatalogue(catalogue))) return;
    } finally {
      catalogue?.close();
    }
    const source = new TreeSource(await this.#openTrees());
    yield* this.#walk(source, rootsOf(this.wanted, ({ snapshot }) => snapshot.root));
  }

  /** Returns whether it came to the end; what was given until then comes first and in the same order by any other way. */
  async *#byCatalogue(catalogue: Catalogue): AsyncGenerator<SearchHit, boolean> {
    const { all, wanted, matcher } = this;
    try {
      if (!await catalogue.update({ all, wanted, trees: () => this.#openTrees() })) return false;
      const { source } = catalogue;
      await this.#warnOfDamage(await source.damagedCount());
      const roots = await source.roots(wanted.map(({ id }) => id));
      const { lastNames } = matcher;
      const found = lastNames === undefined || matcher.namesFolders ? undefined : await source.matching(lastNames);
      yield* this.#walk(found ?? source, rootsOf(wanted, ({ id }) => roots.get(id)!));
      return true;
    } catch (error) {
      if (!(error instanceof CatalogueFault)) throw error;
      if (error.kind === "broken") await catalogue.discard();
      const message = `The catalogue cannot be used, so this takes longer: ${error.message}`;
      this.context.onEvent({ type: "warning", code: "catalogue_unavailable", message });
      return false;
    }
  }

  #warnOfDamage(count: number): void {
    if (count === 0) return;
    const message = `${count} folders could not be read, so what they hold is not found`;
    this.context.onEvent({ type: "warning", code: "catalogue_damaged_folders", message });
  }

  async *#walk(source: FolderSource, roots: readonly FolderVersion[]): AsyncGenerator<SearchHit> {
    const skipped = this.#hits;
    let met = 0;
    const ids = new Map<SnapshotSet, readonly string[]>();
    for await (const { path, entry, snapshots } of mergedWalk(source, roots, this.matcher, this.context)) {
      if (++met <= skipped) continue;
      this.#hits++;
      let snapshotIds = ids.get(snapshots);
      if (snapshotIds === undefined) ids.set(snapshots, snapshotIds = this.#idsOf(snapshots));
      yield { path, entry, snapshotIds };
    }
  }

  #idsOf(snapshots: SnapshotSet): string[] {
    return this.wanted.filter((_, number) => (snapshots >> BigInt(number) & 1n) === 1n).map(({ id }) => id);
  }

  #openTrees(): Promise<TreeReader> {
    const { signal } = this.context;
    this.#trees ??= this.repository.loadIndex(signal).then((view) => this.repository.trees(view, signal));
    return this.#trees;
  }
}

/** Each root once, with the snapshots that have it. */
function rootsOf(snapshots: readonly StoredSnapshot[], rootOf: (stored: StoredSnapshot) => FolderId): FolderVersion[] {
  const roots = new Map<FolderId, FolderVersion>();
  snapshots.forEach((stored, number) => {
    const folder = rootOf(stored);
    const bit = 1n << BigInt(number);
    const known = roots.get(folder);
    if (known === undefined) roots.set(folder, { folder, snapshots: bit });
    else known.snapshots |= bit;
  });
  return [...roots.values()];
}
