import { defineCommand } from "../command.ts";
import { findHelp, renderHelp } from "../help.ts";
import { helpJson } from "../help_json.ts";

export const help = defineCommand({
  name: "help",
  summary: "Show how the program, or one of its commands, is used",
  usage: "axiom help [<command>]\naxiom <command> --help",
  arguments: [{
    name: "command",
    description: "Command, or the first word of several, such as key",
    optional: true,
    repeatable: true,
    completes: "command",
  }],
  flags: [],
  examples: [
    { command: "axiom help", does: "List all commands and global flags" },
    { command: "axiom help completion", does: "Show how one command is used" },
  ],
  parse: (_values, positionals) => positionals,
  run: (words, { commands }) => findHelp(words, commands),
  render: (page) => renderHelp(page),
  json: (page) => helpJson(page),
});
