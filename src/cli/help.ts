import { OPTION_BY_PATH } from "../config/schema.ts";
import { resolveName } from "./arguments.ts";
import type { AnyCommand, Argument, CommandTable, Example, Flag } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { placeholderOf, takesValue } from "./tokens.ts";

interface Group {
  title: string;
  commands: readonly AnyCommand[];
}

/** What help shows: the whole program, the commands that share a first word, or one command. */
export type HelpPage =
  | { kind: "program"; groups: readonly Group[] }
  | { kind: "family"; name: string; commands: readonly AnyCommand[] }
  | { kind: "command"; command: AnyCommand };

const COLUMNS = 100;
const INDENT = "  ";
const TERM_COLUMNS_MAX = 34;
const PROGRAM_SUMMARY = "AXIOM keeps encrypted, compressed, deduplicated snapshots of files and restores them";
export const PROGRAM_USAGE = "axiom [global flags] <command> [flags] [arguments]";
const PROGRAM_EXAMPLES: readonly Example[] = [
  { command: "axiom -r /mnt/backup init", does: "Make a repository in an empty folder" },
  { command: "axiom -r /mnt/backup backup /home /etc", does: "Save two folders into it as a new snapshot" },
  { command: "axiom -r /mnt/backup restore latest --target /tmp/restored", does: "Restore the newest snapshot" },
];

/** Throws `usage` if `words` name no command. */
export async function findHelp(words: readonly string[], commands: CommandTable): Promise<HelpPage> {
  const name = resolveName(words, commands);
  const exact = commands.find((entry) => entry.name === name);
  if (exact !== undefined) return { kind: "command", command: await exact.load() };
  if (name !== "") {
    const family = commands.filter((entry) => entry.name.startsWith(`${name} `));
    return { kind: "family", name, commands: await Promise.all(family.map((entry) => entry.load())) };
  }
  const groups = new Map<string, AnyCommand[]>();
  const loaded = await Promise.all(commands.map((entry) => entry.load()));
  commands.forEach(({ group }, at) => groups.set(group, [...(groups.get(group) ?? []), loaded[at]]));
  return { kind: "program", groups: [...groups].map(([title, members]) => ({ title, commands: members })) };
}

/** At most 100 columns wide, but for examples. */
export function renderHelp(page: HelpPage): string {
  switch (page.kind) {
    case "program":
      return sections([
        `${PROGRAM_SUMMARY}.`,
        `Usage\n${INDENT}${PROGRAM_USAGE}`,
        ...page.groups.map(({ title, commands }) =>
          definitions(title, commands.map((each) => [each.name, each.summary]))
        ),
        definitions("Global flags", flagTerms(GLOBAL_FLAGS)),
        examples(PROGRAM_EXAMPLES),
        definitions("Exit codes", Object.entries(EXIT_CODES)),
        "Run `axiom help <command>` for the flags of a command and examples.",
      ]);
    case "family":
      return sections([
        `Usage\n${INDENT}axiom ${page.name} <command> [flags] [arguments]`,
        definitions("Commands", page.commands.map((each) => [each.name, each.summary])),
        `Run \`axiom help ${page.name} <command>\` for the flags of a command and examples.`,
      ]);
    case "command": {
      const { command } = page;
      return sections([
        `${command.summary}.`,
        `Usage\n${command.usage.split("\n").map((line) => wrapped(line, INDENT, `${INDENT}${INDENT}`)).join("\n")}`,
        (command.details ?? "").split("\n").map((line) => wrapped(line)).join("\n"),
        definitions("Arguments", command.arguments.map((each) => [argumentTerm(each), argumentText(each)])),
        definitions("Flags", flagTerms(command.flags)),
        definitions("Global flags", flagTerms(GLOBAL_FLAGS)),
        examples(command.examples),
      ]);
    }
  }
}

function sections(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

function examples(list: readonly Example[]): string {
  return `Examples\n${list.map(({ does, command }) => `${INDENT}${does}:\n${INDENT}${INDENT}${command}`).join("\n")}`;
}

function flagTerms(flags: readonly Flag[]): [string, string][] {
  return flags.map((flag) => [flagTerm(flag), flagText(flag)]);
}

function flagTerm(flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  return `${short}--${flag.long}${takesValue(flag) ? ` <${placeholderOf(flag)}>` : ""}`;
}

function flagText(flag: Flag): string {
  const notes: string[] = [];
  if (flag.repeatable || flag.type === "count") notes.push("may be repeated");
  const byDefault = defaultOf(flag);
  if (byDefault !== undefined) notes.push(`default: ${byDefault}`);
  if (flag.environment !== undefined) notes.push(`environment: ${flag.environment}`);
  return notes.length === 0 ? flag.description : `${flag.description} (${notes.join("; ")})`;
}

/** Its own, or that of the option which it sets. */
export function defaultOf(flag: Flag): string | undefined {
  if (flag.default !== undefined || flag.option === undefined) return flag.default;
  const option = OPTION_BY_PATH.get(flag.option);
  if (option === undefined) throw new TypeError(`--${flag.long} sets ${flag.option}, which is no option`);
  return option.shape === "one" && option.defaultText !== "false" ? option.defaultText : undefined;
}

function argumentTerm(argument: Argument): string {
  const name = `<${argument.name}>${argument.repeatable ? "…" : ""}`;
  return argument.optional ? `[${name}]` : name;
}

function argumentText({ description, choices }: Argument): string {
  return choices === undefined ? description : `${description}: ${choices.join(", ")}`;
}

/** Terms on the left, what they mean beside them, or below a term that is too long. */
function definitions(title: string, terms: readonly (readonly [string, string])[]): string {
  if (terms.length === 0) return "";
  const width = Math.min(TERM_COLUMNS_MAX, Math.max(...terms.map(([term]) => term.length)));
  const margin = " ".repeat(INDENT.length + width + 2);
  const lines = terms.map(([term, text]) => {
    if (term.length > width) return `${INDENT}${term}\n${wrapped(text, margin)}`;
    return wrapped(text, `${INDENT}${term.padEnd(width)}  `, margin);
  });
  return `${title}\n${lines.join("\n")}`;
}

function wrapped(text: string, first = "", rest = first): string {
  const lines: string[] = [];
  let line = first, empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join("\n");
}
