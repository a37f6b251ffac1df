import { ERROR_KINDS } from "../base/errors.ts";
import type { AnyCommand, Flag } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { defaultOf, type HelpPage, PROGRAM_USAGE } from "./help.ts";
import { placeholderOf, takesValue } from "./tokens.ts";

export function helpJson(page: HelpPage): unknown {
  switch (page.kind) {
    case "program":
      return {
        usage: PROGRAM_USAGE,
        groups: page.groups.map(({ title, commands }) => ({ title, commands: commands.map(commandJson) })),
        global_flags: GLOBAL_FLAGS.map(flagJson),
        exit_codes: EXIT_CODES,
        error_kinds: Object.fromEntries(Object.entries(ERROR_KINDS).map(([kind, { exitCode }]) => [kind, exitCode])),
      };
    case "family":
      return { name: page.name, commands: page.commands.map(commandJson) };
    case "command":
      return { ...commandJson(page.command), global_flags: GLOBAL_FLAGS.map(flagJson) };
  }
}

function commandJson(command: AnyCommand): Record<string, unknown> {
  const { name, summary, usage, details, examples } = command;
  return {
    name,
    summary,
    usage: usage.split("\n"),
    details: details ?? null,
    arguments: command.arguments.map((each) => ({
      name: each.name,
      description: each.description,
      optional: each.optional ?? false,
      repeatable: each.repeatable ?? false,
      choices: each.choices ?? null,
    })),
    flags: command.flags.map(flagJson),
    examples,
  };
}

function flagJson(flag: Flag): Record<string, unknown> {
  return {
    long: flag.long,
    short: flag.short ?? null,
    type: flag.type,
    placeholder: takesValue(flag) ? placeholderOf(flag) : null,
    choices: flag.choices ?? null,
    repeatable: flag.repeatable ?? false,
    default: defaultOf(flag) ?? null,
    environment: flag.environment ?? null,
    option: flag.option ?? null,
    description: flag.description,
  };
}
