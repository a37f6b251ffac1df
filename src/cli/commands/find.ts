import { exactName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import { formatLocalTime } from "../../base/times.ts";
import { findEntries, type FindHit, type FindOptions } from "../../operations/find.ts";
import { defineCommand, type FlagValues } from "../command.ts";
import { modeText } from "../entry_text.ts";
import { listen } from "../heard.ts";
import { jsonName, jsonTime } from "../json.ts";
import { ListOutput } from "../list_output.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";

const TYPES = ["file", "dir", "symlink", "fifo", "socket", "chardev", "blockdev"] as const;

const FLAGS = [
  {
    long: "text",
    type: "boolean",
    description: "Look for names that hold all of these words, in letters of either case",
  },
  { long: "ignore-case", short: "i", type: "boolean", description: "Letters of either case match" },
  { long: "long", short: "l", type: "boolean", description: "Show mode, size and time too" },
  { long: "type", type: "choice", choices: TYPES, repeatable: true, description: "Only things of this kind" },
  { long: "newer", type: "time", description: "Only what was changed at this time or later" },
  { long: "older", type: "time", description: "Only what was changed before this time" },
  { long: "larger-than", type: "size", description: "Only files of at least this size" },
  { long: "smaller-than", type: "size", description: "Only files of at most this size" },
  {
    long: "snapshot",
    short: "s",
    type: "text",
    repeatable: true,
    placeholder: "snapshot",
    description: "Only in this snapshot: id, the beginning of one, or latest",
  },
  ...SNAPSHOT_FLAGS,
] as const;

export const find = defineCommand({
  name: "find",
  summary: "Find files by their names in all snapshots",
  usage: "axiom find [flags] <pattern>…",
  details:
    "A pattern without / is compared with names, with / with whole paths; * and ? and [a-z] as in a shell, ** for any " +
    "folders. Each version of a file comes once, with the snapshots that have it.",
  arguments: [{ name: "pattern", description: "What is found matches any of them", repeatable: true }],
  flags: FLAGS,
  examples: [
    { command: "axiom find '*.odt' --newer 2026-01-01", does: "Find documents that were changed this year" },
    { command: "axiom find --text invoice march -s latest", does: "Find names with both words in the newest snapshot" },
  ],
  writes: true,
  parse: (values, patterns) => ({
    options: optionsOf(values, patterns),
    choice: snapshotChoice(values),
    long: values.long,
  }),
  run: async ({ options, choice, long }, { app: open, output }) => {
    const app = await open();
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const filter = snapshotFilter(choice, app.folder);
    const all = { ...options, filter, cache: app.cacheFolder };
    const out = new ListOutput(output, output.json);
    for await (const hit of findEntries(repository, all, { onEvent: heard.onEvent, signal: app.signal })) {
      await out.add(() => hitLine(hit, long), () => hitJson(hit));
    }
    await out.end();
    return heard.exitCode;
  },
  render: () => "",
  json: () => null,
  exitCode: (exitCode) => exitCode,
});

function optionsOf(values: FlagValues<typeof FLAGS>, patterns: readonly string[]): FindOptions {
  const words = [{ text: patterns.join(" "), kind: "text" as const }];
  return {
    patterns: values.text ? words : patterns.map((text) => ({ text, kind: "glob" })),
    ignoreCase: values["ignore-case"],
    types: values.type,
    newerThanNs: values.newer,
    olderThanNs: values.older,
    sizeBytesMin: values["larger-than"],
    sizeBytesMax: values["smaller-than"],
    names: values.snapshot,
  };
}

const IDS_SHOWN = 3;

function hitLine({ path, type, mode, sizeBytes, mtimeNs, snapshotIds }: FindHit, long: boolean): string {
  const shown = snapshotIds.slice(-IDS_SHOWN).map((id) => id.slice(0, 8)).join(" ");
  const more = snapshotIds.length > IDS_SHOWN ? ` and ${snapshotIds.length - IDS_SHOWN} earlier` : "";
  const where = `${exactName(path)}  (${shown}${more})`;
  if (!long) return where;
  const size = sizeBytes === undefined ? "" : formatSize(sizeBytes);
  return `${modeText(type, mode)} ${size.padStart(9)} ${formatLocalTime(mtimeNs)} ${where}`;
}

function hitJson({ path, type, mode, sizeBytes, mtimeNs, snapshotIds }: FindHit): Record<string, unknown> {
  return {
    path: jsonName(path),
    type,
    mode,
    size: sizeBytes ?? null,
    mtime: jsonTime(mtimeNs),
    snapshot_ids: snapshotIds,
  };
}
