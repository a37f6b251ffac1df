import { rollBackPlugin } from "../../plugins/installed.ts";
import { defineCommand } from "../command.ts";
import { askRunning, processesJson, processLines } from "../plugin_processes.ts";
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
    const plugin = await rollBackPlugin(pluginFolderOf(app), id, trustOf(app));
    return { ...plugin, processes: await askRunning(app, "sync") };
  },
  render: ({ pluginId, version, previous, processes }) => {
    const head = `${pluginId} is ${version} again, no longer ${previous?.version}`;
    return [head, ...processLines(processes, [pluginId])].join("\n");
  },
  json: ({ pluginId, version, sha256, previous, processes }) => ({
    plugin_id: pluginId,
    version,
    sha256,
    replaced_version: previous?.version ?? null,
    processes: processesJson(processes),
  }),
});
