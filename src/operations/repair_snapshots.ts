import type { EventSink } from "../base/events.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList, StoredSnapshot } from "../repository/snapshots.ts";
import { RepositoryWriter, type WriterIdentity } from "../repository/writer.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import { type CheckError, Findings } from "./check_findings.ts";
import { PacksCheck } from "./check_packs.ts";
import { ReferencesCheck } from "./check_snapshots.ts";
import { commitRepaired, forgetReplaced, REPAIRED_TAG } from "./repaired_snapshot.ts";
import { demandSafeFromDeletion } from "./safe_from_deletion.ts";
import { findSnapshots, momentOf } from "./snapshot_filter.ts";
import { type DroppedPart, listDropped, TreeRepair } from "./tree_repair.ts";
import type { TreeSurvey } from "./tree_survey.ts";

export interface RepairSnapshotsOptions {
  /** Ids, prefixes or `latest`; all by default. */
  names?: readonly string[];
  /** Files whose content lost chunks stay as they are: a later backup may bring the chunks back. */
  keepFiles: boolean;
  /** Takes the old snapshots away once the new ones count; the ledger says so. */
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
  /** Whether the old snapshot is gone. */
  forgotten: boolean;
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
  durationSeconds: number;
}

/**
 * Makes a new snapshot of each that lost something, without what is lost, and says what that is. The old one stays: what it
 * lost may come back with a backup or a copy of a pack; `forget` takes it away nevertheless. Run `repairIndex` and `repairPacks` first: what the index cannot tell
 * to be damaged is not looked for here.
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
  const snapshots = findSnapshots(list, options.names ?? [], {}, momentOf(repository, context.onEvent));
  const done = options.dryRun
    ? await new SnapshotsRepair(repository, await repository.loadIndex(signal), list, options, context).run(snapshots)
    : await withWriter(
      repository,
      options,
      context,
      (writer) => new SnapshotsRepair(repository, writer.view, list, options, context, writer).run(snapshots),
    );
  return {
    dryRun: options.dryRun,
    snapshotsChecked: snapshots.length,
    repairs: done,
    durationSeconds: (clock.monotonicMs() - started) / 1000,
  };
}

async function withWriter<T>(
  repository: Repository,
  options: RepairSnapshotsOptions,
  context: RepairSnapshotsContext,
  run: (writer: RepositoryWriter) => Promise<T>,
): Promise<T> {
  const pool = context.pool();
  let writer: RepositoryWriter | undefined;
  try {
    writer = await RepositoryWriter.begin(repository, pool, context.identity, options.metadataStyle, context.signal);
    const result = await run(writer);
    pool.close();
    await writer.end();
    return result;
  } catch (error) {
    pool.close();
    await writer?.abandon();
    throw error;
  }
}

class SnapshotsRepair {
  constructor(
    readonly repository: Repository,
    readonly view: IndexView,
    readonly list: SnapshotList,
    readonly options: RepairSnapshotsOptions,
    readonly context: RepairSnapshotsContext,
    readonly writer?: RepositoryWriter,
  ) {}

  async run(snapshots: readonly StoredSnapshot[]): Promise<SnapshotRepair[]> {
    const { repository, view, options, writer } = this;
    const { onEvent, signal } = this.context;
    const findings = new Findings(() => {});
    const packs = new PacksCheck(repository, view, findings, onEvent, signal);
    await packs.run();
    const { survey } = new ReferencesCheck(repository, packs, findings, onEvent, signal);
    const put = writer?.metadata.put;
    const trees = put && new TreeRepair(survey, put, repository.keys.treeSplitKey(), options.keepFiles);
    const lossy: StoredSnapshot[] = [];
    for (const [filesDone, stored] of snapshots.entries()) {
      const progress = { filesDone, filesTotal: snapshots.length, bytesDone: 0, current: stored.id };
      onEvent({ type: "progress", operation: "repair snapshots", ...progress });
      if (await survey.folder(stored.snapshot.root) !== undefined) lossy.push(stored);
    }
    if (writer !== undefined) await demandSafeFromDeletion(repository, lossy, writer.condemned, signal);
    const repairs: SnapshotRepair[] = [];
    for (const stored of lossy) {
      const repair = await this.#plan(stored, survey);
      if (repair.droppedCount === 0) continue; // files that are kept
      repairs.push(repair);
      if (trees === undefined || repair.reason !== null) continue;
      repair.newSnapshotId = await this.#repaired(stored, survey) ??
        await commitRepaired(writer!, (await trees.folder(stored.snapshot.root))!, stored, repair.dropped);
      if (options.forget) {
        repair.forgotten = await forgetReplaced(repository, stored, repair.newSnapshotId, this.context);
      }
    }
    return repairs;
  }

  /** A whole snapshot of it that a run before this one has made. */
  async #repaired(stored: StoredSnapshot, survey: TreeSurvey<CheckError>): Promise<string | undefined> {
    const original = stored.snapshot.original ?? stored.id;
    for (const { id, snapshot } of this.list.snapshots) {
      if (snapshot.original !== original || !snapshot.tags.includes(REPAIRED_TAG)) continue;
      if (await survey.folder(snapshot.root) === undefined) return id;
    }
    return undefined;
  }

  async #plan({ id, snapshot }: StoredSnapshot, survey: TreeSurvey<CheckError>): Promise<SnapshotRepair> {
    const { parts, count } = await listDropped(survey, snapshot.root, this.options.keepFiles, this.context.signal);
    const root = survey.lostDocument(snapshot.root);
    return {
      snapshotId: id,
      newSnapshotId: null,
      forgotten: false,
      reason: root === undefined ? null : root[0].message,
      dropped: parts,
      droppedCount: count,
    };
  }
}
