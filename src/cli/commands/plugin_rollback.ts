import { rollBackPlugin } from "../../plugins/installed.ts";
import { defineCommand } from "../command.ts";
import { pluginFolderOf, trustOf } from "../plugin_place.ts";

export const pluginRollback = defineCommand({
  name: "plugin rollback",
  summary: "Bring back the version of a plugin that was replaced",
  usage: "axiom plugin rollback <id>",
  arguments: [{ name: "id", description: "Of the plugin" }],
  flags: [],
  examples: [
    { command: "axiom plugin rollback compression_lz4", does: "Use the version before, with what it was granted" },
    { command: "axiom plugin list", does: "See which version that is" },
  ],
  parse: (_values, [id]) => ({ id }),
  run: async ({ id }, { app: open }) => {
    const app = await open();
    return await rollBackPlugin(pluginFolderOf(app), id, trustOf(app));
  },
  render: ({ pluginId, version, previous }) => `${pluginId} is ${version} again, no longer ${previous?.version}`,
  json: ({ pluginId, version, sha256, previous }) => ({
    plugin_id: pluginId,
    version,
    sha256,
    replaced_version: previous?.version ?? null,
  }),
});
