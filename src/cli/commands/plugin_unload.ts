import { unloadPlugin } from "../../plugins/installed.ts";
import { defineCommand } from "../command.ts";
import { askRunning, processesJson, processLines } from "../plugin_processes.ts";
import { pluginFolderOf } from "../plugin_place.ts";

const FLAGS = [
  { long: "with-dependants", type: "boolean", description: "Also those that would not work without it" },
] as const;

export const pluginUnload = defineCommand({
  name: "plugin unload",
  summary: "Remove an installed plugin, and what it was granted",
  usage: "axiom plugin unload [--with-dependants] <id>",
  arguments: [{ name: "id", description: "Of the plugin" }],
  flags: FLAGS,
  examples: [
    { command: "axiom plugin unload compression_lz4", does: "Remove it" },
    { command: "axiom plugin unload --with-dependants hash_xxh", does: "Remove all that need it, too" },
  ],
  acts: true,
  parse: (values, [id]) => ({ id, withDependants: values["with-dependants"] }),
  run: async ({ id, withDependants }, { app: open }) => {
    const app = await open();
    const removed = await unloadPlugin(pluginFolderOf(app), id, { withDependants });
    return { removed, processes: await askRunning(app, "sync") };
  },
  render: ({ removed, processes }) => {
    const head = `Removed ${removed.map(({ pluginId, version }) => `${pluginId} ${version}`).join(", ")}`;
    return [head, ...processLines(processes, removed.map(({ pluginId }) => pluginId))].join("\n");
  },
  json: ({ removed, processes }) => ({
    removed: removed.map(({ pluginId, version, sha256 }) => ({ plugin_id: pluginId, version, sha256 })),
    processes: processesJson(processes),
  }),
});
