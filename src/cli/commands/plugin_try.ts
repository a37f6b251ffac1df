import { absolute } from "../../operations/source_list.ts";
import { admit } from "../../plugins/admission.ts";
import { testPlugin } from "../../plugins/conformance.ts";
import { readPluginFile } from "../../plugins/plugin_file.ts";
import { defineCommand } from "../command.ts";
import { findingsCode, findingsJson, findingsText } from "../plugin_findings.ts";

/** `plugin test`; the name of the file must not look like a test's. */
export const pluginTest = defineCommand({
  name: "plugin test",
  summary: "Try a plugin by the rules that every plugin is held to",
  usage: "axiom plugin test <file>",
  details: "Runs it in its sandbox with nothing granted, and loads nothing. Ends with 14 if a rule is broken.",
  arguments: [{ name: "file", description: "The .wasm file of a plugin", completes: "file" }],
  flags: [],
  examples: [
    { command: "axiom plugin test compression_lz4.wasm", does: "Try a plugin that you built" },
    { command: "axiom plugin test --json compression_lz4.wasm", does: "The same for programs" },
  ],
  parse: (_values, [file]) => ({ file }),
  run: async ({ file }, { app: open }) => {
    const { folder, clock, signal } = await open();
    const { name, data } = await readPluginFile(absolute(file, folder));
    const plugin = admit(data, { name });
    return { plugin, findings: await testPlugin(plugin, { clock, signal }) };
  },
  render: findingsText,
  json: findingsJson,
  exitCode: findingsCode,
});
