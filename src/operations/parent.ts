import { AxiomError } from "../base/errors.ts";
import type { BackupMode } from "../model/snapshot.ts";
import { selectSnapshot, type StoredSnapshot } from "../repository/snapshots.ts";
import { inOrder } from "./snapshot_order.ts";

/** What decides which earlier snapshot a backup compares with. */
export interface ParentQuery {
  mode: BackupMode;
  host: string;
  user: string;
  paths: readonly string[];
  /** By which a parent of the future is told. */
  nowNs: string;
  /** Id, prefix or `latest`, given by the user. */
  parent?: string;
}

/**
 * Incremental: the last snapshot by the same user of the same host and paths; differential: the last full one of them; full:
 * none. What another user could not see, such as attributes of root, would never be looked for again. A parent that the user
 * names is taken whatever it is of.
 */
export function selectParent(snapshots: readonly StoredSnapshot[], query: ParentQuery): StoredSnapshot | undefined {
  if (query.mode === "full") {
    if (query.parent === undefined) return undefined;
    throw new AxiomError("usage", `Cannot use the parent ${query.parent}: a full backup has none`, {
      hint: "Leave out --parent, or use --mode incremental",
    });
  }
  if (query.parent !== undefined) return selectSnapshot(snapshots, query.parent);
  const own = sameSource(snapshots, query).filter(({ snapshot }) => snapshot.user === query.user);
  const same = inOrder(own, query.nowNs);
  return query.mode === "incremental" ? same.at(-1) : same.findLast(({ snapshot }) => snapshot.mode === "full");
}

/** Those of the same host and paths. */
export function sameSource(
  snapshots: readonly StoredSnapshot[],
  { host, paths }: Pick<ParentQuery, "host" | "paths">,
): StoredSnapshot[] {
  return snapshots.filter(({ snapshot }) => snapshot.host === host && samePaths(snapshot.paths, paths));
}

/** The last snapshot of a client's chain for these paths, by sequence number. */
export function chainHead(
  snapshots: readonly StoredSnapshot[],
  client: string,
  paths: readonly string[],
): StoredSnapshot | undefined {
  return snapshots
    .filter(({ snapshot }) => snapshot.client === client && samePaths(snapshot.paths, paths))
    .reduce<StoredSnapshot | undefined>(
      (head, other) => head === undefined || other.snapshot.sequence > head.snapshot.sequence ? other : head,
      undefined,
    );
}

function samePaths(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((path, i) => path === b[i]);
}
