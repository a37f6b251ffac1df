import { displayName, exactName } from "../../base/names.ts";
import { listEntries } from "../../operations/list_entries.ts";
import type { SnapshotFault } from "../../model/snapshot.ts";
import { faultsBelow, warnOfFaults } from "../../operations/snapshot_faults.ts";
import { findSnapshot, momentOf } from "../../operations/snapshot_filter.ts";
import { parseSnapshotPath } from "../../operations/snapshot_paths.ts";
import { readSnapshotList } from "../../operations/unmarked_snapshots.ts";
import { defineCommand } from "../command.ts";
import { entryJson, entryLine } from "../entry_text.ts";
import { listen } from "../heard.ts";
import { jsonName } from "../json.ts";
import { ListOutput } from "../list_output.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";

const FLAGS = [
  { long: "long", short: "l", type: "boolean", description: "Show mode, owner, size and time too" },
  { long: "recursive", short: "R", type: "boolean", description: "Also what lies in the folders below <path>" },
  { long: "faults", type: "boolean", description: "List what could not be saved, and why, instead" },
  ...SNAPSHOT_FLAGS,
] as const;

export const ls = defineCommand({
  name: "ls",
  summary: "List files of a snapshot",
  usage: "axiom ls [-l] [-R] <snapshot>[:<path>]\naxiom ls --faults <snapshot>[:<path>]",
  details:
    "Without <path>, everything; with it, what a folder holds. Bytes of a name that cannot be shown come as \\xNN, " +
    "and are understood so in <path>.",
  arguments: [{ name: "snapshot[:path]", description: "Id, the beginning of one, or latest; and a path in it" }],
  flags: FLAGS,
  examples: [
    { command: "axiom ls latest", does: "List everything that the newest snapshot holds" },
    { command: "axiom ls --faults latest", does: "List what the newest snapshot lacks because it could not be read" },
    { command: "axiom ls -l 1a2b3c4d:/home/ann", does: "List one folder, with sizes and times" },
  ],
  writes: true,
  parse: (values, [name]) => ({
    ...parseSnapshotPath(name),
    long: values.long,
    recursive: values.recursive,
    faults: values.faults,
    choice: snapshotChoice(values),
  }),
  run: async ({ snapshot: name, path, long, recursive, faults, choice }, { app: open, output }) => {
    const app = await open();
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const filter = snapshotFilter(choice, app.folder);
    const question = { names: [name], filter };
    const list = await readSnapshotList(repository, question, { onEvent: app.events, signal: app.signal });
    const snapshot = findSnapshot(list, name, filter, momentOf(repository, app.events));
    const out = new ListOutput(output, output.json);
    if (faults) {
      for (const fault of faultsBelow(snapshot.snapshot, path)) {
        await out.add(() => faultLine(fault), () => faultJson(fault));
      }
      await out.end();
      return heard.exitCode;
    }
    warnOfFaults(snapshot, path, app.events);
    const options = { snapshot, path, recursive: recursive || path === undefined };
    for await (const entry of listEntries(repository, options, { onEvent: heard.onEvent, signal: app.signal })) {
      await out.add(() => long ? entryLine(entry) : exactName(entry.path), () => entryJson(entry));
    }
    await out.end();
    return heard.exitCode;
  },
  render: () => "",
  json: () => null,
  exitCode: (exitCode) => exitCode,
});

/** The reason mostly says of what it is. */
function faultLine({ path, reason }: SnapshotFault): string {
  return reason.includes(displayName(path)) ? displayName(reason) : `${exactName(path)}: ${displayName(reason)}`;
}

function faultJson({ path, reason }: SnapshotFault): Record<string, unknown> {
  return { path: path === "" ? null : jsonName(path), reason };
}
