import { displayName } from "../../base/names.ts";
import {
  repairSnapshots as repairAll,
  type RepairSnapshotsSummary,
  type SnapshotRepair,
} from "../../operations/repair_snapshots.ts";
import { metadataStyleOf } from "../../operations/save_policy.ts";
import { defineCommand } from "../command.ts";
import { jsonName } from "../json.ts";
import { SNAPSHOT_NAMES } from "../snapshot_flags.ts";
import { count, grouped } from "../wording.ts";

const FLAGS = [
  {
    long: "forget",
    type: "boolean",
    description:
      "Take the damaged snapshots away once the new ones are there, and set aside those of which nothing can be saved",
  },
  {
    long: "keep-files",
    type: "boolean",
    description: "Keep files that lost content as they are: a later backup may bring it back",
  },
  { long: "dry-run", short: "n", type: "boolean", description: "Only say what would be done" },
] as const;

export const repairSnapshots = defineCommand({
  name: "repair snapshots",
  summary: "Make new snapshots of those that lost something, without what is lost",
  usage: "axiom repair snapshots [--forget] [--keep-files] [--dry-run] [<snapshot>…]",
  details:
    "The new snapshots have the tag repaired. A snapshot that does not count because its commit marker was lost or " +
    "damaged is brought back under a new id. Run `axiom repair index` first, and a backup of what is affected: " +
    "what it can store again is no longer lost.",
  arguments: [SNAPSHOT_NAMES],
  flags: FLAGS,
  examples: [
    { command: "axiom repair snapshots --dry-run", does: "Say what snapshots lost" },
    { command: "axiom repair snapshots --forget 1a2b3c4d", does: "Replace one by what is left of it" },
  ],
  stream: true,
  parse: (values, names) => ({
    names,
    forget: values.forget,
    keepFiles: values["keep-files"],
    dryRun: values["dry-run"],
  }),
  run: async (options, { app: open }) => {
    const app = await open();
    const repository = await app.openRepository("read");
    const metadataStyle = metadataStyleOf(app.config.backup, app.registry);
    return await repairAll(repository, { ...options, metadataStyle }, {
      pool: () => app.pool(),
      identity: await app.identity(),
      onEvent: app.events,
      signal: app.signal,
    });
  },
  render: (summary) => summaryText(summary),
  json: (summary) => summaryJson(summary),
  exitCode: ({ repairs }) => repairs.some(({ reason, forgotten }) => reason !== null && !forgotten) ? 13 : 0,
});

const DROPPED_SHOWN = 20;

function summaryText({ repairs, snapshotsChecked, documentsUnreached, dryRun }: RepairSnapshotsSummary): string {
  const lines = repairs.flatMap((repair) => repairText(repair, dryRun));
  const lost = repairs.length === 0 ? "none lost anything" : `${repairs.length} lost something`;
  const isLost = repairs.some(({ reason }) => reason !== null);
  if (isLost && documentsUnreached !== null && documentsUnreached > 0) {
    const what = `${count(documentsUnreached, "document")} of folders that no snapshot names`;
    lines.push(`${what} are still stored: with a copy of the lost manifest its snapshot may be whole again`);
  }
  return [...lines, `${count(snapshotsChecked, "snapshot")} checked, ${lost}`].join("\n");
}

function repairText(repair: SnapshotRepair, dryRun: boolean): string[] {
  const { snapshotId, newSnapshotId, uncounted, reason, forgotten, asideKeys, dropped, droppedCount } = repair;
  const id = snapshotId.slice(0, 8);
  if (reason !== null) {
    const went = asideKeys.length === 0
      ? "; --forget sets it aside"
      : `; what is left of it is now ${asideKeys.join(" and ")}`;
    return [`${id}: nothing can be saved: ${reason}${went}`];
  }
  const became = newSnapshotId === null ? "" : `, now ${newSnapshotId.slice(0, 8)}${forgotten ? " in its place" : ""}`;
  if (droppedCount === 0) return [`${id}${became}: ${dryRun ? "would be " : ""}brought back whole`];
  const lines = [`${id}${became}: ${dryRun ? "would be " : ""}${uncounted ? "brought back " : ""}without`];
  for (const { path, what, reason } of dropped.slice(0, DROPPED_SHOWN)) {
    lines.push(`  ${displayName(path)} (${what.replace("_", " ")}): ${reason}`);
  }
  if (droppedCount > DROPPED_SHOWN) lines.push(`  and ${grouped(droppedCount - DROPPED_SHOWN)} more`);
  return lines;
}

function summaryJson(summary: RepairSnapshotsSummary): Record<string, unknown> {
  return {
    dry_run: summary.dryRun,
    snapshots_checked: summary.snapshotsChecked,
    repairs: summary.repairs.map((repair) => ({
      snapshot_id: repair.snapshotId,
      new_snapshot_id: repair.newSnapshotId,
      uncounted: repair.uncounted,
      forgotten: repair.forgotten,
      set_aside: repair.asideKeys,
      reason: repair.reason,
      dropped: repair.dropped.map(({ path, what, reason }) => ({ path: jsonName(path), what, reason })),
      dropped_count: repair.droppedCount,
    })),
    documents_unreached: summary.documentsUnreached,
    duration_seconds: summary.durationSeconds,
  };
}
