import { throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { compareNames } from "../base/names.ts";
import type { FolderId, FolderSource, FoundEntry } from "../repository/folder_source.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { damageReport, joinPath } from "./listed_entry.ts";
import type { MatchState, PathMatcher } from "./path_matcher.ts";

/** Numbers of snapshots as bits. */
export type SnapshotSet = bigint;

/** A version of a folder, and the snapshots that have it. */
export interface FolderVersion {
  folder: FolderId;
  snapshots: SnapshotSet;
}

/** An entry that matches, in one version, and the snapshots that have that. */
export interface MergedEntry {
  path: string;
  entry: FoundEntry;
  snapshots: SnapshotSet;
}

/** Entries of one name in the versions of a folder. */
interface NamedVersions {
  name: string;
  found: { entry: FoundEntry; snapshots: SnapshotSet }[];
}

/**
 * Walks through many snapshots at once: what several of them have at the same path is read once. Ordered by path, folders
 * before what they hold, versions by the first snapshot that has them. A folder that cannot be read is an event.
 *
 * @param roots Each folder once
 */
export async function* mergedWalk(
  source: FolderSource,
  roots: readonly FolderVersion[],
  matcher: PathMatcher,
  context: ReadContext,
): AsyncGenerator<MergedEntry> {
  const stack = [new FolderMerge(source, roots, "/", matcher.start, matcher.only(matcher.start), context)];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    throwIfAborted(context.signal);
    const versions = await top.next();
    if (versions === undefined) {
      stack.pop();
      continue;
    }
    const { matches, below } = matcher.step(top.state, versions.name);
    const path = joinPath(top.path, versions.name);
    if (matches) { for (const version of distinctVersions(versions)) yield { path, ...version }; }
    if (below === undefined || stack.length === LIMITS.treeDepthMax) continue;
    const folders = distinctFolders(versions);
    if (folders.length > 0) stack.push(new FolderMerge(source, folders, path, below, matcher.only(below), context));
  }
}

function distinctVersions({ found }: NamedVersions): NamedVersions["found"] {
  if (found.length === 1) return found;
  const versions = new Map<string, NamedVersions["found"][number]>();
  for (const { entry, snapshots } of found) {
    const key = [entry.type, entry.mode, entry.sizeBytes, entry.mtimeNs, entry.fingerprint].join();
    const same = versions.get(key);
    if (same === undefined) versions.set(key, { entry, snapshots });
    else same.snapshots |= snapshots;
  }
  return inOrder([...versions.values()]);
}

function distinctFolders({ found }: NamedVersions): FolderVersion[] {
  const folders = new Map<FolderId, FolderVersion>();
  for (const { entry: { folder }, snapshots } of found) {
    if (folder === undefined) continue;
    const same = folders.get(folder);
    if (same === undefined) folders.set(folder, { folder, snapshots });
    else same.snapshots |= snapshots;
  }
  return [...folders.values()];
}

function inOrder<T extends { snapshots: SnapshotSet }>(versions: T[]): T[] {
  return versions.sort((a, b) => {
    const [left, right] = [a.snapshots & -a.snapshots, b.snapshots & -b.snapshots];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

class VersionCursor {
  #leaf: readonly FoundEntry[] = [];
  #at = 0;
  readonly #leaves: AsyncIterator<readonly FoundEntry[]>;

  constructor(leaves: AsyncIterable<readonly FoundEntry[]>, readonly snapshots: SnapshotSet) {
    this.#leaves = leaves[Symbol.asyncIterator]();
  }

  get current(): FoundEntry | undefined {
    return this.#leaf[this.#at];
  }

  /** Whether the next entry has to be read first. */
  get isEmpty(): boolean {
    return this.#at >= this.#leaf.length;
  }

  advance(): void {
    this.#at++;
  }

  /** False at the end. */
  async fill(): Promise<boolean> {
    while (this.isEmpty) {
      const { done, value } = await this.#leaves.next();
      if (done) return false;
      this.#leaf = value;
      this.#at = 0;
    }
    return true;
  }
}

/** The versions of one folder side by side. */
class FolderMerge {
  #cursors: VersionCursor[];

  constructor(
    source: FolderSource,
    versions: readonly FolderVersion[],
    readonly path: string,
    readonly state: MatchState,
    only: string | undefined,
    readonly context: ReadContext,
  ) {
    this.#cursors = versions.map(({ folder, snapshots }) => new VersionCursor(source.entries(folder, only), snapshots));
  }

  async next(): Promise<NamedVersions | undefined> {
    for (const cursor of this.#cursors) if (cursor.isEmpty) await this.#fill(cursor);
    let name: string | undefined;
    for (const { current } of this.#cursors) {
      if (name === undefined || compareNames(current!.name, name) < 0) name = current!.name;
    }
    if (name === undefined) return undefined;
    const found: NamedVersions["found"] = [];
    for (const cursor of this.#cursors) {
      if (cursor.current!.name !== name) continue;
      found.push({ entry: cursor.current!, snapshots: cursor.snapshots });
      cursor.advance();
    }
    return { name, found };
  }

  async #fill(cursor: VersionCursor): Promise<void> {
    let more = false;
    try {
      more = await cursor.fill();
    } catch (error) {
      this.context.onEvent({ type: "error", error: damageReport(error), path: this.path });
    }
    if (!more) this.#cursors = this.#cursors.filter((each) => each !== cursor);
  }
}
