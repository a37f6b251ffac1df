import { configJsonSchema } from "../../config/json_schema.ts";
import { MANIFEST_SCHEMA } from "../../plugins/manifest_schema.ts";
import { defineCommand } from "../command.ts";

export const configSchema = defineCommand({
  name: "config schema",
  summary: "Print the JSON Schema of the configuration or of a plugin's manifest, for editors",
  usage: "axiom config schema [configuration|plugin]",
  arguments: [{
    name: "of",
    description: "The configuration, which is meant without it, or plugin.yaml",
    optional: true,
    choices: ["configuration", "plugin"],
  }],
  flags: [],
  examples: [
    { command: "axiom config schema > axiom.schema.json", does: "Save it" },
    { command: "axiom config schema plugin > plugin.schema.json", does: "Save the one of manifests" },
    {
      command: "echo '# yaml-language-server: $schema=axiom.schema.json' | cat - axiom.yaml",
      does: "Tell an editor about it in the first line of the file",
    },
  ],
  parse: (_values, [of]) => ({ of: of ?? "configuration" }),
  run: ({ of }) => Promise.resolve(of === "plugin" ? MANIFEST_SCHEMA : configJsonSchema()),
  render: (schema: unknown) => JSON.stringify(schema, undefined, 2),
  json: (schema: unknown) => schema,
});
