import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import "../platform/memory.ts"; // loads libc, which then stays
import type { AnyCommand } from "./command.ts";
import { COMMANDS } from "./command_table.ts";
import { findHelp, renderHelp } from "./help.ts";
import { helpJson } from "./help_json.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { sample, sampleTable } from "./testing.ts";
import { placeholderOf } from "./tokens.ts";

const table = sampleTable();

Deno.test("help of a command shows usage, every flag with its default and variable, and the examples", async (t) => {
  const text = renderHelp(await findHelp(["backup"], table));
  const cases = [
    /^Save files\.\n\nUsage\n {2}axiom backup \[flags\] <path>…\n/,
    /\nArguments\n {2}<path>… {2}File or folder\n/,
    /\n {2}-n, --dry-run +Change nothing\n/,
    /\n {2}-t, --tag <text> +Mark the snapshot \(may be repeated\)\n/,
    /\n {6}--host <text> +Name of the machine \(environment: AXIOM_HOST\)\n/,
    /\n {6}--mode <full\|incremental\|differential>\n +What to compare with \(default: incremental\)\n/,
    /\n {2}-k, --keep <n> /,
    /\n {6}--larger-than <size> +Leave out larger files \(default: 1 GiB\)\n/,
    /\n {6}--recheck <percent> +Read again \(default: 0%\)\n/,
    /\n {6}--within <duration> /,
    /\n {6}--time <time> /,
    /\n {6}--target <dir> /,
    /\n {6}--exclude-file <file> /,
    /\nGlobal flags\n {2}-r, --repo <location> +Repository/,
    /\(environment: AXIOM_REPOSITORY\)/,
    /\nExamples\n {2}Save a folder:\n {4}axiom backup \/home\n {2}Say what would be saved:\n {4}axiom backup --dry-run \/home$/,
  ];
  for (const pattern of cases) {
    await t.step(String(pattern), () => match(text.replace(/\n +(?=\(|AXIOM)/g, " "), pattern));
  }
});

Deno.test("help of the program lists commands by group and global flags, help of a family its commands", async () => {
  const text = renderHelp(await findHelp([], [...table, ...COMMANDS]));
  match(text, /\nSamples\n {2}backup +Save files\n {2}restore/);
  match(text, /\nThis program\n {2}completion +Print/);
  for (const flag of GLOBAL_FLAGS) equal(text.includes(`--${flag.long}`), true, flag.long);
  const family = renderHelp(await findHelp(["key"], table));
  match(family, /\nCommands\n {2}key add +Save files\n {2}key list +Save files\n/);
  await rejects(
    findHelp(["kye"], table),
    (error) => error instanceof AxiomError && error.hint === "Did you mean `axiom key`?",
  );
  await rejects(findHelp(["backup", "x"], table), AxiomError);
});

Deno.test("the help of every command fits into 100 columns, but for examples, and explains every flag", async (t) => {
  const entries = [...COMMANDS, ...table];
  const topics = ["", ...entries.map(({ name }) => name)];
  for (const topic of topics) {
    await t.step(topic || "the program", async () => {
      const page = await findHelp(topic === "" ? [] : topic.split(" "), entries);
      const text = renderHelp(page);
      const [before] = text.split("\nExamples\n");
      for (const line of before.split("\n")) {
        equal(line.length <= 100, true, line);
        equal(line.trimEnd(), line);
      }
      if (page.kind !== "command") return;
      for (const flag of page.command.flags) {
        equal(text.includes(`--${flag.long}`), true, flag.long);
        if (flag.default !== undefined) equal(text.includes(`default: ${flag.default}`), true, flag.default);
      }
    });
  }
});

Deno.test("long texts are wrapped and keep their place", () => {
  const long = {
    ...sample,
    details: `${"word ".repeat(50).trim()}\nSecond paragraph.`,
    flags: [{ long: "tag", type: "text", description: "word ".repeat(50).trim() }],
  } as unknown as AnyCommand;
  const text = renderHelp({ kind: "command", command: long });
  for (const line of text.split("\n")) equal(line.length <= 100, true, line);
  match(text, /\n {6}--tag <text> {2}word word.*\n {20}word/);
  match(text, /word\nSecond paragraph\.\n/);
});

Deno.test("help is a value for programs too", async () => {
  const page = helpJson(await findHelp(["backup"], table)) as Record<string, unknown>;
  deepEqual((page.flags as unknown[])[3], {
    long: "mode",
    short: null,
    type: "choice",
    placeholder: "full|incremental|differential",
    choices: ["full", "incremental", "differential"],
    repeatable: false,
    default: "incremental",
    environment: null,
    option: null,
    description: "What to compare with",
  });
  const program = helpJson(await findHelp([], table)) as { exit_codes: Record<string, string>; groups: unknown[] };
  equal(program.exit_codes[130], "interrupted");
  equal(program.groups.length, 1);
  const family = helpJson(await findHelp(["key"], table)) as { commands: { name: string }[] };
  deepEqual(family.commands.map(({ name }) => name), ["key add", "key list"]);
});

Deno.test("placeholderOf() has a word for every type", () => {
  equal(placeholderOf({ long: "x", type: "text", description: "", placeholder: "KiB/s" }), "KiB/s");
  equal(placeholderOf({ long: "x", type: "integer", description: "" }), "n");
  equal(placeholderOf({ long: "x", type: "size", description: "" }), "size");
});
