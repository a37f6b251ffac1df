import { configJsonSchema } from "../../config/json_schema.ts";
import { defineCommand } from "../command.ts";

export const configSchema = defineCommand({
  name: "config schema",
  summary: "Print the JSON Schema of the configuration, for editors",
  usage: "axiom config schema",
  arguments: [],
  flags: [],
  examples: [
    { command: "axiom config schema > axiom.schema.json", does: "Save it" },
    {
      command: "echo '# yaml-language-server: $schema=axiom.schema.json' | cat - axiom.yaml",
      does: "Tell an editor about it in the first line of the file",
    },
  ],
  parse: () => ({}),
  run: () => Promise.resolve(configJsonSchema()),
  render: (schema) => JSON.stringify(schema, undefined, 2),
  json: (schema) => schema,
});
