import { AxiomError } from "../../base/errors.ts";
import { grantedNames, installed, takeGrants } from "../../plugins/installed.ts";
import { defineCommand } from "../command.ts";
import { askRunning, processesJson, processLines } from "../plugin_processes.ts";
import { pluginFolderOf } from "../plugin_place.ts";

const FLAGS = [{ long: "all", type: "boolean", description: "All that it was granted" }] as const;

export const pluginRevoke = defineCommand({
  name: "plugin revoke",
  summary: "Take back what a plugin was granted",
  usage: "axiom plugin revoke --all <id>\naxiom plugin revoke <id> <capability>…",
  details:
    "A running process that uses it stops calling it at once. To trust a key, or a file, no longer, list it in plugins.revoked of the configuration.",
  arguments: [
    { name: "id", description: "Of the plugin" },
    { name: "capability", description: "Such as net.http", optional: true, repeatable: true },
  ],
  flags: FLAGS,
  examples: [
    {
      command: "axiom plugin revoke --all storage_webdav",
      does: "Take everything back; it waits until you grant it again",
    },
    { command: "axiom plugin revoke notification_webhook kv", does: "Take one thing back" },
  ],
  acts: true,
  parse: (values, [id, ...names]) => {
    if (values.all === names.length > 0) {
      throw new AxiomError(
        "usage",
        `Cannot revoke grants of ${id}: ${values.all ? "--all and a capability are both given" : "none is named"}`,
        {
          hint: "Name those that you take back, or give --all",
        },
      );
    }
    return { id, names: values.all ? undefined : names };
  },
  run: async ({ id, names }, { app: open }) => {
    const app = await open();
    const folder = pluginFolderOf(app);
    const plugin = installed(await folder.list(), id);
    const held = grantedNames(plugin);
    const unknown = names?.find((name) => !held.includes(name));
    if (unknown !== undefined) {
      throw new AxiomError("usage", `Cannot revoke ${unknown}: ${id} was not granted that`, {
        hint: held.length === 0 ? "It was granted nothing" : `It was granted ${held.join(", ")}`,
      });
    }
    const changed = await takeGrants(folder, id, names);
    return { plugin: changed, taken: names ?? held, processes: await askRunning(app, "sync") };
  },
  render: ({ plugin: { pluginId }, taken, processes }) =>
    [
      taken.length === 0 ? `${pluginId} was granted nothing` : `${pluginId} may no longer use ${taken.join(", ")}`,
      ...processLines(processes, [pluginId]),
    ].join("\n"),
  json: ({ plugin: { pluginId, version, sha256, grants }, processes }) => ({
    plugin_id: pluginId,
    version,
    sha256,
    grants,
    processes: processesJson(processes, pluginId),
  }),
});
