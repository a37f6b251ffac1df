import { AxiomError } from "../../base/errors.ts";
import { beyondGrant, type Capability, needsGrant } from "../../plugins/capabilities.ts";
import { grantChoice, type GrantRequest } from "../../plugins/grant_choice.ts";
import { installed, setGrants } from "../../plugins/installed.ts";
import { standingOf } from "../../plugins/standing.ts";
import { defineCommand } from "../command.ts";
import { escapeLines } from "../event_json.ts";
import { REACH_FLAGS, reachOf } from "../grant_flags.ts";
import { askRunning, processesJson, processLines } from "../plugin_processes.ts";
import { askingLines, capabilitiesJson, pluginFolderOf, trustOf } from "../plugin_place.ts";

const ALL_FLAG = { long: "all", type: "boolean", description: "All that it asks for" } as const;

export const pluginGrant = defineCommand({
  name: "plugin grant",
  summary: "Allow a plugin what it asks for",
  usage: "axiom plugin grant --all <id>\naxiom plugin grant <id> <capability>…",
  details:
    "`axiom plugin list` shows what a plugin asks for. A new version keeps the grant if the same trusted key signed it " +
    "and it asks for no more.",
  arguments: [
    { name: "id", description: "Of the plugin" },
    { name: "capability", description: "Such as net.http", optional: true, repeatable: true },
  ],
  flags: [ALL_FLAG, ...REACH_FLAGS],
  examples: [
    { command: "axiom plugin grant --all storage_webdav", does: "Allow all that it asks for" },
    {
      command: "axiom plugin grant storage_webdav net.http --host dav.example:443",
      does: "Let it reach this host, and nothing else",
    },
  ],
  parse: (values, [id, ...names]): { id: string; request: GrantRequest } => {
    if (values.all && names.length > 0) {
      throw new AxiomError("usage", "Cannot grant: --all and a capability are both given", {
        hint: "Leave one of them out",
      });
    }
    return { id, request: { names: values.all ? "all" : names, ...reachOf(values) } };
  },
  run: async ({ id, request }, { app: open }) => {
    const app = await open();
    const folder = pluginFolderOf(app);
    const plugin = installed(await folder.list(), id);
    const { admitted, refusal } = await standingOf(folder, plugin, trustOf(app));
    if (admitted === undefined) throw refusal;
    const asked = admitted.manifest.capabilities.filter(needsGrant);
    if (request.names.length === 0) throw unnamed(id, asked);
    const granted = grantChoice(id, asked, request);
    const changed = await setGrants(folder, plugin, (held) => [
      ...held.filter(({ name }) => !granted.some((each) => each.name === name)),
      ...granted,
    ]);
    const processes = await askRunning(app, "sync");
    return { plugin: changed, granted, missing: beyondGrant(asked, changed.grants), processes };
  },
  render: ({ plugin: { pluginId, version }, granted, missing, processes }) => {
    const lines = [`${pluginId} ${version} may now`, ...askingLines(granted)];
    if (granted.length === 0) lines.splice(0, 1, `${pluginId} ${version} asks for nothing`);
    if (missing.length > 0) lines.push("It still waits until you allow it to", ...askingLines(missing));
    return [...lines.map(escapeLines), ...processLines(processes, [pluginId])].join("\n");
  },
  json: ({ plugin: { pluginId, version, sha256, grants }, missing, processes }) => ({
    plugin_id: pluginId,
    version,
    sha256,
    grants,
    missing: capabilitiesJson(missing),
    processes: processesJson(processes, pluginId),
  }),
});

function unnamed(id: string, asked: readonly Capability[]): AxiomError {
  const what = asked.length === 0
    ? "it asks for nothing"
    : `none is named. It asks to\n${askingLines(asked).join("\n")}`;
  return new AxiomError("usage", `Cannot grant capabilities to ${id}: ${what}`, {
    hint: asked.length === 0 ? undefined : `Name those that you allow, or give --all`,
  });
}
