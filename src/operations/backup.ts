import { AxiomError, isKind, throwIfAborted } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { randomId } from "../base/random.ts";
import type { BackupMode, Snapshot } from "../model/snapshot.ts";
import { type FileSystem, SystemError } from "../platform/file_system.ts";
import type { Repository } from "../repository/repository.ts";
import { SnapshotCommit, type StoredSnapshot } from "../repository/snapshots.ts";
import { RepositoryWriter, type WriterIdentity } from "../repository/writer.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { BackupTally } from "./backup_tally.ts";
import { ChangeDetector } from "./change_detection.ts";
import { FileSaver } from "./file_saver.ts";
import { chainHead, selectParent } from "./parent.ts";
import { sourceTree, SourceTreeSaver } from "./source_tree.ts";
import { type SavePolicy, TreeSaver } from "./tree_saver.ts";

export interface BackupOptions {
  /** Absolute and normalized. */
  paths: string[];
  /** Sources that were asked for and cannot be saved; reported and counted. */
  faults?: readonly AxiomError[];
  mode: BackupMode;
  tags: string[];
  /** What the snapshot is said to be of; nanoseconds since 1970, now by default. */
  timeNs?: string;
  parent?: string;
  /** Read everything, whatever it looks like. */
  force: boolean;
  policy: SavePolicy;
  /** For trees. */
  metadataStyle: FrameStyle;
  /** Read and count, store nothing. */
  dryRun: boolean;
}

export interface BackupContext {
  files: FileSystem;
  pool: () => WorkerPool;
  identity: WriterIdentity;
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface BackupSummary {
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
  plugins: { plugin_id: string; version: string; sha256: string }[];
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
  const started = repository.context.clock.monotonicMs();
  for (let tries = 1;; tries++) {
    try {
      const summary = await new BackupRun(repository, options, context).run();
      return { ...summary, durationSeconds: (repository.context.clock.monotonicMs() - started) / 1000 };
    } catch (error) {
      if (!isKind(error, "session_fenced") || tries === TRIES) throw error;
      context.onEvent({ type: "warning", code: "session_fenced", message: `${error.message}; starting over` });
    }
  }
}

class BackupRun {
  readonly #tally: BackupTally;

  constructor(readonly repository: Repository, readonly options: BackupOptions, readonly context: BackupContext) {
    this.#tally = new BackupTally(context.onEvent);
  }

  async run(): Promise<Omit<BackupSummary, "durationSeconds">> {
    const { repository, options, context } = this;
    const scanStarted = repository.context.clock.nowNs();
    const paths = this.#existing();
    const { snapshots } = await repository.snapshots(context.signal);
    const query = { mode: options.mode, host: context.identity.host, paths, parent: options.parent };
    const parent = selectParent(snapshots, query);
    const pool = context.pool();
    let writer: RepositoryWriter | undefined;
    try {
      writer = await RepositoryWriter.begin(repository, pool, context.identity, options.metadataStyle, context.signal);
      const root = await this.#saveTree(writer, paths, parent);
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
      pool.close();
      await writer.end();
      return this.#summary(writer, options.dryRun ? null : commit.id, paths, parent);
    } catch (error) {
      pool.close();
      await writer?.abandon();
      throw error;
    }
  }

  /** Sources that are there; the others are faults, unless there is none at all. */
  #existing(): string[] {
    for (const fault of this.options.faults ?? []) this.#tally.lostSource(fault);
    const existing = this.options.paths.filter((path) => {
      try {
        this.context.files.lstat(path);
        return true;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        this.#tally.missingSource(path, error);
        return false;
      }
    });
    if (existing.length > 0) return existing.sort();
    throw new AxiomError(
      "source_missing",
      `Cannot back up ${this.options.paths.join(", ") || "what was listed"}: no such file or folder`,
      {
        hint: "Check the paths; no snapshot was made",
      },
    );
  }

  async #saveTree(writer: RepositoryWriter, paths: string[], parent: StoredSnapshot | undefined): Promise<string> {
    const { repository, options, context } = this;
    const { files, onEvent, signal } = context;
    const trees = writer.trees();
    const saver = new FileSaver(files, writer, trees);
    const detector = parent === undefined || options.force
      ? undefined
      : new ChangeDetector(parent.snapshot.scan_started);
    const walker = new TreeSaver(files, writer, saver, trees, options.policy, detector, this.#tally, onEvent, signal);
    const { put } = writer.metadata;
    const sources = new SourceTreeSaver(files, walker, trees, put, repository.keys.treeSplitKey());
    return await Promise.race([sources.save(sourceTree(paths), parent?.snapshot.root), writer.pool.broken]);
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
      mode: options.mode,
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
      plugins: [],
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
      mode: this.options.mode,
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
      plugins: [],
    };
  }
}
