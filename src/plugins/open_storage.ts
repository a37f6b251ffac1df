import { AxiomError } from "../base/errors.ts";
import type { PluginRegistry } from "./plugin_registry.ts";
import { PluginStore, type StorageSettings } from "./wasm_storage.ts";

/**
 * A store whose calls go to whichever generation of a plugin serves. Throws `usage` for a plugin that keeps nothing, and why
 * one cannot be used.
 *
 * @param absent Why an installed plugin cannot be used, by its id
 */
export function openStorage(
  registry: PluginRegistry,
  absent: ReadonlyMap<string, AxiomError>,
  pluginId: string,
  settings: Pick<StorageSettings, "location" | "random" | "onForeign">,
): PluginStore {
  const why = absent.get(pluginId);
  if (why !== undefined && !registry.isServing(pluginId)) throw why;
  const first = registry.lease(pluginId);
  const { category } = first.source;
  first.release();
  if (category !== "storage" || first.open.pool === undefined) {
    throw new AxiomError("usage", `Cannot use ${settings.location} as a repository: ${pluginId} is for ${category}`, {
      hint: "`axiom plugin list` shows the plugins for storage",
    });
  }
  return new PluginStore({
    ...settings,
    async call(call, signal) {
      const lease = registry.lease(pluginId);
      try {
        return await lease.call(call, { signal });
      } finally {
        lease.release();
      }
    },
    close: () => Promise.resolve(), // the registry ends what runs
  });
}
