import type { Clock } from "../base/clock.ts";
import { AxiomError, throwIfAborted } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { type FileSystem, SystemError, type TargetTree } from "../platform/file_system.ts";
import { folderFault } from "../platform/folder_fault.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { untilAborted } from "../resilience/until_aborted.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { Owners } from "./restore_metadata.ts";
import { RestoreExecution } from "./restore_execution.ts";
import type { RestoreBatch } from "./restore_file.ts";
import { RestoreFinish } from "./restore_finish.ts";
import { RestoreTally } from "./restore_tally.ts";
import { RestoreVerification } from "./restore_verify.ts";
import { RestoreWalk } from "./restore_walk.ts";
import { resolvePath, type SnapshotPlace } from "./snapshot_paths.ts";

export const OVERWRITE_MODES = ["always", "if-changed", "if-newer", "never"] as const;
export type OverwriteMode = (typeof OVERWRITE_MODES)[number];

export interface RestoreOptions {
  snapshot: StoredSnapshot;
  /** A path of the snapshot, whose content (a folder) or which itself (anything else) is restored; all by default. */
  path?: string;
  /** Absolute; made if it is missing. */
  target: string;
  /** Whether a path, relative to what is restored, is wanted; folders above a wanted one are made as needed. */
  select?: (path: string, isFolder: boolean) => boolean;
  overwrite: OverwriteMode;
  /** Remove what the snapshot does not have, in the folders that are restored. */
  delete: boolean;
  /** Read everything again afterwards. */
  verify: boolean;
  dryRun: boolean;
}

export interface RestoreContext {
  files: FileSystem;
  pool: () => WorkerPool;
  /** Only a privileged user may give files away. */
  owners: Owners;
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface RestoreSummary {
  snapshotId: string;
  target: string;
  filesRestored: number;
  filesUnchanged: number;
  filesSkipped: number;
  filesDeleted: number;
  filesFailed: number;
  foldersRestored: number;
  othersRestored: number;
  /** Bytes of the files that are now as the snapshot has them. */
  bytesRestored: number;
  /** Bytes that had to be written for that. */
  bytesWritten: number;
  /** Owners, modes, times and attributes that could not be set. */
  metadataLosses: number;
  filesVerified: number;
  /** True where the repository, not the target, was at fault. */
  damaged: boolean;
  durationSeconds: number;
}

/**
 * Makes the target what the snapshot says. Faults of single files are events and counted; a full target, an interruption
 * and whatever the store throws end it, and the same call goes on where it stopped. Throws `path_missing`, `target_full`.
 */
export async function restore(
  repository: Repository,
  options: RestoreOptions,
  context: RestoreContext,
): Promise<RestoreSummary> {
  const { clock } = repository.context;
  const started = clock.monotonicMs();
  const pool = context.pool();
  try {
    if (!options.dryRun) pool.prestart();
    const view = await repository.loadIndex(context.signal);
    const trees = repository.trees(view, context.signal);
    const source = await resolvePath(trees, options.snapshot, options.path); // before anything is made
    const tally = new RestoreTally(context.onEvent, options.verify);
    const verified = await runInTarget({ repository, view, trees, source, pool, tally, options, context });
    return summary(options, tally, verified, (clock.monotonicMs() - started) / 1000);
  } finally {
    pool.close();
  }
}

/** Returns how many files were verified. */
async function runInTarget(parts: Omit<RestoreRun, "target">): Promise<number> {
  const { repository, pool, options, context } = parts;
  const target = openTarget(options, context.files);
  try {
    if (target !== undefined) pool.configureRestore({ target: options.target });
    return await untilAborted(run({ ...parts, target }), context.signal);
  } finally {
    await released(pool, repository.context.clock, context.signal);
    target?.close();
  }
}

const RELEASE_MS = 1000;

/** Has the workers close the target. Interrupted, it does not wait for one that is in the middle of a large file. */
async function released(pool: WorkerPool, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  if (!signal?.aborted) return await pool.releaseTarget();
  const waiting = new AbortController();
  await Promise.race([pool.releaseTarget(), clock.sleep(RELEASE_MS, waiting.signal).catch(() => {})]);
  waiting.abort();
}

function openTarget(options: RestoreOptions, files: FileSystem): TargetTree | undefined {
  try {
    if (!options.dryRun) Deno.mkdirSync(options.target, { recursive: true });
    return files.openTarget(options.target);
  } catch (error) {
    if (options.dryRun && error instanceof SystemError && error.code === "ENOENT") return undefined;
    const why = folderFault(options.target, error);
    throw new AxiomError("target_unwritable", `Cannot restore to ${options.target}: ${why}`, {
      hint: "Choose a folder that you may write to with --target",
      cause: error,
    });
  }
}

interface RestoreRun {
  repository: Repository;
  view: IndexView;
  trees: TreeReader;
  source: SnapshotPlace;
  pool: WorkerPool;
  tally: RestoreTally;
  options: RestoreOptions;
  context: RestoreContext;
  target: TargetTree | undefined;
}

/** Returns how many files were verified. */
async function run(parts: RestoreRun): Promise<number> {
  const { repository, view, trees, source, pool, tally, options, context, target } = parts;
  const execution = target === undefined || options.dryRun
    ? undefined
    : new RestoreExecution(repository, view, pool, target, tally, options, context.signal);
  const execute = async (batch: RestoreBatch) => await execution?.run(batch);
  const { keys } = repository;
  const walk = new RestoreWalk(trees, view.index, pool, target, tally, options, context, keys, execute);
  const work = await walk.plan(source);
  throwIfAborted(context.signal);
  if (execution === undefined) {
    tally.filesDeleted = work.deletions.length;
    return 0;
  }
  new RestoreFinish(target!, tally, options, context.signal).run(work);
  if (!options.verify) return 0;
  return await new RestoreVerification(trees, view.index, pool, target!, tally, options, context, keys).run(source);
}

function summary(
  options: RestoreOptions,
  tally: RestoreTally,
  filesVerified: number,
  durationSeconds: number,
): RestoreSummary {
  return {
    snapshotId: options.snapshot.id,
    target: options.target,
    filesRestored: tally.filesRestored,
    filesUnchanged: tally.filesUnchanged,
    filesSkipped: tally.filesSkipped,
    filesDeleted: tally.filesDeleted,
    filesFailed: tally.filesFailed,
    foldersRestored: tally.foldersRestored,
    othersRestored: tally.othersRestored,
    bytesRestored: tally.bytesRestored,
    bytesWritten: tally.bytesWritten,
    metadataLosses: tally.lossCount,
    filesVerified,
    damaged: tally.damaged,
    durationSeconds,
  };
}
