import { displayName } from "../../base/names.ts";
import { listEntries } from "../../operations/list_entries.ts";
import { findSnapshot } from "../../operations/snapshot_filter.ts";
import { parseSnapshotPath } from "../../operations/snapshot_paths.ts";
import { defineCommand } from "../command.ts";
import { entryJson, entryLine } from "../entry_text.ts";
import { listen } from "../heard.ts";
import { ListOutput } from "../list_output.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";

const FLAGS = [
  { long: "long", short: "l", type: "boolean", description: "Show mode, owner, size and time too" },
  { long: "recursive", short: "R", type: "boolean", description: "Also what lies in the folders below <path>" },
  ...SNAPSHOT_FLAGS,
] as const;

export const ls = defineCommand({
  name: "ls",
  summary: "List files of a snapshot",
  usage: "axiom ls [-l] [-R] <snapshot>[:<path>]",
  details: "Without <path>, everything; with it, what a folder holds.",
  arguments: [{ name: "snapshot[:path]", description: "Id, the beginning of one, or latest; and a path in it" }],
  flags: FLAGS,
  examples: [
    { command: "axiom ls latest", does: "List everything that the newest snapshot holds" },
    { command: "axiom ls -l 1a2b3c4d:/home/ann", does: "List one folder, with sizes and times" },
  ],
  writes: true,
  parse: (values, [name]) => ({
    ...parseSnapshotPath(name),
    long: values.long,
    recursive: values.recursive,
    choice: snapshotChoice(values),
  }),
  run: async ({ snapshot: name, path, long, recursive, choice }, { app: open, output }) => {
    const app = await open();
    const repository = await app.openRepository();
    const heard = listen(app.events);
    const list = await repository.snapshots(app.signal);
    const snapshot = findSnapshot(list, name, snapshotFilter(choice, app.folder));
    const out = new ListOutput(output, output.json);
    const options = { snapshot, path, recursive: recursive || path === undefined };
    for await (const entry of listEntries(repository, options, { onEvent: heard.onEvent, signal: app.signal })) {
      await out.add(() => long ? entryLine(entry) : displayName(entry.path), () => entryJson(entry));
    }
    await out.end();
    return heard.exitCode;
  },
  render: () => "",
  json: () => null,
  exitCode: (exitCode) => exitCode,
});
