import type { EventSink } from "../base/events.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList } from "../repository/snapshots.ts";
import { withWriter } from "../repository/with_writer.ts";
import type { RepositoryWriter, WriterIdentity } from "../repository/writer.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import { findSnapshots, type Moment, momentOf } from "./snapshot_filter.ts";
import { type ChosenSnapshots, SnapshotsRepair } from "./snapshots_repair.ts";
import type { DroppedPart } from "./tree_repair.ts";

export interface RepairSnapshotsOptions {
  /** Ids, prefixes or `latest`; all by default. */
  names?: readonly string[];
  /** Files whose content lost chunks stay as they are: a later backup may bring the chunks back. */
  keepFiles: boolean;
  /**
   * Takes the old snapshots away once the new ones count, and sets those aside of which nothing can be saved; the ledger
   * says so.
   */
  forget: boolean;
  /** Only says what would be done. */
  dryRun: boolean;
  /** For trees. */
  metadataStyle: FrameStyle;
}

export interface RepairSnapshotsContext {
  pool: () => WorkerPool;
  identity: WriterIdentity;
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface SnapshotRepair {
  snapshotId: string;
  /** Null when dry, and where nothing of the snapshot can be saved. */
  newSnapshotId: string | null;
  /** Whether it did not count, because its commit marker is gone or damaged. */
  uncounted: boolean;
  /** Whether the old snapshot is gone. */
  forgotten: boolean;
  /** Where what is left of it is now. */
  asideKeys: string[];
  /** Why nothing can be saved. */
  reason: string | null;
  /** At most `LIMITS.affectedPathsMax`. */
  dropped: DroppedPart[];
  droppedCount: number;
}

export interface RepairSnapshotsSummary {
  dryRun: boolean;
  snapshotsChecked: number;
  /** Those that lost something. */
  repairs: SnapshotRepair[];
  /**
   * Documents of folders that no snapshot reaches, such as those of a snapshot whose manifest is damaged; null where not all
   * snapshots were looked at.
   */
  documentsUnreached: number | null;
  durationSeconds: number;
}

/**
 * Makes a new snapshot of each that lost something, without what is lost, and says what that is. The old one stays: what it
 * lost may come back with a backup or a copy of a pack; `forget` takes it away nevertheless. Run `repairIndex` and
 * `repairPacks` first: what the index cannot tell to be damaged is not looked for here.
 *
 * A snapshot whose commit marker is gone or damaged is committed anew, by all the steps of a writer: a deleter may have
 * taken it for given up, so its old marker may not be put back. Its manifest is then set aside.
 *
 * Throws `storage_busy` while a deletion may take away what a new snapshot would need.
 */
export async function repairSnapshots(
  repository: Repository,
  options: RepairSnapshotsOptions,
  context: RepairSnapshotsContext,
): Promise<RepairSnapshotsSummary> {
  const { clock } = repository.context;
  const started = clock.monotonicMs();
  const { signal } = context;
  if (options.forget && !options.dryRun) repository.require("delete");
  const list = await repository.snapshots(signal);
  const chosen = choose(list, options.names ?? [], momentOf(repository, context.onEvent));
  const run = async (view: IndexView, writer?: RepositoryWriter) =>
    await new SnapshotsRepair(repository, view, list, options, context, writer).run(chosen);
  const needs = () => ({
    pool: context.pool(),
    identity: context.identity,
    style: options.metadataStyle,
    signal,
  });
  const done = options.dryRun
    ? await run(await repository.loadIndex(signal))
    : await withWriter(repository, needs(), (writer) => run(writer.view, writer));
  return { dryRun: options.dryRun, ...done, durationSeconds: (clock.monotonicMs() - started) / 1000 };
}

/** What `names` mean among all snapshots, those that do not count included. */
function choose(list: SnapshotList, names: readonly string[], moment: Moment): ChosenSnapshots {
  const strays = [...list.damaged.map(({ id }) => id), ...list.orphans, ...list.unfinished];
  const meansStray = (name: string) => name.length >= 8 && strays.some((id) => id.startsWith(name));
  const counted = names.filter((name) => !meansStray(name));
  return {
    snapshots: names.length > 0 && counted.length === 0 ? [] : findSnapshots(list, counted, {}, moment),
    isChosenStray: (id) => names.length === 0 || names.some((name) => meansStray(name) && id.startsWith(name)),
    isAll: names.length === 0,
  };
}
