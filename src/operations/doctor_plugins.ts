import { AxiomError } from "../base/errors.ts";
import { pluginFolder } from "../plugins/plugin_folder.ts";
import { type PluginStanding, standingOf } from "../plugins/standing.ts";
import type { Trust } from "../plugins/trust.ts";
import type { DoctorFinding } from "./doctor.ts";

export interface PluginPlace {
  folder: string | undefined;
  trust: Trust;
}

/** What is installed, and each plugin that cannot be used with its reason. */
export async function pluginFindings({ folder: path, trust }: PluginPlace): Promise<DoctorFinding[]> {
  const name = "plugins";
  if (path === undefined) {
    const advice = "Set HOME or XDG_DATA_HOME to a folder that can be written";
    return [{ name, state: "warning", message: "there is no place for them", advice }];
  }
  const folder = pluginFolder(path);
  try {
    const plugins = await folder.list();
    if (plugins.length === 0) return [{ name, state: "ok", message: "none is installed" }];
    const standings = await Promise.all(plugins.map((plugin) => standingOf(folder, plugin, trust)));
    const unusable = standings.filter(({ state }) => state !== "ready").map((standing) => findingOf(name, standing));
    const ready = standings.length - unusable.length;
    return [{ name, state: "ok", message: `${ready} of ${standings.length} ready, in ${path}` }, ...unusable];
  } catch (error) {
    if (!(error instanceof AxiomError)) throw error;
    return [{ name, state: "warning", message: error.message, advice: error.hint }];
  }
}

function findingOf(name: string, { plugin: { pluginId, version }, missing, refusal }: PluginStanding): DoctorFinding {
  if (refusal !== undefined) return { name, state: "warning", message: refusal.message, advice: refusal.hint };
  return {
    name,
    state: "warning",
    message: `${pluginId} ${version} waits until it is granted ${missing.map((each) => each.name).join(", ")}`,
    advice: `Run \`axiom plugin info ${pluginId}\`, then \`axiom plugin grant\``,
  };
}
