import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../base/canonical_json.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { DedupTable } from "../stages/dedup_table.ts";
import { listDecoders, type ListedDecoder } from "./list_decoders.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { type RawData, rawData } from "./raw_data.ts";
import { SnapshotSizes, type TreeSize } from "./snapshot_sizes.ts";
import { walkTree } from "./tree_walk.ts";

/**
 * `restore-size`: what the snapshots would take when restored. `files-by-contents`: files of which no two have the same
 * content. `raw-data`: what the repository stores for them.
 */
export const STATISTICS_MODES = ["restore-size", "files-by-contents", "raw-data"] as const;
export type StatisticsMode = (typeof STATISTICS_MODES)[number];

export interface StatisticsOptions {
  snapshots: readonly StoredSnapshot[];
  mode: StatisticsMode;
}

export interface RestoreSize extends TreeSize {
  mode: "restore-size";
  /** In the order in which they were given; their sums are the members beside. */
  snapshots: ({ id: string } & TreeSize)[];
}

export interface ContentStatistics {
  mode: "files-by-contents";
  snapshotCount: number;
  files: number;
  bytes: number;
}

export interface RawStatistics extends RawData {
  mode: "raw-data";
  snapshotCount: number;
  /** Sum of the sizes of the snapshots' files, each file with several names once per snapshot. */
  restoreBytes: number;
  /** Plain bytes by stored bytes; null where nothing is stored. */
  compressionRatio: number | null;
  /** {@linkcode restoreBytes} by the plain bytes of file content that is stored for it; null where there is none. */
  deduplicationRatio: number | null;
  /** Modules of plugins that wrote into the repository. */
  decoders: ListedDecoder[];
}

export type Statistics = RestoreSize | ContentStatistics | RawStatistics;

/** Folders that snapshots share are read once. A folder that cannot be read is an event and counts for nothing. */
export async function statistics(
  repository: Repository,
  { snapshots, mode }: StatisticsOptions,
  context: ReadContext,
): Promise<Statistics> {
  const view = await repository.loadIndex(context.signal);
  switch (mode) {
    case "restore-size":
      return { mode, ...await restoreSize(repository, view, snapshots, context) };
    case "files-by-contents":
      return { mode, snapshotCount: snapshots.length, ...await byContents(repository, view, snapshots, context) };
    case "raw-data":
      return await rawStatistics(repository, view, snapshots, context);
  }
}

async function restoreSize(
  repository: Repository,
  view: IndexView,
  snapshots: readonly StoredSnapshot[],
  context: ReadContext,
): Promise<Omit<RestoreSize, "mode">> {
  const sizes = new SnapshotSizes(repository.trees(view, context.signal), context);
  const all: RestoreSize["snapshots"] = [];
  const sum: TreeSize = { files: 0, dirs: 0, others: 0, bytes: 0 };
  for (const { id, snapshot } of snapshots) {
    const size = await sizes.of(snapshot.root);
    all.push({ id, ...size });
    for (const key of ["files", "dirs", "others", "bytes"] as const) sum[key] += size[key];
    context.onEvent({ type: "progress", operation: "stats", filesDone: sum.files, bytesDone: sum.bytes });
  }
  return { ...sum, snapshots: all };
}

async function byContents(
  repository: Repository,
  view: IndexView,
  snapshots: readonly StoredSnapshot[],
  context: ReadContext,
): Promise<{ files: number; bytes: number }> {
  const trees = repository.trees(view, context.signal);
  const seen = DedupTable.create(view.index.entryCount);
  const isNew = (key: string) => {
    if (seen.needsSegment) seen.grow();
    return seen.claim(createHash("sha256").update(key).digest());
  };
  const total = { files: 0, bytes: 0 };
  for (const { snapshot } of snapshots) {
    if (!isNew(`folder ${snapshot.root}`)) continue;
    const walk = walkTree(trees, snapshot.root, "/", context, ({ entry }) => isNew(`folder ${entry.subtree}`));
    for await (const { entry } of walk) {
      const { elements, nodes } = entry.content ?? {};
      if (entry.type !== "file" || !isNew(`content ${canonicalJson([elements ?? [], nodes ?? []] as Json)}`)) continue;
      total.files++;
      total.bytes += Number(entry.size);
    }
    context.onEvent({ type: "progress", operation: "stats", filesDone: total.files, bytesDone: total.bytes });
  }
  return total;
}

async function rawStatistics(
  repository: Repository,
  view: IndexView,
  snapshots: readonly StoredSnapshot[],
  context: ReadContext,
): Promise<RawStatistics> {
  const { bytes: restoreBytes } = await restoreSize(repository, view, snapshots, context);
  const raw = await rawData(repository, view, snapshots, context);
  const stored = raw.files.storedBytes + raw.trees.storedBytes;
  const plain = raw.files.plainBytes + raw.trees.plainBytes;
  return {
    mode: "raw-data",
    snapshotCount: snapshots.length,
    restoreBytes,
    ...raw,
    compressionRatio: ratio(plain, stored),
    deduplicationRatio: ratio(restoreBytes, raw.files.plainBytes),
    decoders: await listDecoders(repository, context.signal),
  };
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
