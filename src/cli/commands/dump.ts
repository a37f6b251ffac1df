import { AxiomError, messageOf } from "../../base/errors.ts";
import { formatSize } from "../../base/sizes.ts";
import { dump as dumpFiles } from "../../operations/dump.ts";
import { findSnapshot, momentOf } from "../../operations/snapshot_filter.ts";
import { warnOfFaults } from "../../operations/snapshot_faults.ts";
import { parseSnapshotPath } from "../../operations/snapshot_paths.ts";
import { absolute } from "../../operations/source_list.ts";
import { readSnapshotList } from "../../operations/unmarked_snapshots.ts";
import { openNewFile } from "../../platform/new_file.ts";
import { defineCommand } from "../command.ts";
import { listen } from "../heard.ts";
import { jsonName } from "../json.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";

const FLAGS = [
  { long: "archive", type: "choice", choices: ["tar"], description: "Make an archive also of a single file" },
  {
    long: "output",
    short: "o",
    type: "file",
    placeholder: "file",
    description: "Write to this new file, which stands there once it is whole, instead of standard output",
  },
  ...SNAPSHOT_FLAGS,
] as const;

export const dump = defineCommand({
  name: "dump",
  summary: "Print a file of a snapshot, or a tar archive of a folder",
  usage: "axiom dump [--archive tar] [--output <file>] <snapshot>[:<path>]",
  details:
    "An archive holds modes, owners, times in nanoseconds, hard links, ACLs and extended attributes; GNU tar brings back " +
    "all of it with `tar -xp --acls --xattrs --xattrs-include='*'`. Holes of sparse files are written out in full; " +
    "`axiom restore` keeps them.",
  arguments: [{ name: "snapshot[:path]", description: "Id, the beginning of one, or latest; and a path in it" }],
  flags: FLAGS,
  examples: [
    { command: "axiom dump latest:/etc/fstab", does: "Print one file" },
    {
      command: "axiom dump latest:/home/ann | tar -xp --acls --xattrs --xattrs-include='*' -C /tmp/ann",
      does: "Unpack a folder by way of a tar archive, with everything that tar can bring back",
    },
  ],
  writes: true,
  parse: (values, [name]) => ({
    ...parseSnapshotPath(name),
    archive: values.archive !== undefined,
    file: values.output,
    choice: snapshotChoice(values),
  }),
  run: async ({ snapshot: name, path, archive, file, choice }, { app: open, globals, output, environment }) => {
    const app = await open();
    if (output.json && file === undefined) {
      throw new AxiomError("usage", "Cannot print content and JSON at once", { hint: "Give --output <file> too" });
    }
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const filter = snapshotFilter(choice, app.folder);
    const question = { names: [name], filter };
    const list = await readSnapshotList(repository, question, { onEvent: app.events, signal: app.signal });
    const snapshot = findSnapshot(list, name, filter, momentOf(repository, app.events));
    warnOfFaults(snapshot, path, app.events);
    const context = { onEvent: heard.onEvent, signal: app.signal };
    const { format, bytes } = await dumpFiles(repository, { snapshot, path, archive }, context);
    if (file === undefined) {
      if (format === "tar" && environment.stdout.isTerminal) {
        throw new AxiomError("usage", "Cannot print a tar archive on a terminal", {
          hint: "Send it to a program, such as | tar -x, or give --output <file>",
        });
      }
      for await (const piece of bytes) await output.write(piece);
    } else {
      const written = await writeFile(absolute(file, app.folder), bytes);
      const what = { snapshot_id: snapshot.id, format, output: jsonName(file), bytes: written };
      if (output.json) output.printJson(what);
      else if (!globals.quiet) output.print(`Wrote ${formatSize(written)} to ${file}`);
    }
    return heard.exitCode;
  },
  render: () => "",
  json: () => null,
  exitCode: (exitCode) => exitCode,
});

async function writeFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const fail = (error: unknown) =>
    error instanceof AxiomError
      ? error
      : new AxiomError("target_unwritable", `Cannot write ${path}: ${messageOf(error)}`, {
        hint: "Choose another file with --output; nothing was left there",
        cause: error,
      });
  const file = await openNewFile(path).catch((error) => {
    throw fail(error);
  });
  try {
    let written = 0;
    for await (const piece of bytes) {
      await file.write(piece);
      written += piece.length;
    }
    await file.commit();
    return written;
  } catch (error) {
    await file.abort();
    throw fail(error);
  }
}
