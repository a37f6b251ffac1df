import { ignoreEvents } from "../base/events.ts";
import type { SnapshotFault } from "../model/snapshot.ts";
import { check as runCheck, type CheckSummary } from "../operations/check.ts";
import type { DataSelection } from "../operations/data_selection.ts";
import { diffSnapshots, type SnapshotDiff } from "../operations/diff.ts";
import { type Dump, dump as runDump } from "../operations/dump.ts";
import { type FindConditions, findEntries, type FindHit } from "../operations/find.ts";
import type { FindPattern } from "../operations/find_pattern.ts";
import { listEntries as runListEntries } from "../operations/list_entries.ts";
import { listSnapshots as runListSnapshots, type SnapshotSummary } from "../operations/list_snapshots.ts";
import type { ListedEntry } from "../operations/listed_entry.ts";
import { findSnapshot, findSnapshots, momentOf, type SnapshotFilter } from "../operations/snapshot_filter.ts";
import { faultsBelow, warnOfFaults } from "../operations/snapshot_faults.ts";
import { tagSnapshots, type TagSummary } from "../operations/tag.ts";
import { readSnapshotList } from "../operations/unmarked_snapshots.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { fullContext, innerOf, type OperationOptions, readContext, type Repository } from "./repository.ts";

export interface SnapshotsOptions extends OperationOptions {
  filter?: SnapshotFilter;
  /** Only so many of the newest of each host and list of paths; all by default. */
  newest?: number;
}

/** Oldest first. Snapshots that cannot be read are events. */
export function listSnapshots(repository: Repository, options: SnapshotsOptions = {}): Promise<SnapshotSummary[]> {
  const { filter, newest } = options;
  return runListSnapshots(innerOf(repository), { filter, newest }, readContext(repository, options));
}

/** A place in a snapshot. */
export interface SnapshotPlace {
  /** Id, the beginning of one, or `latest`. */
  snapshot: string;
  /** Which snapshots `latest` may mean. */
  filter?: SnapshotFilter;
  /** All by default. */
  path?: string;
}

export interface EntriesOptions extends SnapshotPlace, OperationOptions {
  /** False lists one level. True by default. */
  recursive?: boolean;
}

/** In order of the names' bytes, each folder before what it holds. Throws `snapshot_missing`, `path_missing`. */
export async function* listEntries(repository: Repository, options: EntriesOptions): AsyncGenerator<ListedEntry> {
  const { path, recursive = true } = options;
  const snapshot = await snapshotOf(repository, options, options);
  yield* runListEntries(innerOf(repository), { snapshot, path, recursive }, readContext(repository, options));
}

/** What could not be saved when the snapshot was made, at `path` and below it; the first 1,000 at most. */
export async function listFaults(
  repository: Repository,
  options: SnapshotPlace & OperationOptions,
): Promise<SnapshotFault[]> {
  const { snapshot } = await snapshotOf(repository, options, { ...options, onEvent: ignoreEvents });
  return faultsBelow(snapshot, options.path);
}

/** The content of a file, or a tar archive of anything else. */
export async function dump(
  repository: Repository,
  options: SnapshotPlace & OperationOptions & { archive?: boolean },
): Promise<Dump> {
  const { path, archive = false } = options;
  const snapshot = await snapshotOf(repository, options, options);
  return await runDump(innerOf(repository), { snapshot, path, archive }, readContext(repository, options));
}

/** What made one place of a snapshot into another. */
export async function diff(
  repository: Repository,
  before: SnapshotPlace,
  after: SnapshotPlace,
  options: OperationOptions = {},
): Promise<SnapshotDiff> {
  const side = async (place: SnapshotPlace) => ({
    snapshot: await snapshotOf(repository, place, options),
    path: place.path,
  });
  return await diffSnapshots(
    innerOf(repository),
    await side(before),
    await side(after),
    readContext(repository, options),
  );
}

export interface FindOptions extends FindConditions, OperationOptions {
  /** As globs such as `*.odt`, or words of names. */
  patterns: readonly (string | FindPattern)[];
  /** False by default. */
  ignoreCase?: boolean;
  filter?: SnapshotFilter;
  /** Folder of a catalogue that makes later searches fast; without it all trees are read. */
  cacheFolder?: string;
}

/** In order of paths, each version of an entry once. */
export function find(repository: Repository, options: FindOptions): AsyncGenerator<FindHit> {
  const { patterns, ignoreCase = false, cacheFolder: cache, onEvent: _, signal: __, ...conditions } = options;
  const all = patterns.map((pattern): FindPattern =>
    typeof pattern === "string" ? { text: pattern, kind: "glob" } : pattern
  );
  return findEntries(
    innerOf(repository),
    { ...conditions, patterns: all, ignoreCase, cache },
    readContext(repository, options),
  );
}

/** Looks for damage and changes nothing. Without `readData` only structure is looked at, with it stored bytes too. */
export async function check(
  repository: Repository,
  options: OperationOptions & { readData?: DataSelection } = {},
): Promise<CheckSummary> {
  const context = await fullContext(repository, options);
  return await runCheck(innerOf(repository), { readData: options.readData }, context);
}

export interface TagOptions extends OperationOptions {
  /** Ids, beginnings of ids, or `latest`. */
  snapshots: readonly string[];
  /** Replaces all tags; else `add` and `remove` change some. */
  set?: readonly string[];
  add?: readonly string[];
  remove?: readonly string[];
}

/** Gives snapshots other tags, and with them new ids. */
export async function tag(repository: Repository, options: TagOptions): Promise<TagSummary> {
  const inner = innerOf(repository);
  const { set, add, remove } = options;
  const { onEvent, signal } = readContext(repository, options);
  const list = await readSnapshotList(inner, { names: options.snapshots }, { onEvent, signal });
  const snapshots = options.snapshots.length === 0
    ? []
    : findSnapshots(list, options.snapshots, {}, momentOf(inner, onEvent));
  return await tagSnapshots(inner, { snapshots, set, add, remove }, await fullContext(repository, options));
}

async function snapshotOf(
  repository: Repository,
  { snapshot: name, filter = {}, path }: SnapshotPlace,
  operation: OperationOptions,
): Promise<StoredSnapshot> {
  const inner = innerOf(repository);
  const { onEvent, signal } = readContext(repository, operation);
  const list = await readSnapshotList(inner, { names: [name], filter }, { onEvent, signal });
  const snapshot = findSnapshot(list, name, filter, momentOf(inner, onEvent));
  warnOfFaults(snapshot, path, onEvent);
  return snapshot;
}
