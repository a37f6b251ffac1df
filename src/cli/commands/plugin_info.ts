import { absolute } from "../../operations/source_list.ts";
import { admit } from "../../plugins/admission.ts";
import { readPluginFile } from "../../plugins/plugin_file.ts";
import { defineCommand } from "../command.ts";
import { pluginJson, pluginText } from "../plugin_text.ts";

export const pluginInfo = defineCommand({
  name: "plugin info",
  summary: "Show what a plugin is and what it asks to be allowed, without running it",
  usage: "axiom plugin info <file>",
  arguments: [{ name: "file", description: "The .wasm file of a plugin", completes: "file" }],
  flags: [],
  examples: [
    { command: "axiom plugin info compression_lz4.wasm", does: "Look at a plugin before it is loaded" },
    { command: "axiom plugin info --json compression_lz4.wasm", does: "The same for programs" },
  ],
  parse: (_values, [file]) => ({ file }),
  run: async ({ file }, { app: open }) => {
    const { folder } = await open();
    const { name, data } = await readPluginFile(absolute(file, folder));
    return { plugin: admit(data, { name }), bytes: data.length };
  },
  render: ({ plugin, bytes }) => pluginText(plugin, bytes),
  json: ({ plugin, bytes }) => pluginJson(plugin, bytes),
});
