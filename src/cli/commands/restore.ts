import { AxiomError } from "../../base/errors.ts";
import { displayName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import type { FlagSetting } from "../../config/load.ts";
import { userIds } from "../../platform/host.ts";
import { restoreConfigured, type RestoreSummary } from "../../operations/configured_restore.ts";
import { parseSnapshotPath } from "../../operations/snapshot_paths.ts";
import { defineCommand } from "../command.ts";
import { flagSettings } from "../flag_settings.ts";
import { jsonName } from "../json.ts";
import { SNAPSHOT_FLAGS, type SnapshotChoice, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";
import { count } from "../wording.ts";

const FLAGS = [
  { long: "target", short: "t", type: "folder", description: "Folder to restore into; made if it is missing" },
  {
    long: "include",
    short: "i",
    type: "text",
    repeatable: true,
    placeholder: "pattern",
    option: "restore.include",
    description: "Restore only what matches this pattern, written as in .gitignore",
  },
  {
    long: "exclude",
    short: "e",
    type: "text",
    repeatable: true,
    placeholder: "pattern",
    option: "restore.exclude",
    description: "Do not restore what matches this pattern",
  },
  {
    long: "overwrite",
    type: "choice",
    choices: ["always", "if-changed", "if-newer", "never"],
    option: "restore.overwrite",
    description: "Which existing files are replaced; if-changed trusts equal size and time, always compares content",
  },
  {
    long: "delete",
    type: "boolean",
    option: "restore.delete",
    description: "Remove from restored folders what the snapshot does not hold, also what its backup left out",
  },
  { long: "verify", type: "boolean", option: "restore.verify", description: "Read everything back and compare" },
  {
    long: "notify",
    type: "text",
    repeatable: true,
    option: "restore.notify",
    placeholder: "plugin[=outcome,…]",
    description: "Tell this plugin how it ended; only of success, warning or failure where these are named",
  },
  { long: "dry-run", short: "n", type: "boolean", description: "Only say what would be done" },
  ...SNAPSHOT_FLAGS,
] as const;

interface RestoreCommandOptions {
  settings: FlagSetting[];
  snapshot: string;
  path: string | undefined;
  target: string;
  dryRun: boolean;
  choice: SnapshotChoice;
}

export const restore = defineCommand({
  name: "restore",
  summary: "Restore files from a snapshot",
  usage: "axiom restore <snapshot>[:<path>] --target <dir> [flags]",
  details:
    "What is in the target already and is the same is not written again, so an interrupted restore goes on where it " +
    "stopped. With <path>, a folder's content is restored into the target; without, the whole tree from the root.",
  arguments: [{
    name: "snapshot[:path]",
    description: "Id, the beginning of one, or latest; a path in it restores only that",
  }],
  flags: FLAGS,
  examples: [
    { command: "axiom restore latest --target /tmp/restored", does: "Restore the newest snapshot" },
    {
      command: "axiom restore 1a2b3c4d:/home/ann --target /home/ann --include '*.odt' --overwrite if-newer",
      does: "Bring back older documents in place",
    },
  ],
  parse: (values, [name]): RestoreCommandOptions => {
    if (values.target === undefined) {
      throw new AxiomError("usage", "Cannot run restore: --target is missing", {
        hint: "Say where to, as in `axiom restore latest --target /tmp/restored`",
      });
    }
    return {
      settings: flagSettings(FLAGS, values),
      ...named(name),
      target: values.target,
      dryRun: values["dry-run"],
      choice: snapshotChoice(values),
    };
  },
  stream: true,
  tells: "restore",
  isTrial: ({ dryRun }) => dryRun,
  run: async ({ settings, snapshot, path, target, dryRun, choice }, { app: open }) => {
    const app = await open(settings);
    const repository = await app.openRepository("read");
    const { files, events: onEvent, signal, folder } = app;
    const request = { snapshot, path, target, dryRun, filter: snapshotFilter(choice, folder), folder };
    const context = { files, pool: () => app.pool(), user: userIds(), onEvent, signal };
    const summary = await restoreConfigured(repository, app.config, request, context);
    await app.warnOfLosses();
    return { summary, dryRun };
  },
  render: ({ summary, dryRun }) => renderSummary(summary, dryRun),
  json: ({ summary }) => restoreJson(summary),
  exitCode: ({ summary }) => summary.damaged ? 13 : summary.filesFailed > 0 ? 3 : 0,
});

function named(text: string): { snapshot: string; path: string | undefined } {
  const { snapshot, path } = parseSnapshotPath(text);
  return { snapshot, path };
}

function renderSummary(summary: RestoreSummary, dryRun: boolean): string {
  const { filesRestored, filesUnchanged, filesSkipped, filesDeleted, filesFailed, bytesRestored } = summary;
  const parts = [`${filesUnchanged} unchanged`];
  if (filesSkipped > 0) parts.push(`${filesSkipped} skipped`);
  if (filesDeleted > 0) parts.push(`${filesDeleted} deleted`);
  if (filesFailed > 0) parts.push(`${filesFailed} failed`);
  if (summary.filesVerified > 0) parts.push(`${summary.filesVerified} verified`);
  const what = dryRun ? "Would restore" : "Restored";
  const where = `${what} ${count(filesRestored, "file")} to ${displayName(summary.target)}`;
  const how = dryRun
    ? `${formatSize(bytesRestored)} in all`
    : `${formatSize(bytesRestored)} in all, ${formatSize(summary.bytesWritten)} written in ` +
      `${summary.durationSeconds.toFixed(1)} s`;
  return `${where}: ${parts.join(", ")}\n${how}`;
}

function restoreJson(summary: RestoreSummary): Record<string, unknown> {
  return {
    snapshot_id: summary.snapshotId,
    target: jsonName(summary.target),
    files_restored: summary.filesRestored,
    files_unchanged: summary.filesUnchanged,
    files_skipped: summary.filesSkipped,
    files_deleted: summary.filesDeleted,
    files_failed: summary.filesFailed,
    files_verified: summary.filesVerified,
    folders_restored: summary.foldersRestored,
    others_restored: summary.othersRestored,
    bytes_restored: summary.bytesRestored,
    bytes_written: summary.bytesWritten,
    metadata_losses: summary.metadataLosses,
    duration_seconds: summary.durationSeconds,
  };
}
