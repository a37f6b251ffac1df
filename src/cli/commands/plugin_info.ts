import { absolute } from "../../operations/source_list.ts";
import { admit } from "../../plugins/admission.ts";
import { installed } from "../../plugins/installed.ts";
import { readSignedPlugin } from "../../plugins/signed_file.ts";
import { standingOf } from "../../plugins/standing.ts";
import { judge } from "../../plugins/trust.ts";
import type { App } from "../app.ts";
import { defineCommand } from "../command.ts";
import { pluginFolderOf, trustOf } from "../plugin_place.ts";
import { type PluginFacts, pluginFactsJson, pluginFactsText } from "../plugin_text.ts";

const ID = /^[a-z][a-z0-9_]*$/;

export const pluginInfo = defineCommand({
  name: "plugin info",
  summary: "Show what a plugin is and what it asks to be allowed, without running it",
  usage: "axiom plugin info <file|plugin_id>",
  details: "Ends with 14 if the plugin is refused, and says why.",
  arguments: [{
    name: "file|plugin_id",
    description: "A .wasm file, or the id of an installed plugin",
    completes: "file",
  }],
  flags: [],
  examples: [
    { command: "axiom plugin info ./compression_lz4.wasm", does: "Look at a plugin before it is loaded" },
    { command: "axiom plugin info --json compression_lz4", does: "Look at an installed one, for a program" },
  ],
  parse: (_values, [name]) => ({ name }),
  run: async ({ name }, { app: open }) => {
    const app = await open();
    return ID.test(name) ? await installedFacts(app, name) : await fileFacts(app, name);
  },
  render: pluginFactsText,
  json: pluginFactsJson,
});

async function fileFacts(app: App, path: string): Promise<PluginFacts> {
  const file = await readSignedPlugin(absolute(path, app.folder));
  const admitted = admit(file.bytes, { name: file.name });
  const { pluginId, version } = admitted.manifest;
  const { signer, doubt } = await judge({ ...file, pluginId, version }, { ...trustOf(app), policy: "warn" });
  return { admitted, bytes: file.bytes.length, signer, doubt };
}

async function installedFacts(app: App, pluginId: string): Promise<PluginFacts> {
  const folder = pluginFolderOf(app);
  const plugin = installed(await folder.list(), pluginId);
  const standing = await standingOf(folder, plugin, trustOf(app));
  if (standing.admitted === undefined) throw standing.refusal;
  const { bytes } = await folder.open(plugin);
  return { admitted: standing.admitted, bytes: bytes.length, signer: plugin.key ?? undefined, standing };
}
