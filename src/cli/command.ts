import type { CommandContext, RenderContext } from "./context.ts";

/**
 * How the text of a flag is read. `integer` is `min`…`max`, `size` becomes bytes, `percent` 0…100 with or without decimals,
 * `duration` milliseconds, `time` decimal nanoseconds since 1970. `file` and `folder` are text for which a shell completes names.
 */
export type FlagType =
  | "boolean"
  | "count"
  | "text"
  | "file"
  | "folder"
  | "integer"
  | "size"
  | "percent"
  | "choice"
  | "duration"
  | "time";

export interface Flag {
  /** Without the dashes. */
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  readonly type: FlagType;
  readonly description: string;
  /** Collects every value; else a second, different one is an error. */
  readonly repeatable?: true;
  /** What `choice` allows. */
  readonly choices?: readonly string[];
  /** Stands for the value in help, without brackets. */
  readonly placeholder?: string;
  /** As a person would write it; read by the same rules as the flag. */
  readonly default?: string;
  /** Variable that is read when the flag is not given; an empty one counts as not set. */
  readonly environment?: string;
  readonly min?: number;
  readonly max?: number;
  /** Path of the option that it sets, such as `backup.mode`; help shows the option's default. */
  readonly option?: string;
}

/** An argument that is not a flag; which of several it is, its place says. */
export interface Argument {
  /** Without brackets. */
  readonly name: string;
  readonly description: string;
  readonly optional?: true;
  /** Only the last one: takes all that follow. */
  readonly repeatable?: true;
  readonly choices?: readonly string[];
  /** What a shell offers. */
  readonly completes?: "file" | "folder" | "command";
}

type SingleValue<F extends Flag> = F extends { type: "boolean" } ? boolean
  : F extends { type: "count" | "integer" | "size" | "percent" | "duration" } ? number
  : F extends { type: "choice"; choices: readonly (infer Choice)[] } ? Choice
  : string;

type HeldValue<F extends Flag> = F extends { repeatable: true } ? readonly SingleValue<F>[]
  : F extends { type: "boolean" | "count" } | { default: string } ? SingleValue<F>
  : SingleValue<F> | undefined;

/** What was given for each flag, by its long name: a list where repeatable, undefined where neither given nor defaulted. */
export type FlagValues<Flags extends readonly Flag[] = readonly Flag[]> = {
  readonly [F in Flags[number] as F["long"]]: HeldValue<F>;
};

export interface Example {
  readonly command: string;
  /** What it does, as a phrase without a full stop. */
  readonly does: string;
}

/** One command: parse and render are pure, run returns the value that `--json` prints and the web shows. */
export interface Command<Options, Result, Flags extends readonly Flag[] = readonly Flag[]> {
  /** As it is typed, with its group: `key add`. */
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** One line for each form. */
  readonly usage: string;
  /** Further paragraphs for the help. */
  readonly details?: string;
  readonly arguments: readonly Argument[];
  readonly flags: Flags;
  /** At least two. */
  readonly examples: readonly Example[];
  /** Takes long: with `--json` prints JSON Lines which end in a summary, instead of one value. */
  readonly stream?: boolean;
  /** Its result only says what was done, so that `--quiet` leaves it out; a `stream` is always such. */
  readonly acts?: boolean;
  /** Its `run` writes the result itself, which may be of any length; `render` and `json` are never asked. */
  readonly writes?: boolean;
  /** Plugins that the section of this name says are told how it ended. */
  readonly tells?: "backup" | "restore" | "check";
  /** It only says what it would do. */
  isTrial?(options: Options): boolean;
  /** Types, choices and the number of arguments hold already; throws `usage` for what does not go together. */
  parse(values: FlagValues<Flags>, positionals: readonly string[]): Options;
  run(options: Options, context: CommandContext): Promise<Result>;
  /** For people; without the last line's end. Nothing is printed for an empty text. */
  render(result: Result, context: RenderContext): string;
  /** Keys in snake_case. */
  json(result: Result): unknown;
  /** 0 if absent; 3 when something could not be read. */
  exitCode?(result: Result): number;
}

export type AnyCommand = Command<unknown, unknown>;

/** Gives `parse` the types that the flags declare. */
export function defineCommand<const Flags extends readonly Flag[], Options, Result>(
  command: Command<Options, Result, Flags>,
): Command<Options, Result> {
  return command;
}

/** A command's name and how to get the rest of it: nothing heavy is loaded before the command is known. */
export interface CommandEntry {
  readonly name: string;
  readonly group: string;
  load(): Promise<AnyCommand>;
}

/** In the order in which help lists them. */
export type CommandTable = readonly CommandEntry[];
