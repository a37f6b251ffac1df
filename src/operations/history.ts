import { AxiomError } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { EntryType } from "../model/entry.ts";
import type { Repository } from "../repository/repository.ts";
import { literalPath } from "./find_pattern.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { absolutePath } from "./listed_entry.ts";
import { PathMatcher } from "./path_matcher.ts";
import { type SearchOptions, searchSnapshots } from "./search.ts";

export interface HistoryOptions extends SearchOptions {
  path: string;
}

/** One version of a path: the same type, mode, content and time of change. */
export interface PathVersion {
  type: EntryType;
  mode: number;
  /** Of a file. */
  sizeBytes?: number;
  mtimeNs: string;
  /** Ids of the first and the last snapshot that have it; there may be others between them. */
  firstId: string;
  lastId: string;
  snapshotIds: readonly string[];
}

/** The versions of a path, by the first snapshot that has them, oldest first; none if no snapshot has it. */
export async function pathHistory(
  repository: Repository,
  options: HistoryOptions,
  context: ReadContext,
): Promise<PathVersion[]> {
  const test = literalPath(absolutePath(options.path));
  if (test.length === 0) {
    throw new AxiomError("usage", `Cannot tell the history of ${displayName(options.path)}: it is the root`, {
      hint: "Run `axiom snapshots` to see all snapshots",
    });
  }
  const versions: PathVersion[] = [];
  for await (const hit of searchSnapshots(repository, new PathMatcher([test]), options, context)) {
    const { type, mode, sizeBytes, mtimeNs } = hit.entry;
    const size = sizeBytes === undefined ? {} : { sizeBytes };
    const { snapshotIds } = hit;
    const [firstId, lastId] = [snapshotIds[0], snapshotIds[snapshotIds.length - 1]];
    versions.push({ type, mode, ...size, mtimeNs, firstId, lastId, snapshotIds });
  }
  return versions;
}
