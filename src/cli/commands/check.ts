import { displayName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import type { FlagSetting } from "../../config/load.ts";
import { check as checkRepository, type CheckSummary } from "../../operations/check.ts";
import { defineCommand } from "../command.ts";
import { DATA_FLAGS, dataSelection, dataSettings } from "../data_flags.ts";
import { flagSettings } from "../flag_settings.ts";
import { jsonName } from "../json.ts";
import { count, grouped } from "../wording.ts";

const NOTIFY_FLAGS = [
  {
    long: "notify",
    type: "text",
    repeatable: true,
    option: "check.notify",
    placeholder: "plugin[=outcome,…]",
    description: "Tell this plugin how it ended; only of success, warning or failure where these are named",
  },
] as const;
const FLAGS = [...DATA_FLAGS, ...NOTIFY_FLAGS] as const;

export const check = defineCommand({
  name: "check",
  summary: "Look for damage",
  usage: "axiom check [--read-data | --read-data-subset <n/t, percent or size>]",
  details:
    "Without flags: that every snapshot, folder and index is whole and everything that they need is there. With " +
    "--read-data also that every stored byte is what it was. Changes nothing; ends with 13 if there is damage, and with 14 " +
    "if there is none in all that can be judged without a plugin that is not there.",
  arguments: [],
  flags: FLAGS,
  examples: [
    { command: "axiom check", does: "Check the structure" },
    { command: "axiom check --read-data-subset 1/7", does: "Read a seventh too: another one on each day of the week" },
  ],
  stream: true,
  tells: "check",
  parse: (values) => ({
    settings: [...dataSettings(values), ...flagSettings(NOTIFY_FLAGS, values)],
    seed: values.seed,
  }),
  run: async ({ settings, seed }: { settings: FlagSetting[]; seed: string | undefined }, { app: open }) => {
    const app = await open(settings);
    const readData = dataSelection(app.config.check, seed, app.random);
    const repository = await app.openRepository("check");
    return await checkRepository(repository, { readData }, {
      pool: () => app.pool(),
      onEvent: app.events,
      signal: app.signal,
      distrust: app.distrust,
      foreignPaths: () => app.foreignPaths(),
    });
  },
  render: (summary) => summaryText(summary),
  json: (summary) => checkJson(summary),
  exitCode: ({ errorCount }) => errorCount > 0 ? 13 : 0,
});

const AFFECTED_SHOWN = 20;

function summaryText(summary: CheckSummary): string {
  const { errors, errorCount, packsRead, packsUnused, bytesUnused, seed } = summary;
  const lines: string[] = [];
  const affected = errors.flatMap((error) => error.affected);
  const affectedCount = errors.reduce((sum, error) => sum + error.affectedCount, 0);
  if (affectedCount > 0) lines.push("Cannot be restored as it was:");
  for (const { snapshotId, path } of affected.slice(0, AFFECTED_SHOWN)) {
    lines.push(`  ${snapshotId.slice(0, 8)}:${displayName(path)}`);
  }
  if (affectedCount > AFFECTED_SHOWN) {
    lines.push(`  and ${grouped(affectedCount - AFFECTED_SHOWN)} more; --json lists them`);
  }
  const checked = `${count(summary.snapshotsChecked, "snapshot")}, ${count(summary.treesChecked, "folder")}, ` +
    `${count(summary.packsChecked, "pack")} of ${formatSize(summary.bytesStored)}`;
  lines.push(`Checked ${checked} in ${summary.durationSeconds.toFixed(1)} s`);
  if (summary.snapshotsIncomplete > 0) {
    const lack = `${count(summary.snapshotsIncomplete, "snapshot")} made without all of the source`;
    lines.push(`${lack}: \`axiom snapshots\` shows which`);
  }
  if (packsRead > 0) {
    const drawn = seed === null ? "" : `, drawn by --seed ${seed}`;
    lines.push(`Read ${grouped(packsRead)} of them in full, ${formatSize(summary.bytesRead)}${drawn}`);
  }
  lines.push(...summary.notes.filter(({ code }) => code === "unindexed_packs").map(({ message }) => message));
  if (packsUnused > 0) lines.push(`No snapshot needs ${count(packsUnused, "pack")} of ${formatSize(bytesUnused)}`);
  lines.push(errorCount === 0 ? "No damage found" : `${count(errorCount, "damaged object")} found`);
  return lines.join("\n");
}

function checkJson(summary: CheckSummary): Record<string, unknown> {
  return {
    packs_checked: summary.packsChecked,
    packs_read: summary.packsRead,
    snapshots_checked: summary.snapshotsChecked,
    snapshots_incomplete: summary.snapshotsIncomplete,
    trees_checked: summary.treesChecked,
    chunks_checked: summary.chunksChecked,
    bytes_read: summary.bytesRead,
    bytes_stored: summary.bytesStored,
    packs_unused: summary.packsUnused,
    bytes_unused: summary.bytesUnused,
    seed: summary.seed,
    errors: summary.errors.map(({ kind, object, message, affected, affectedCount }) => ({
      kind,
      object,
      message,
      affected: affected.map(({ snapshotId, path }) => ({ snapshot_id: snapshotId, path: jsonName(path) })),
      affected_count: affectedCount,
    })),
    error_count: summary.errorCount,
    notes: summary.notes,
    duration_seconds: summary.durationSeconds,
  };
}
