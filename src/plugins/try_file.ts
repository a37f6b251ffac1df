import type { Clock } from "../base/clock.ts";
import type { AdmittedPlugin } from "./admission.ts";
import type { PluginFolder } from "./plugin_folder.ts";
import { type PluginSource, wasmSource } from "./plugin_source.ts";
import { probe } from "./probe.ts";
import { standingOf } from "./standing.ts";
import type { Trust } from "./trust.ts";

/**
 * Runs a codec or cipher beside the installed version of it, if that can be used: what cannot take over is not installed.
 * Others may need what only a running operation can give them. Throws `plugin_failed`.
 */
export async function tryFile(
  folder: PluginFolder,
  admitted: AdmittedPlugin,
  trust: Trust,
  clock: Clock,
): Promise<void> {
  const { category, pluginId } = admitted.manifest;
  if (category !== "compression" && category !== "encryption") return;
  const sourceOf = (plugin: AdmittedPlugin) =>
    wasmSource(plugin, { granted: [], configuration: {}, instancesMax: 1, clock });
  const installed = (await folder.list()).find((each) => each.pluginId === pluginId);
  const standing = installed && await standingOf(folder, installed, trust);
  const isOld = standing?.state === "ready" && standing.admitted?.sha256 !== admitted.sha256;
  const fresh = opened(sourceOf(admitted)), old = isOld ? opened(sourceOf(standing.admitted!)) : undefined;
  try {
    await probe(fresh, old);
  } finally {
    await Promise.all([fresh.open.pool?.close(), old?.open.pool?.close()]);
  }
}

function opened(source: PluginSource) {
  return { source, open: source.open() };
}
