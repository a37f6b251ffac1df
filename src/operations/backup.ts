import { isKind, throwIfAborted } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { randomId } from "../base/random.ts";
import type { BackupMode, Snapshot } from "../model/snapshot.ts";
import type { FileSystem } from "../platform/file_system.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import type { EntryFilter } from "../plugins/wasm_filter.ts";
import type { BackupStrategy } from "../plugins/wasm_strategy.ts";
import type { Repository } from "../repository/repository.ts";
import { SnapshotCommit, type StoredSnapshot } from "../repository/snapshots.ts";
import { withWriter } from "../repository/with_writer.ts";
import type { RepositoryWriter, WriterIdentity } from "../repository/writer.ts";
import { untilAborted } from "../resilience/until_aborted.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { type BackupPlugins, backupPlugins, takingPart } from "./backup_plugins.ts";
import type { BackupSource } from "./backup_source.ts";
import { BackupTally } from "./backup_tally.ts";
import { chosenMode } from "./chosen_mode.ts";
import { FileSource, type FileSourceOptions } from "./file_source.ts";
import { chainHead, sameSource, selectParent } from "./parent.ts";
import { warnOfAhead } from "./snapshot_order.ts";

export interface SnapshotOptions {
  mode: BackupMode;
  tags: string[];
  /** What the snapshot is said to be of; nanoseconds since 1970, now by default. */
  timeNs?: string;
  parent?: string;
  /** For trees. */
  metadataStyle: FrameStyle;
  /** Read and count, store nothing. */
  dryRun: boolean;
}

export type BackupOptions = SnapshotOptions & FileSourceOptions;

export interface BackupContext {
  files: FileSystem;
  pool: () => WorkerPool;
  /** Asked about everything that patterns leave. */
  filters?: readonly EntryFilter[];
  /** Chooses the mode where no parent is named. */
  strategy?: BackupStrategy;
  /** Folder of the cache; undefined to do without. */
  cache?: string;
  identity: WriterIdentity;
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface BackupSummary extends BackupPlugins {
  snapshotId: string | null;
  /** Sources that exist. */
  paths: string[];
  parentId: string | null;
  mode: BackupMode;
  filesNew: number;
  filesChanged: number;
  filesUnmodified: number;
  filesFailed: number;
  dirsNew: number;
  dirsChanged: number;
  dirsUnmodified: number;
  filesProcessed: number;
  bytesProcessed: number;
  /** Plain bytes that the repository lacked. */
  bytesAdded: number;
  /** What they take in the store. */
  bytesStored: number;
  chunksNew: number;
  durationSeconds: number;
}

const TRIES = 3;

/**
 * Saves `options.paths` as a new snapshot. A session that another client ended is started over; what was uploaded is used
 * again. Throws `source_missing` if no source exists, and everything that the store throws; the snapshot is then absent.
 */
export async function backup(
  repository: Repository,
  options: BackupOptions,
  context: BackupContext,
): Promise<BackupSummary> {
  return await backupSource(repository, new FileSource(options, context), options, context);
}

/** Saves what `source` gives; a source that can be read only once is not started over. */
export async function backupSource(
  repository: Repository,
  source: BackupSource,
  options: SnapshotOptions,
  context: BackupContext,
): Promise<BackupSummary> {
  const started = repository.context.clock.monotonicMs();
  for (let tries = 1;; tries++) {
    try {
      const summary = await new BackupRun(repository, source, options, context).run();
      return { ...summary, durationSeconds: (repository.context.clock.monotonicMs() - started) / 1000 };
    } catch (error) {
      if (!isKind(error, "session_fenced") || !source.isRepeatable || tries === TRIES) throw error;
      context.onEvent({ type: "warning", code: "session_fenced", message: `${error.message}; starting over` });
    }
  }
}

class BackupRun {
  readonly #tally: BackupTally;
  #mode: BackupMode;
  /** What chose it. */
  #strategy: PluginIdentity | undefined;

  constructor(
    readonly repository: Repository,
    readonly source: BackupSource,
    readonly options: SnapshotOptions,
    readonly context: BackupContext,
  ) {
    this.#tally = new BackupTally(context.onEvent);
    this.#mode = options.mode;
  }

  async run(): Promise<Omit<BackupSummary, "durationSeconds">> {
    try {
      return await this.#run();
    } finally {
      this.source.end?.();
    }
  }

  async #run(): Promise<Omit<BackupSummary, "durationSeconds">> {
    const { repository, options, context } = this;
    const scanStarted = this.source.begin(repository.context.clock.nowNs());
    const paths = await this.source.paths(this.#tally);
    const { snapshots } = await repository.snapshots(context.signal);
    const same = sameSource(snapshots, { host: context.identity.host, paths });
    warnOfAhead(same, scanStarted, context.onEvent);
    const { mode, parent: named, strategy } = await chosenMode(options, same, scanStarted, context);
    this.#mode = mode;
    this.#strategy = strategy;
    const { host, user } = context.identity;
    const query = { mode, host, user, paths, parent: named, nowNs: scanStarted };
    const parent = selectParent(snapshots, query);
    const pool = context.pool();
    const needs = { pool, identity: context.identity, style: options.metadataStyle, signal: context.signal };
    return await withWriter(repository, needs, async (writer) => {
      const saving = this.source.save(writer, this.#tally, parent);
      const root = await untilAborted(Promise.race([saving, pool.broken]), context.signal);
      await writer.flush();
      throwIfAborted(context.signal);
      const head = chainHead(snapshots, context.identity.client, paths);
      const snapshot = this.#snapshot(writer, root, scanStarted, paths, parent, head);
      const commit = new SnapshotCommit(
        repository.store,
        repository.sealer,
        randomId(repository.context.random),
        snapshot,
      );
      if (!options.dryRun) await writer.commit(commit);
      return this.#summary(writer, options.dryRun ? null : commit.id, paths, parent);
    });
  }

  #snapshot(
    writer: RepositoryWriter,
    root: string,
    scanStarted: string,
    paths: string[],
    parent: StoredSnapshot | undefined,
    head: StoredSnapshot | undefined,
  ): Snapshot {
    const { options, context } = this;
    const { client, host, user, tool_version } = context.identity;
    const tally = this.#tally;
    const now = this.repository.context.clock.nowNs();
    return {
      version: 1,
      root,
      time: options.timeNs ?? scanStarted,
      scan_started: scanStarted,
      finished: now,
      client,
      session: writer.session.id,
      host,
      user,
      paths,
      tags: [...new Set(options.tags)].sort(),
      mode: this.#mode,
      parent: parent?.id ?? null,
      sequence: (head?.snapshot.sequence ?? 0) + 1,
      previous: head?.hash ?? null,
      ...(tally.faults.length > 0 ? { faults: tally.faults } : {}),
      statistics: {
        files: tally.filesProcessed,
        dirs: tally.dirs,
        others: tally.others,
        files_new: tally.filesNew,
        files_changed: tally.filesChanged,
        files_unmodified: tally.filesUnmodified,
        files_failed: tally.filesFailed,
        bytes: tally.bytesProcessed,
        bytes_added: tally.bytesNew + writer.metadata.bytesNew,
        bytes_stored: writer.packs.storedBytes,
        chunks_new: tally.chunksNew + writer.metadata.chunksNew,
      },
      plugins: takingPart(backupPlugins(writer, this.source, this.#strategy)),
      tool_version,
    };
  }

  #summary(
    writer: RepositoryWriter,
    snapshotId: string | null,
    paths: string[],
    parent: StoredSnapshot | undefined,
  ): Omit<BackupSummary, "durationSeconds"> {
    const tally = this.#tally;
    return {
      snapshotId,
      paths,
      parentId: parent?.id ?? null,
      mode: this.#mode,
      filesNew: tally.filesNew,
      filesChanged: tally.filesChanged,
      filesUnmodified: tally.filesUnmodified,
      filesFailed: tally.filesFailed,
      dirsNew: tally.dirsNew,
      dirsChanged: tally.dirsChanged,
      dirsUnmodified: tally.dirsUnmodified,
      filesProcessed: tally.filesProcessed,
      bytesProcessed: tally.bytesProcessed,
      bytesAdded: tally.bytesNew + writer.metadata.bytesNew,
      bytesStored: writer.packs.storedBytes,
      chunksNew: tally.chunksNew + writer.metadata.chunksNew,
      ...backupPlugins(writer, this.source, this.#strategy),
    };
  }
}
