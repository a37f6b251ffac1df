import { AxiomError } from "../base/errors.ts";
import type { PluginManifest } from "./manifest.ts";
import { satisfies } from "./semver.ts";
import { nameOfPlugin, type PluginIdentity } from "./plugin_failure.ts";

type Needing = Pick<PluginManifest, "pluginId" | "version" | "dependencies">;

/**
 * What would not work if `plugin` stood beside `others`: what it cannot do without, directly or not, and who cannot do
 * without it. Each is a path such as `a 1.0.0 → b ^2`, with the reason.
 */
export function dependencyFaults(plugin: Needing, others: readonly Needing[]): string[] {
  const all = new Map(others.map((each) => [each.pluginId, each]));
  all.set(plugin.pluginId, plugin);
  const faults: string[] = [], sound = new Set<string>();
  const visit = (current: Needing, path: readonly Needing[]) => {
    if (sound.has(current.pluginId)) return;
    const here = [...path, current];
    for (const { pluginId, version } of current.dependencies.filter(({ optional }) => !optional)) {
      const needed = all.get(pluginId);
      const trail = `${here.map(nameOf).join(" → ")} → ${pluginId} ${version}`;
      if (needed === undefined) faults.push(`${trail}: none is installed`);
      else if (!satisfies(needed.version, version)) faults.push(`${trail}: ${needed.version} is installed`);
      else if (here.includes(needed)) faults.push(`${trail}: they need each other`);
      else visit(needed, here);
    }
    sound.add(current.pluginId);
  };
  visit(plugin, []);
  for (const other of others) {
    const need = other.dependencies.find(({ pluginId, optional }) => pluginId === plugin.pluginId && !optional);
    if (need === undefined || other.pluginId === plugin.pluginId || satisfies(plugin.version, need.version)) continue;
    faults.push(`${nameOf(other)} → ${need.pluginId} ${need.version}: this is ${plugin.version}`);
  }
  return faults;
}

/** Throws `plugin_refused` with every path that leads to something missing, unfit, or back to itself. */
export function demandDependencies(plugin: Needing & PluginIdentity, others: readonly Needing[]): void {
  const faults = dependencyFaults(plugin, others);
  if (faults.length === 0) return;
  throw new AxiomError("plugin_refused", `Cannot load the plugin ${nameOfPlugin(plugin)}: ${faults.join("; ")}`, {
    hint: "Load or replace first what it needs; `axiom plugin list` shows what is installed",
  });
}

function nameOf({ pluginId, version }: Needing): string {
  return `${pluginId} ${version}`;
}
