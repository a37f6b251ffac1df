import { AxiomError } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { nearest } from "../base/nearest.ts";
import type { AnyCommand, Argument, CommandTable, Flag, FlagValues } from "./command.ts";
import { type FlagValue, readChoice, readFlagValue } from "./flag_value.ts";
import { GLOBAL_FLAGS, type GlobalOptions, globalOptions } from "./global_flags.ts";
import { helpFor, takesValue, textOf, type Token, tokenize, unknownFlag } from "./tokens.ts";

export type Variable = (name: string) => string | undefined;

/** What a command line asks for; `name` is empty where no command stands, or only the first word of some, such as `key`. */
export interface Request {
  kind: "run" | "help" | "version";
  name: string;
  /** All words but the name. */
  words: string[];
}

/**
 * Finds the command. Only global flags may stand before its name, because only their values are known by then.
 *
 * @throws `usage` for an unknown command or subcommand, or an unknown flag before it
 */
export function findCommand(argv: readonly string[], commands: CommandTable): Request {
  const names = commands.map((entry) => entry.name);
  const used = new Set<number>();
  let name = "", asked: "help" | "version" | undefined;
  for (const token of tokenize(argv, GLOBAL_FLAGS)) {
    if (token.kind === "flag") {
      if (token.flag.long === "help" || token.flag.long === "version") asked ??= token.flag.long;
      else textOf(token);
    } else if (token.kind === "unknown") {
      throw flagBeforeCommand(token, argv, name);
    } else if (token.kind === "argument") {
      used.add(token.index);
      name = nextName(name, token.text, names);
      if (names.includes(name)) break;
    }
  }
  const words = argv.filter((_, index) => !used.has(index));
  return { kind: asked ?? "run", name, words };
}

/** The command, or the first words of several, that `words` name; throws `usage` if there is none. */
export function resolveName(words: readonly string[], commands: CommandTable): string {
  const names = commands.map((entry) => entry.name);
  return words.reduce((name, word) => nextName(name, word, names), "");
}

function nextName(name: string, word: string, names: readonly string[]): string {
  const longer = name === "" ? word : `${name} ${word}`;
  if (names.includes(longer) || names.some((known) => known.startsWith(`${longer} `))) return longer;
  const places = name === "" ? 0 : name.split(" ").length;
  const known = names.filter((each) => name === "" || each.startsWith(`${name} `)).map((each) =>
    each.split(" ")[places]
  );
  const meant = nearest(word, new Set(known));
  const what = name === "" ? "command" : `subcommand of ${name}`;
  throw new AxiomError("usage", `Cannot run ${displayName(longer)}: unknown ${what}`, {
    hint: meant === undefined
      ? `Run \`${helpFor(name === "" ? "axiom" : name)}\` for the list`
      : `Did you mean \`axiom ${name === "" ? meant : `${name} ${meant}`}\`?`,
  });
}

function flagBeforeCommand(token: Token & { kind: "unknown" }, argv: readonly string[], name: string): AxiomError {
  const error = unknownFlag(token, argv, GLOBAL_FLAGS, name === "" ? "axiom" : name);
  if (error.hint?.startsWith("Did you mean")) return error;
  return new AxiomError("usage", error.message, { hint: "Flags of a command stand after its name" });
}

export interface ParsedArguments {
  globals: GlobalOptions;
  values: FlagValues;
  positionals: string[];
}

/** Whether `words` ask for help or the version of a command instead of a run, whatever else is wrong with them. */
export function asksInstead(words: readonly string[], command: AnyCommand): "help" | "version" | undefined {
  for (const token of tokenize(words, [...command.flags, ...GLOBAL_FLAGS])) {
    if (token.kind === "flag" && (token.flag.long === "help" || token.flag.long === "version")) return token.flag.long;
  }
  return undefined;
}

/**
 * @param words The command line without the command's name
 * @throws `usage` for unknown flags, values of the wrong type, and too few or too many arguments
 */
export function parseArguments(words: readonly string[], command: AnyCommand, variable: Variable): ParsedArguments {
  const flags: readonly Flag[] = [...command.flags, ...GLOBAL_FLAGS];
  const given = new Map<string, (string | undefined)[]>();
  const positionals: string[] = [];
  let ended = false;
  for (const token of tokenize(words, flags)) {
    if (token.kind === "end_of_flags") ended = true;
    if (token.kind === "unknown") throw unknownFlag(token, words, flags, command.name);
    if (token.kind === "argument") {
      // `"$FOLDER"` of a variable that is not set; what follows `--` may be another program's words.
      if (token.text === "" && !ended) {
        throw new AxiomError("usage", `Cannot run ${command.name}: an argument is empty`);
      }
      positionals.push(token.text);
    }
    if (token.kind === "flag") {
      const texts = given.get(token.flag.long) ?? [];
      texts.push(textOf(token));
      given.set(token.flag.long, texts);
    }
  }
  const globalValues = valuesOf(GLOBAL_FLAGS, given, variable) as FlagValues<typeof GLOBAL_FLAGS>;
  const values = valuesOf(command.flags, given, variable) as FlagValues;
  checkPositionals(positionals, command);
  return { globals: globalOptions(globalValues, new Set(given.keys()), variable), values, positionals };
}

type Given = ReadonlyMap<string, readonly (string | undefined)[]>;

function valuesOf(flags: readonly Flag[], given: Given, variable: Variable): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null);
  for (const flag of flags) values[flag.long] = valueOf(flag, given.get(flag.long), variable);
  return values;
}

function valueOf(
  flag: Flag,
  texts: readonly (string | undefined)[] | undefined,
  variable: Variable,
): FlagValue | FlagValue[] | undefined {
  if (texts !== undefined) {
    if (!takesValue(flag)) return flag.type === "count" ? texts.length : true;
    const read = texts.map((text) => readFlagValue(flag, text ?? "", `--${flag.long}`));
    if (flag.repeatable) return read;
    const other = read.findIndex((value) => value !== read[0]);
    if (other > 0) {
      const both = `"${displayName(texts[0] ?? "")}" and "${displayName(texts[other] ?? "")}"`;
      throw new AxiomError("usage", `Cannot use --${flag.long} twice: ${both} are both given`, {
        hint: "Leave one of them out",
      });
    }
    return read[0];
  }
  const fromVariable = flag.environment === undefined ? undefined : variable(flag.environment);
  const text = fromVariable || flag.default;
  if (text === undefined) {
    if (flag.repeatable) return [];
    return flag.type === "boolean" ? false : flag.type === "count" ? 0 : undefined;
  }
  const value = readFlagValue(flag, text, fromVariable ? flag.environment! : `the default of --${flag.long}`);
  return flag.repeatable ? [value] : value;
}

function checkPositionals(positionals: readonly string[], command: AnyCommand): void {
  const usage = `Usage: ${command.usage.split("\n")[0]}`;
  const declared = command.arguments;
  const missing = declared.find((argument, place) => !argument.optional && place >= positionals.length);
  if (missing !== undefined) {
    throw new AxiomError("usage", `Cannot run ${command.name}: <${missing.name}> is missing`, { hint: usage });
  }
  positionals.forEach((text, place) => {
    const argument = argumentAt(declared, place);
    if (argument === undefined) {
      const meant = nearest(text, command.flags.map((flag) => flag.long));
      throw new AxiomError("usage", `Cannot run ${command.name}: unexpected argument "${displayName(text)}"`, {
        hint: meant === undefined ? usage : `Did you mean --${meant}?`,
      });
    }
    if (argument.choices !== undefined) readChoice(argument.choices, text, `<${argument.name}>`);
  });
}

function argumentAt(declared: readonly Argument[], place: number): Argument | undefined {
  if (place < declared.length) return declared[place];
  const last = declared.at(-1);
  return last?.repeatable ? last : undefined;
}
