import { type Config, DEFAULT_CONFIG } from "../config/schema.ts";
import { isSnapshotTime } from "../model/snapshot.ts";
import type { BackupSummary } from "../operations/backup.ts";
import { NOTHING_MORE } from "../operations/backup_request.ts";
import { backupConfigured, backupStreamConfigured } from "../operations/configured_backup.ts";
import { restoreConfigured, type RestoreSummary } from "../operations/configured_restore.ts";
import type { SnapshotFilter } from "../operations/snapshot_filter.ts";
import { userIds } from "../platform/host.ts";
import { readBounded } from "../platform/read_bounded.ts";
import { chosenPlugins } from "./plugins_at_work.ts";
import { fullContext, innerOf, type OperationOptions, pin, pluginsOf, type Repository } from "./repository.ts";

/** Options of the configuration by the same names in camelCase; defaults are those of `axiom config show`. */
export type BackupSettings = Partial<Omit<Config["backup"], "paths" | "process" | "notify">>;

export interface BackupOptions extends BackupSettings, OperationOptions {
  /** Files and folders; relative ones start in the current folder. */
  paths: readonly string[];
  /** What the snapshot is said to be of, now by default. */
  time?: Date;
  /** Read and count everything, store nothing. */
  dryRun?: boolean;
}

/**
 * Saves files and folders as a new snapshot. What of them cannot be read is an event and counted in `filesFailed`; the
 * snapshot is there and says so. Throws `source_missing` if no path exists.
 */
export async function backup(repository: Repository, options: BackupOptions): Promise<BackupSummary> {
  const { paths, time, dryRun = false, onEvent, signal, ...settings } = options;
  const backup = { ...DEFAULT_CONFIG.backup, ...withoutUndefined(settings), paths };
  const context = await requestContext(repository, { onEvent, signal }, backup);
  const call = { ...NOTHING_MORE, timeNs: timeNs(time), dryRun };
  const summary = await backupConfigured(innerOf(repository), { backup }, call, context);
  await pin(repository, summary.snapshotId, summary.paths);
  return summary;
}

export interface StreamOptions extends BackupSettings, OperationOptions {
  /** Bytes until its end; an error of it means that there is no snapshot. */
  stream: ReadableStream<Uint8Array>;
  /** Path of the file in the snapshot, such as `db/shop.sql`. */
  name: string;
  time?: Date;
  dryRun?: boolean;
}

/** Saves a stream as one file of a new snapshot. Throws `source_failed` if the stream fails. */
export async function backupStream(repository: Repository, options: StreamOptions): Promise<BackupSummary> {
  const { stream, name, time, dryRun = false, onEvent, signal, ...settings } = options;
  const backup = { ...DEFAULT_CONFIG.backup, ...withoutUndefined(settings), stdinFilename: name };
  const context = await requestContext(repository, { onEvent, signal }, backup);
  const producer = { what: "the stream", bytes: stream, done: Promise.resolve(), stop() {} };
  const owner = userIds() ?? { uid: 0, gid: 0 };
  const call = { producer, mayBeEmpty: true, owner, timeNs: timeNs(time), dryRun };
  const summary = await backupStreamConfigured(innerOf(repository), { backup }, call, context);
  await pin(repository, summary.snapshotId, summary.paths);
  return summary;
}

export interface RestoreOptions extends Partial<Omit<Config["restore"], "notify">>, OperationOptions {
  /** Id, the beginning of one, or `latest`. */
  snapshot: string;
  /** Which snapshots `latest` may mean. */
  filter?: SnapshotFilter;
  /** A folder of the snapshot, whose content is restored, or a file; all by default. */
  path?: string;
  /** Made if it is missing. */
  target: string;
  /** Only say what would be done. */
  dryRun?: boolean;
}

/**
 * Makes a folder what a snapshot says. What cannot be written is an event and counted in `filesFailed`; `damaged` says that
 * the repository was at fault. Throws `snapshot_missing`, `path_missing`, `target_full`.
 */
export async function restore(repository: Repository, options: RestoreOptions): Promise<RestoreSummary> {
  const { snapshot, filter = {}, path, target, dryRun = false, onEvent, signal, ...settings } = options;
  const context = await fullContext(repository, { onEvent, signal });
  const request = { snapshot, filter, path, target, dryRun, folder: Deno.cwd() };
  const configured = { ...DEFAULT_CONFIG.restore, ...withoutUndefined(settings) };
  const by = { ...context, user: userIds() };
  return await restoreConfigured(innerOf(repository), { restore: configured }, request, by);
}

async function requestContext(repository: Repository, operation: OperationOptions, backup: Config["backup"]) {
  const chosen = chosenPlugins(pluginsOf(repository), backup);
  return {
    ...await fullContext(repository, operation, backup.host),
    ...chosen,
    folder: Deno.cwd(),
    readFile: readBounded,
  };
}

/** So that `{ host: undefined }` means the default. */
function withoutUndefined<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}

function timeNs(time: Date | undefined): string | undefined {
  if (time === undefined) return undefined;
  if (Number.isNaN(time.getTime())) throw new TypeError("Not a time: an invalid Date");
  const text = (BigInt(time.getTime()) * 1_000_000n).toString();
  if (!isSnapshotTime(text)) throw new TypeError("Not a time of a snapshot: later than the year 5138");
  return text;
}
