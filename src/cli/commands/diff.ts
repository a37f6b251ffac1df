import { exactName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import { type ChangeKind, diffSnapshots, type EntryChange } from "../../operations/diff.ts";
import type { DiffCount, DiffStatistics } from "../../operations/diff_statistics.ts";
import { findSnapshot, momentOf } from "../../operations/snapshot_filter.ts";
import { warnOfFaults } from "../../operations/snapshot_faults.ts";
import { parseSnapshotPath } from "../../operations/snapshot_paths.ts";
import { readSnapshotList } from "../../operations/unmarked_snapshots.ts";
import { defineCommand } from "../command.ts";
import { entryJson } from "../entry_text.ts";
import { listen } from "../heard.ts";
import { jsonLine, jsonName } from "../json.ts";
import { ListOutput } from "../list_output.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";
import { count } from "../wording.ts";

const FLAGS = [
  { long: "metadata", type: "boolean", description: "Also what differs in owner, mode, times or attributes alone" },
  ...SNAPSHOT_FLAGS,
] as const;

const SIGNS: Record<ChangeKind, string> = { added: "+", removed: "-", content: "M", metadata: "U", type: "T" };

export const diff = defineCommand({
  name: "diff",
  summary: "Compare two snapshots",
  usage: "axiom diff [--metadata] <snapshot>[:<path>] <snapshot>[:<path>]",
  details: "+ is new, - is gone, M has other content, T became another kind of thing, U differs in metadata alone.",
  arguments: [
    { name: "before", description: "Id, the beginning of one, or latest; and a path in it" },
    { name: "after", description: "The same" },
  ],
  flags: FLAGS,
  examples: [
    { command: "axiom diff 1a2b3c4d latest", does: "Show what changed since a snapshot" },
    { command: "axiom diff --json 1a2b3c4d:/etc latest:/etc", does: "The same for one folder, as JSON" },
  ],
  writes: true,
  parse: (values, [before, after]) => ({
    before: parseSnapshotPath(before),
    after: parseSnapshotPath(after),
    metadata: values.metadata,
    choice: snapshotChoice(values),
  }),
  run: async ({ before, after, metadata, choice }, { app: open, output }) => {
    const app = await open();
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const filter = snapshotFilter(choice, app.folder);
    const names = [before.snapshot, after.snapshot];
    const list = await readSnapshotList(repository, { names, filter }, { onEvent: app.events, signal: app.signal });
    const moment = momentOf(repository, app.events);
    const side = ({ snapshot: name, path }: typeof before) => {
      const snapshot = findSnapshot(list, name, filter, moment);
      warnOfFaults(snapshot, path, app.events);
      return { snapshot, path };
    };
    const context = { onEvent: heard.onEvent, signal: app.signal };
    const { changes, statistics } = await diffSnapshots(repository, side(before), side(after), context);
    const out = new ListOutput(output, output.json, '{"changes":');
    for await (const change of changes) {
      if (change.kind === "metadata" && !metadata) continue;
      await out.add(() => `${SIGNS[change.kind]} ${exactName(change.path)}`, () => changeJson(change));
    }
    await out.end(`,"statistics":${jsonLine(statisticsJson(statistics))}}`, statisticsText(statistics));
    return heard.exitCode;
  },
  render: () => "",
  json: () => null,
  exitCode: (exitCode) => exitCode,
});

function changeJson({ kind, path, before, after, metadata }: EntryChange): Record<string, unknown> {
  return {
    kind,
    path: jsonName(path),
    metadata,
    before: before === undefined ? null : entryJson(before),
    after: after === undefined ? null : entryJson(after),
  };
}

const countJson = ({ files, dirs, others, bytes }: DiffCount) => ({ files, dirs, others, bytes });

function statisticsJson(statistics: DiffStatistics): Record<string, unknown> {
  return {
    added: countJson(statistics.added),
    removed: countJson(statistics.removed),
    content_changed: statistics.contentChanged,
    metadata_changed: statistics.metadataChanged,
    type_changed: statistics.typeChanged,
    changed_bytes_added: statistics.changedBytesAdded,
    changed_bytes_removed: statistics.changedBytesRemoved,
  };
}

function statisticsText(statistics: DiffStatistics): string {
  const { added, removed, contentChanged, metadataChanged } = statistics;
  const parts = (each: DiffCount) =>
    `${count(each.files, "file")}, ${count(each.dirs, "folder")}, ${count(each.others, "other")}`;
  return [
    "",
    `Added:    ${parts(added)}, ${formatSize(added.bytes + statistics.changedBytesAdded)}`,
    `Removed:  ${parts(removed)}, ${formatSize(removed.bytes + statistics.changedBytesRemoved)}`,
    `Changed:  ${contentChanged} in content, ${metadataChanged} in metadata alone`,
  ].join("\n");
}
