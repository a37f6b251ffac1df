import type { FlagSetting } from "../../config/load.ts";
import { repairIndex as rebuildIndex, type RepairIndexSummary } from "../../operations/repair_index.ts";
import { repairPacks, type RepairPacksSummary } from "../../operations/repair_packs.ts";
import { metadataStyleOf } from "../../operations/save_policy.ts";
import { defineCommand } from "../command.ts";
import { DATA_FLAGS, dataSelection, dataSettings } from "../data_flags.ts";
import { count } from "../wording.ts";

const FLAGS = [
  ...DATA_FLAGS,
  {
    long: "condemned-lists",
    type: "boolean",
    description: "Also set aside unreadable lists of packs to delete; only if no client deletes right now",
  },
  { long: "dry-run", short: "n", type: "boolean", description: "Only say what would be done" },
] as const;

interface RepairIndexOptions {
  settings: FlagSetting[];
  seed: string | undefined;
  condemnedLists: boolean;
  dryRun: boolean;
}

interface Repaired {
  index: RepairIndexSummary;
  packs: RepairPacksSummary | null;
}

export const repairIndex = defineCommand({
  name: "repair index",
  summary: "Make the index again from what is stored, and set aside what is damaged",
  usage: "axiom repair index [--read-data] [--dry-run]",
  details:
    "Deletes nothing but index objects that new ones replace. What is damaged is moved to damaged/, so that the next " +
    "backup can store it again.",
  arguments: [],
  flags: FLAGS,
  examples: [
    { command: "axiom repair index --dry-run", does: "Say what is wrong with the index" },
    { command: "axiom repair index --read-data", does: "Read all packs too, and take damaged ones out of use" },
  ],
  stream: true,
  parse: (values): RepairIndexOptions => ({
    settings: dataSettings(values),
    seed: values.seed,
    condemnedLists: values["condemned-lists"],
    dryRun: values["dry-run"],
  }),
  run: async ({ settings, seed, condemnedLists, dryRun }, { app: open }): Promise<Repaired> => {
    const app = await open(settings);
    const selection = dataSelection(app.config.check, seed, app.random);
    const repository = await app.openRepository("read");
    const { events: onEvent, signal } = app;
    const index = await rebuildIndex(repository, { dryRun, condemnedLists }, { onEvent, signal });
    if (selection === undefined) return { index, packs: null };
    const metadataStyle = metadataStyleOf(app.config.backup, app.registry);
    const context = { pool: () => app.pool(), identity: await app.identity(), onEvent, signal };
    return { index, packs: await repairPacks(repository, { selection, dryRun, metadataStyle }, context) };
  },
  render: ({ index, packs }) => [...indexText(index, packs), ...packsText(packs)].join("\n"),
  json: ({ index, packs }) => ({ ...indexJson(index), packs: packs === null ? null : packsJson(packs) }),
});

function indexText(summary: RepairIndexSummary, packs: RepairPacksSummary | null): string[] {
  const { dryRun, packsAdded, packsCorrected, packsGone, setAside, packsUnreadable, indexesWritten } = summary;
  const would = dryRun ? "would be " : "";
  const lines = [`Read the tables of ${count(summary.packsRead, "pack")} in ${summary.durationSeconds.toFixed(1)} s`];
  if (packsAdded > 0) lines.push(`${count(packsAdded, "pack")} ${would}added to the index`);
  if (packsCorrected > 0) lines.push(`${count(packsCorrected, "pack")} ${would}corrected in the index`);
  if (packsGone > 0) lines.push(`${count(packsGone, "pack")} of the index no longer there`);
  for (const { key, reason, asideKey } of setAside) {
    lines.push(`${key} ${asideKey === null ? `${would}set aside` : `is now ${asideKey}`}: ${reason}`);
  }
  for (const { name, reason } of packsUnreadable) {
    lines.push(`Left the pack ${name}, which cannot be read here: ${reason}`);
  }
  const quiet =
    packsAdded + packsCorrected + packsGone + setAside.length + indexesWritten + summary.indexesRemoved === 0;
  const isAll = packs === null || packs.packs.length === 0;
  if (quiet) lines.push(isAll ? "The index is right: nothing to do" : "The index is right");
  else if (!dryRun) lines.push(`Wrote ${count(indexesWritten, "index object")}, removed ${summary.indexesRemoved}`);
  return lines;
}

function packsText(summary: RepairPacksSummary | null): string[] {
  if (summary === null) return [];
  const { packs, packsRead, chunksCopied } = summary;
  const lines = packs.map(({ name, chunksLost, chunksWhole, asideKey }) => {
    const went = asideKey === null ? "" : `; now ${asideKey}`;
    return `Damaged pack ${name}: ${chunksLost} chunks lost, ${chunksWhole} whole${went}`;
  });
  const end = packs.length === 0
    ? "no damage found"
    : `${count(packs.length, "damaged pack")}, ${chunksCopied} chunks kept`;
  lines.push(`Read ${count(packsRead, "pack")} in full: ${end}`);
  if (!summary.dryRun && packs.some(({ chunksLost }) => chunksLost > 0)) {
    lines.push("Run a backup of what is lost, which stores it again; `axiom check` says what that is");
  }
  return lines;
}

function indexJson(summary: RepairIndexSummary): Record<string, unknown> {
  return {
    dry_run: summary.dryRun,
    packs_read: summary.packsRead,
    packs_added: summary.packsAdded,
    packs_corrected: summary.packsCorrected,
    packs_gone: summary.packsGone,
    packs_unreadable: summary.packsUnreadable,
    indexes_written: summary.indexesWritten,
    indexes_removed: summary.indexesRemoved,
    set_aside: summary.setAside.map(({ key, reason, asideKey }) => ({ key, reason, aside_key: asideKey })),
    duration_seconds: summary.durationSeconds,
  };
}

function packsJson(summary: RepairPacksSummary): Record<string, unknown> {
  return {
    packs_read: summary.packsRead,
    bytes_read: summary.bytesRead,
    damaged: summary.packs.map(({ name, reason, chunksLost, chunksWhole, asideKey }) => ({
      name,
      reason,
      chunks_lost: chunksLost,
      chunks_whole: chunksWhole,
      aside_key: asideKey,
    })),
    chunks_copied: summary.chunksCopied,
    bytes_copied: summary.bytesCopied,
    duration_seconds: summary.durationSeconds,
  };
}
