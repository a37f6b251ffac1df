import { formatSize } from "../../base/sizes.ts";
import { formatLocalTime } from "../../base/times.ts";
import { listSnapshots, type SnapshotSummary } from "../../operations/list_snapshots.ts";
import { defineCommand } from "../command.ts";
import { listen } from "../heard.ts";
import { jsonName, jsonTime } from "../json.ts";
import { SNAPSHOT_FLAGS, SNAPSHOT_NAMES, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";
import { type Cell, type Column, renderTable } from "../table.ts";
import { count, grouped } from "../wording.ts";

const FLAGS = [
  ...SNAPSHOT_FLAGS,
  {
    long: "latest",
    type: "integer",
    min: 1,
    placeholder: "n",
    description: "Only the newest n of each machine and list of paths",
  },
] as const;

export const snapshots = defineCommand({
  name: "snapshots",
  summary: "List snapshots",
  usage: "axiom snapshots [--host <host>] [--tag <tag>] [--path <path>] [--latest <n>] [<snapshot>…]",
  arguments: [SNAPSHOT_NAMES],
  flags: FLAGS,
  examples: [
    { command: "axiom snapshots", does: "List all snapshots, oldest first" },
    {
      command: "axiom snapshots --host nas --latest 1 --json",
      does: "The newest of each source of one machine, as JSON",
    },
  ],
  parse: (values, names) => ({ choice: snapshotChoice(values), newest: values.latest, names }),
  run: async ({ choice, newest, names }, { app: open }) => {
    const app = await open();
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const options = { names, newest, filter: snapshotFilter(choice, app.folder) };
    const found = await listSnapshots(repository, options, { onEvent: heard.onEvent, signal: app.signal });
    return { found, exitCode: heard.exitCode };
  },
  render: ({ found }, { columns }) => {
    if (found.length === 0) return "No snapshots";
    const incomplete = found.filter(({ faults }) => faults > 0);
    const table = renderTable(columnsOf(incomplete.length > 0), found.map((each) => rowOf(each)), columns);
    const lines = [table, count(found.length, "snapshot")];
    if (incomplete.length > 0) {
      lines.push(
        `${grouped(incomplete.length)} not complete: \`axiom ls --faults ${incomplete.at(-1)!.shortId}\` lists what ` +
          "could not be saved",
      );
    }
    return lines.join("\n");
  },
  json: ({ found }) => found.map(snapshotJson),
  exitCode: ({ exitCode }) => exitCode,
});

function snapshotJson(each: SnapshotSummary): Record<string, unknown> {
  return {
    id: each.id,
    short_id: each.shortId,
    time: jsonTime(each.timeNs),
    host: each.host,
    user: each.user,
    paths: each.paths.map(jsonName),
    tags: each.tags,
    mode: each.mode,
    parent_id: each.parentId,
    original_id: each.originalId,
    files: each.files,
    bytes: each.bytes,
    files_failed: each.faults,
    plugins: each.plugins,
    tool_version: each.toolVersion,
  };
}

function columnsOf(withFaults: boolean): Column[] {
  return [
    { title: "Id" },
    { title: "Time" },
    { title: "Host", shrinks: true },
    { title: "Paths", shrinks: true },
    { title: "Tags", shrinks: true },
    { title: "Mode" },
    { title: "Files", align: "right" },
    { title: "Size", align: "right" },
    ...(withFaults ? [{ title: "Not saved", align: "right" } as const] : []),
  ];
}

function rowOf(each: SnapshotSummary): Cell[] {
  const { shortId, timeNs, host, paths, tags, mode, files, bytes, faults } = each;
  const missing = faults === 0 ? "" : grouped(faults);
  return [shortId, formatLocalTime(timeNs), host, paths, tags, mode, String(files), formatSize(bytes), missing];
}
