import { describeCapability } from "../../plugins/capabilities.ts";
import { type PluginStanding, standingOf } from "../../plugins/standing.ts";
import { builtInPlugins } from "../../plugins/built_ins.ts";
import type { RunningPlugin } from "../../plugins/control_message.ts";
import { BUILT_IN } from "../../stages/codec.ts";
import { defineCommand } from "../command.ts";
import { escapeLines } from "../event_json.ts";
import { askRunning, processesJson } from "../plugin_processes.ts";
import { capabilitiesJson, pluginFolderOf, signerName, trustOf } from "../plugin_place.ts";
import { renderTable } from "../table.ts";
import { count } from "../wording.ts";

export const pluginList = defineCommand({
  name: "plugin list",
  summary: "List the installed plugins, and whether each may be used",
  usage: "axiom plugin list [--built-in]",
  details:
    "Also tells which generation serves in each running process of yours. Ends with 14 if a plugin is refused: its file " +
    "was changed, it was revoked, or its signature is not good enough.",
  arguments: [],
  flags: [{ long: "built-in", type: "boolean", description: "Also what this program brings along" }],
  examples: [
    { command: "axiom plugin list", does: "List all" },
    { command: "axiom plugin list --json", does: "The same for programs, with what each was granted" },
  ],
  parse: (values) => ({ withBuiltIn: values["built-in"] }),
  run: async ({ withBuiltIn }, { app: open }) => {
    const app = await open();
    const folder = pluginFolderOf(app);
    const plugins = await folder.list();
    const standings = await Promise.all(plugins.map((plugin) => standingOf(folder, plugin, trustOf(app))));
    const builtIn = withBuiltIn ? builtInPlugins(app.registry) : [];
    const { disabled } = app.config.plugins;
    return { standings, builtIn, disabled, processes: await askRunning(app, "list") };
  },
  render: ({ standings, builtIn, disabled, processes }, { columns }) => {
    const lines = processes.flatMap(({ pid, plugins, problem }) => {
      if (problem !== undefined) return [`Process ${pid} could not be asked: ${escapeLines(problem)}`];
      return plugins.map((each) => `Process ${pid}: ${escapeLines(runningText(each))}`);
    });
    if (standings.length + builtIn.length === 0) return ["No plugin is installed", ...lines].join("\n");
    const table = renderTable(
      [{ title: "Id" }, { title: "Version" }, { title: "Category" }, { title: "Signed by" }, {
        title: "State",
        shrinks: true,
      }],
      [
        ...builtIn.map(({ plugin: { pluginId, version }, category }) => {
          const isReplaced = standings.some(({ plugin, state }) => plugin.pluginId === pluginId && state === "ready");
          const state = disabled.includes(pluginId) ? "disabled" : isReplaced ? "built-in, replaced" : "built-in";
          return [pluginId, version, category, "", [state]];
        }),
        ...standings.map(({ plugin, admitted, ...standing }) => [
          plugin.pluginId,
          plugin.version,
          admitted?.manifest.category ?? "",
          signerName(plugin.key) ?? "",
          disabled.includes(plugin.pluginId) ? ["disabled"] : stateText(standing),
        ]),
      ],
      columns,
    );
    return [table, ...lines].join("\n");
  },
  json: ({ standings, builtIn, disabled, processes }) => [
    ...builtIn.map(({ plugin: { pluginId, version }, category, description }) => ({
      plugin_id: pluginId,
      version,
      category,
      description,
      sha256: BUILT_IN,
      state: disabled.includes(pluginId) ? "disabled" : "ready",
    })),
    ...standings.map(({ plugin, admitted, state, missing, refusal }) => ({
      plugin_id: plugin.pluginId,
      version: plugin.version,
      category: admitted?.manifest.category ?? null,
      description: admitted?.manifest.description ?? null,
      sha256: plugin.sha256,
      key_id: signerName(plugin.key),
      state: disabled.includes(plugin.pluginId) ? "disabled" : state,
      grants: plugin.grants,
      missing: capabilitiesJson(missing),
      problem: refusal?.message ?? null,
      previous_version: plugin.previous?.version ?? null,
      processes: processesJson(processes, plugin.pluginId),
    })),
  ],
  exitCode: ({ standings }) => standings.some(({ state }) => state === "refused") ? 14 : 0,
});

function runningText({ pluginId, version, sha256, state, calls, faults, reason, isServing }: RunningPlugin): string {
  const name = `${pluginId} ${version}${sha256 === BUILT_IN ? " (built-in)" : ""}`;
  const health = faults === 0 ? "" : `, ${count(faults, "fault")}`;
  return `${name} ${isServing ? `serves (${state})` : `is ${state}`}, ${count(calls, "call")}${health}${
    reason === undefined ? "" : `: ${reason}`
  }`;
}

function stateText({ state, missing, refusal }: Pick<PluginStanding, "state" | "missing" | "refusal">): string[] {
  if (state === "refused") return [`refused: ${refusal?.message}`];
  return state === "ready" ? ["ready"] : missing.map((each) => `held: asks to ${describeCapability(each)}`);
}
