import { displayName } from "../../base/names.ts";
import { optionValues } from "../../config/show.ts";
import { defineCommand } from "../command.ts";
import { renderTable } from "../table.ts";

const FLAGS = [
  { long: "changed", type: "boolean", description: "Only options that are not at their default" },
] as const;

export const configShow = defineCommand({
  name: "config show",
  summary: "Show every option with its value and where that comes from",
  usage: "axiom [-c <file>] config show [--changed]",
  arguments: [],
  flags: FLAGS,
  examples: [
    { command: "axiom config show --changed", does: "Show what is not at its default" },
    { command: "AXIOM_ENV=night axiom config show --json", does: "Show what a profile makes of it, for a program" },
  ],
  parse: (values) => ({ changed: values.changed }),
  run: async ({ changed }, { app: open }) => {
    const { loaded } = await open();
    const options = optionValues(loaded).filter(({ origin }) => !changed || origin !== "default");
    return { options, files: loaded.files, profile: loaded.profile };
  },
  render: ({ options }, { columns }) =>
    renderTable(
      [{ title: "Option" }, { title: "Value", shrinks: true }, { title: "From" }],
      options.map(({ path, value, origin }) => [path, displayName(JSON.stringify(value ?? null)), origin]),
      columns,
    ),
  json: ({ options, files, profile }) => ({
    files,
    profile: profile ?? null,
    options: Object.fromEntries(options.map(({ path, value, origin }) => [path, { value: value ?? null, origin }])),
  }),
});
