import { describeCapability } from "../../plugins/capabilities.ts";
import { type PluginStanding, standingOf } from "../../plugins/standing.ts";
import { defineCommand } from "../command.ts";
import { capabilitiesJson, pluginFolderOf, signerName, trustOf } from "../plugin_place.ts";
import { renderTable } from "../table.ts";

export const pluginList = defineCommand({
  name: "plugin list",
  summary: "List the installed plugins, and whether each may be used",
  usage: "axiom plugin list",
  details:
    "Ends with 14 if one of them is refused: its file was changed, it was revoked, or its signature is not good enough.",
  arguments: [],
  flags: [],
  examples: [
    { command: "axiom plugin list", does: "List all" },
    { command: "axiom plugin list --json", does: "The same for programs, with what each was granted" },
  ],
  parse: () => ({}),
  run: async (_options, { app: open }) => {
    const app = await open();
    const folder = pluginFolderOf(app);
    const plugins = await folder.list();
    return await Promise.all(plugins.map((plugin) => standingOf(folder, plugin, trustOf(app))));
  },
  render: (standings, { columns }) => {
    if (standings.length === 0) return "No plugin is installed";
    return renderTable(
      [{ title: "Id" }, { title: "Version" }, { title: "Category" }, { title: "Signed by" }, {
        title: "State",
        shrinks: true,
      }],
      standings.map(({ plugin, admitted, ...standing }) => [
        plugin.pluginId,
        plugin.version,
        admitted?.manifest.category ?? "",
        signerName(plugin.key) ?? "",
        stateText(standing),
      ]),
      columns,
    );
  },
  json: (standings) =>
    standings.map(({ plugin, admitted, state, missing, refusal }) => ({
      plugin_id: plugin.pluginId,
      version: plugin.version,
      category: admitted?.manifest.category ?? null,
      description: admitted?.manifest.description ?? null,
      sha256: plugin.sha256,
      key_id: signerName(plugin.key),
      state,
      grants: plugin.grants,
      missing: capabilitiesJson(missing),
      problem: refusal?.message ?? null,
      previous_version: plugin.previous?.version ?? null,
    })),
  exitCode: (standings) => standings.some(({ state }) => state === "refused") ? 14 : 0,
});

function stateText({ state, missing, refusal }: Pick<PluginStanding, "state" | "missing" | "refusal">): string[] {
  if (state === "refused") return [`refused: ${refusal?.message}`];
  return state === "ready" ? ["ready"] : missing.map((each) => `held: asks to ${describeCapability(each)}`);
}
