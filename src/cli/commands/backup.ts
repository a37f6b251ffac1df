import { AxiomError } from "../../base/errors.ts";
import { formatSize } from "../../base/sizes.ts";
import { type FolderMarker, folderMarker } from "../../config/choices.ts";
import type { FlagSetting } from "../../config/load.ts";
import type { BackupSummary } from "../../operations/backup.ts";
import { backupConfigured } from "../../operations/configured_backup.ts";
import type { BackupRequest } from "../../operations/backup_request.ts";
import { readBounded } from "../../platform/read_bounded.ts";
import { BACKUP_FLAGS } from "../backup_flags.ts";
import { defineCommand, type FlagValues } from "../command.ts";
import { flagSettings } from "../flag_settings.ts";
import { count, grouped } from "../wording.ts";

interface BackupCommandOptions {
  settings: FlagSetting[];
  request: BackupRequest;
  timeNs: string | undefined;
  dryRun: boolean;
}

export const backup = defineCommand({
  name: "backup",
  summary: "Save files as a new snapshot",
  usage: "axiom backup [flags] <path>…\naxiom backup [flags] --stdin [--stdin-filename <name>]\n" +
    "axiom backup [flags] --stdin-from-command -- <command>…",
  details:
    "Files that did not change since the last snapshot of the same paths are not read again. An interrupted backup " +
    "leaves no snapshot; the next one uses what was uploaded.",
  arguments: [{
    name: "path",
    description: "File or folder; those of the configuration if none is given",
    optional: true,
    repeatable: true,
    completes: "file",
  }],
  flags: BACKUP_FLAGS,
  examples: [
    { command: "axiom backup /home /etc --exclude '*.tmp' --tag nightly", does: "Save two folders" },
    { command: "axiom backup --dry-run /home", does: "Say how much would be added" },
    {
      command: "axiom backup --stdin-from-command --stdin-filename db.sql -- pg_dump shop",
      does: "Save what a program prints",
    },
  ],
  stream: true,
  parse: (values, paths): BackupCommandOptions => ({
    settings: flagSettings(BACKUP_FLAGS, values),
    request: requestOf(values, paths),
    timeNs: values.time,
    dryRun: values["dry-run"],
  }),
  run: async ({ settings, request, timeNs, dryRun }, { app: open }) => {
    const app = await open(settings);
    const repository = await app.openRepository();
    const { files, registry, random, folder, events: onEvent, signal } = app;
    const identity = await app.identity();
    const summary = await backupConfigured(repository, app.config, { ...request, timeNs, dryRun }, {
      files,
      registry,
      random,
      folder,
      readFile: readList,
      pool: () => app.pool(),
      identity,
      onEvent,
      signal,
    });
    if (summary.snapshotId !== null) await app.pinSnapshot(repository, summary.snapshotId, summary.paths);
    app.warnOfLosses();
    return summary;
  },
  render: renderSummary,
  json: backupJson,
  exitCode: ({ filesFailed }) => filesFailed > 0 ? 3 : 0,
});

/** `-` is standard input, as far as that can be said of a file. */
function readList(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  return readBounded(path === "-" ? "/dev/stdin" : path, bytesMax);
}

function requestOf(values: FlagValues<typeof BACKUP_FLAGS>, paths: readonly string[]): BackupRequest {
  return {
    paths,
    filesFrom: values["files-from"],
    filesFromRaw: values["files-from-raw"],
    exclude: values.exclude,
    iexclude: values.iexclude,
    excludeFile: values["exclude-file"],
    excludeIfPresent: values["exclude-if-present"].map(marker),
  };
}

function marker(text: string): FolderMarker {
  try {
    return folderMarker.read(text, {});
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AxiomError("usage", `Cannot read --exclude-if-present "${text}": expected ${error.message}`);
  }
}

function renderSummary(summary: BackupSummary): string {
  const { snapshotId, parentId, filesFailed } = summary;
  const after = parentId === null ? "" : `, after ${parentId.slice(0, 8)}`;
  const head = snapshotId === null
    ? "Nothing was stored: this was a dry run"
    : `Saved snapshot ${snapshotId.slice(0, 8)} (${summary.mode}${after})`;
  const states = (added: number, changed: number, unmodified: number) =>
    `${grouped(added)} new, ${grouped(changed)} changed, ${grouped(unmodified)} unmodified`;
  const failed = filesFailed === 0 ? "" : `, ${grouped(filesFailed)} failed`;
  return [
    head,
    `Files:    ${states(summary.filesNew, summary.filesChanged, summary.filesUnmodified)}${failed}`,
    `Folders:  ${states(summary.dirsNew, summary.dirsChanged, summary.dirsUnmodified)}`,
    `Read ${count(summary.filesProcessed, "file")} of ${formatSize(summary.bytesProcessed)} in ` +
    `${summary.durationSeconds.toFixed(1)} s: ${formatSize(summary.bytesAdded)} new, ` +
    `${formatSize(summary.bytesStored)} ${snapshotId === null ? "to store" : "stored"}`,
  ].join("\n");
}

function backupJson(summary: BackupSummary): Record<string, unknown> {
  return {
    snapshot_id: summary.snapshotId,
    parent_id: summary.parentId,
    mode: summary.mode,
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    files_failed: summary.filesFailed,
    dirs_new: summary.dirsNew,
    dirs_changed: summary.dirsChanged,
    dirs_unmodified: summary.dirsUnmodified,
    files_processed: summary.filesProcessed,
    bytes_processed: summary.bytesProcessed,
    bytes_added: summary.bytesAdded,
    bytes_stored: summary.bytesStored,
    chunks_new: summary.chunksNew,
    duration_seconds: summary.durationSeconds,
    plugins: summary.plugins,
  };
}
