import { AxiomError } from "../base/errors.ts";
import type { EntryType } from "../model/entry.ts";
import type { Repository } from "../repository/repository.ts";
import { type FindPattern, parsePattern } from "./find_pattern.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { PathMatcher } from "./path_matcher.ts";
import type { FoundEntry } from "../repository/folder_source.ts";
import { searchSnapshots } from "./search.ts";
import type { SnapshotFilter } from "./snapshot_filter.ts";

export interface FindOptions extends FindConditions {
  /** What matches any of them is found. */
  patterns: readonly FindPattern[];
  ignoreCase: boolean;
  /** Ids, prefixes or `latest`; all that match the filter by default. */
  names?: readonly string[];
  filter?: SnapshotFilter;
  /** Where the catalogue is; without it all trees are read. */
  cache?: string;
}

/** All of them have to hold. */
export interface FindConditions {
  types?: readonly EntryType[];
  /** Changed at that time or later; nanoseconds since 1970. */
  newerThanNs?: string;
  /** Changed before that time. */
  olderThanNs?: string;
  /** Only files have a size. */
  sizeBytesMin?: number;
  sizeBytesMax?: number;
}

/** One version of an entry. */
export interface FindHit {
  path: string;
  type: EntryType;
  mode: number;
  /** Of a file. */
  sizeBytes?: number;
  mtimeNs: string;
  /** Ids of the snapshots that have it, oldest first. */
  snapshotIds: readonly string[];
}

/**
 * Entries of many snapshots that match, in order of their paths, each version once: by the catalogue, which is brought up
 * to date first, or else by reading all trees, each folder that snapshots share once. Throws `usage`.
 */
export async function* findEntries(
  repository: Repository,
  options: FindOptions,
  context: ReadContext,
): AsyncGenerator<FindHit> {
  const { patterns, ignoreCase } = options;
  if (patterns.length === 0) {
    throw new AxiomError("usage", "Cannot find anything: no pattern was given", { hint: "Run `axiom help find`" });
  }
  const matcher = new PathMatcher(patterns.map((pattern) => parsePattern(pattern, ignoreCase)));
  const holds = conditionOf(options);
  for await (const { path, entry, snapshotIds } of searchSnapshots(repository, matcher, options, context)) {
    if (holds(entry)) yield hitOf(path, entry, snapshotIds);
  }
}

function conditionOf(conditions: FindConditions): (entry: FoundEntry) => boolean {
  const { types, newerThanNs, olderThanNs, sizeBytesMin, sizeBytesMax } = conditions;
  const newer = newerThanNs === undefined ? undefined : BigInt(newerThanNs);
  const older = olderThanNs === undefined ? undefined : BigInt(olderThanNs);
  return ({ type, mtimeNs, sizeBytes }) =>
    (types === undefined || types.length === 0 || types.includes(type)) &&
    (newer === undefined || BigInt(mtimeNs) >= newer) && (older === undefined || BigInt(mtimeNs) < older) &&
    (sizeBytesMin === undefined || (sizeBytes !== undefined && sizeBytes >= sizeBytesMin)) &&
    (sizeBytesMax === undefined || (sizeBytes !== undefined && sizeBytes <= sizeBytesMax));
}

function hitOf(path: string, entry: FoundEntry, snapshotIds: readonly string[]): FindHit {
  const { type, mode, sizeBytes, mtimeNs } = entry;
  return { path, type, mode, ...(sizeBytes === undefined ? {} : { sizeBytes }), mtimeNs, snapshotIds };
}
