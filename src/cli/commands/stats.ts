import { formatSize } from "../../base/sizes.ts";
import { findSnapshots, momentOf } from "../../operations/snapshot_filter.ts";
import type { ListedDecoder } from "../../operations/list_decoders.ts";
import { type RawStatistics, type Statistics, statistics, STATISTICS_MODES } from "../../operations/stats.ts";
import { readSnapshotList } from "../../operations/unmarked_snapshots.ts";
import { defineCommand } from "../command.ts";
import { listen } from "../heard.ts";
import { SNAPSHOT_FLAGS, SNAPSHOT_NAMES, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";
import { count, grouped } from "../wording.ts";

const FLAGS = [
  {
    long: "mode",
    type: "choice",
    choices: STATISTICS_MODES,
    default: "restore-size",
    description: "What is counted: what snapshots restore to, distinct contents of files, or what is stored for them",
  },
  ...SNAPSHOT_FLAGS,
] as const;

export const stats = defineCommand({
  name: "stats",
  summary: "Count what snapshots hold and what they take",
  usage: "axiom stats [--mode restore-size|files-by-contents|raw-data] [<snapshot>…]",
  arguments: [SNAPSHOT_NAMES],
  flags: FLAGS,
  examples: [
    { command: "axiom stats latest", does: "Say what restoring the newest snapshot would take" },
    { command: "axiom stats --mode raw-data", does: "Say what all snapshots take in the repository" },
  ],
  parse: (values, names) => ({ mode: values.mode, names, choice: snapshotChoice(values) }),
  run: async ({ mode, names, choice }, { app: open }) => {
    const app = await open();
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const filter = snapshotFilter(choice, app.folder);
    const list = await readSnapshotList(repository, { names, filter }, { onEvent: app.events, signal: app.signal });
    const snapshots = findSnapshots(list, names, filter, momentOf(repository, app.events));
    const context = { onEvent: heard.onEvent, signal: app.signal };
    return { result: await statistics(repository, { mode, snapshots }, context), exitCode: heard.exitCode };
  },
  render: ({ result }) => statisticsText(result),
  json: ({ result }) => statisticsJson(result),
  exitCode: ({ exitCode }) => exitCode,
});

function statisticsText(result: Statistics): string {
  switch (result.mode) {
    case "restore-size": {
      const { files, dirs, others, bytes } = result;
      const what = `${count(files, "file")}, ${count(dirs, "folder")}, ${count(others, "other")}`;
      return `${count(result.snapshots.length, "snapshot")}: ${what}, ${formatSize(bytes)} when restored`;
    }
    case "files-by-contents":
      return `${count(result.snapshotCount, "snapshot")}: ${count(result.files, "distinct file")}, ${
        formatSize(result.bytes)
      }`;
    case "raw-data":
      return rawText(result);
  }
}

function rawText(result: RawStatistics): string {
  const { files, trees, restoreBytes, compressionRatio, deduplicationRatio, missing } = result;
  const times = (ratio: number | null) => ratio === null ? "" : `, ${ratio.toFixed(2)} to 1`;
  return [
    `${count(result.snapshotCount, "snapshot")}: ${formatSize(restoreBytes)} when restored`,
    `Without repetitions:  ${formatSize(files.plainBytes)}${times(deduplicationRatio)}`,
    `Stored for them:      ${formatSize(files.storedBytes + trees.storedBytes)}${times(compressionRatio)}, ` +
    `of that ${formatSize(trees.storedBytes)} for folders`,
    `All packs:            ${grouped(result.packCount)}, ${formatSize(result.packBytes)}`,
    ...result.decoders.map(decoderText),
    ...(missing === 0 ? [] : [`${grouped(missing)} chunks are in no pack: run \`axiom check\``]),
  ].join("\n");
}

function decoderText({ sha256, bytes, isSigned, pluginId, version, formats, problem }: ListedDecoder): string {
  const what = pluginId === undefined
    ? `not usable: ${problem}`
    : `${pluginId} ${version} for ${formats!.join(", ")}, ${isSigned ? "signed" : "not signed"}`;
  return `Decoder:              ${what}, ${formatSize(bytes)}, sha256 ${sha256}`;
}

function statisticsJson(result: Statistics): Record<string, unknown> {
  switch (result.mode) {
    case "restore-size": {
      const { mode, files, dirs, others, bytes, snapshots } = result;
      return { mode, snapshots_count: snapshots.length, files, dirs, others, bytes, snapshots };
    }
    case "files-by-contents":
      return { mode: result.mode, snapshots_count: result.snapshotCount, files: result.files, bytes: result.bytes };
    case "raw-data": {
      const sum = ({ chunks, plainBytes, storedBytes }: RawStatistics["files"]) => ({
        chunks,
        plain_bytes: plainBytes,
        stored_bytes: storedBytes,
      });
      return {
        mode: result.mode,
        snapshots_count: result.snapshotCount,
        restore_bytes: result.restoreBytes,
        files: sum(result.files),
        trees: sum(result.trees),
        chunks_missing: result.missing,
        packs: result.packCount,
        packs_bytes: result.packBytes,
        compression_ratio: result.compressionRatio,
        deduplication_ratio: result.deduplicationRatio,
        decoders: result.decoders.map(({ sha256, bytes, isSigned, pluginId, version, formats, problem }) => ({
          sha256,
          bytes,
          signed: isSigned,
          plugin_id: pluginId ?? null,
          version: version ?? null,
          formats: formats ?? [],
          problem: problem ?? null,
        })),
      };
    }
  }
}
