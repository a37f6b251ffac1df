import { formatSize } from "../base/sizes.ts";
import type { PluginRun } from "../base/events.ts";
import type { BackupSummary } from "../operations/backup.ts";
import { pluginRunJson, pluginRunText } from "./plugin_run_text.ts";
import { count, grouped } from "./wording.ts";

/** A backup with what plugins made of its snapshot. */
export interface ProcessedBackup extends BackupSummary {
  processing: readonly PluginRun[];
}

export function backupText(summary: ProcessedBackup): string {
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
    ...summary.plugins.map(({ plugin_id, version, sha256, frames }) =>
      `Plugin:   ${plugin_id} ${version} (${sha256.slice(0, 12)}) made ${count(frames, "frame")}`
    ),
    ...summary.processing.map(pluginRunText),
    ...summary.sources.map(({ plugin_id, version, sha256, path, streams }) =>
      `Source:   ${plugin_id} ${version} (${sha256.slice(0, 12)}) gave ${count(streams, "stream")} of ${path}`
    ),
    ...summary.filters.map(({ plugin_id, version, sha256, entries, left_out }) =>
      `Filter:   ${plugin_id} ${version} (${sha256.slice(0, 12)}) left out ${grouped(left_out)} of ${grouped(entries)}`
    ),
    ...(summary.strategy === null ? [] : [strategyText(summary.strategy, summary.mode)]),
  ].join("\n");
}

function strategyText({ plugin_id, version, sha256 }: NonNullable<BackupSummary["strategy"]>, mode: string): string {
  return `Strategy: ${plugin_id} ${version} (${sha256.slice(0, 12)}) chose ${mode}`;
}

export function backupJson(summary: ProcessedBackup): Record<string, unknown> {
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
    processing: summary.processing.map(pluginRunJson),
    sources: summary.sources,
    filters: summary.filters,
    strategy: summary.strategy,
  };
}
