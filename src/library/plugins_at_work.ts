import { AxiomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { PluginOption } from "../config/plugin_settings.ts";
import type { Config } from "../config/schema.ts";
import type { RequestContext } from "../operations/backup_request.ts";
import { userIds } from "../platform/host.ts";
import type { Decoders } from "../plugins/decoders.ts";
import type { PluginHost } from "../plugins/plugin_host.ts";
import { disabledError } from "../plugins/unusable.ts";
import type { EntryFilter } from "../plugins/wasm_filter.ts";
import type { BackupStrategy } from "../plugins/wasm_strategy.ts";
import type { Repository } from "../repository/repository.ts";
import type { StageRegistry } from "../stages/registry.ts";
import { displayLocation, parseLocation } from "../storage/location.ts";
import type { StoreSettings } from "../storage/open_store.ts";

/** Plugins that an app runs, as its repositories need them. */
export interface PluginsAtWork {
  readonly host: PluginHost;
  readonly decoders: Decoders;
  /** What is built in and what is loaded, as things are now. */
  readonly registry: StageRegistry;
  readonly options: readonly PluginOption[];
  /** That are open; the app closes those that nobody else closed. */
  readonly repositories: Set<Repository>;
}

/** Throws `plugin_refused` for a plugin that the program disabled, built in or not. */
export function demandEnabled(plugins: PluginsAtWork | undefined, pluginId: string): void {
  if (plugins?.host.settings.disabled.includes(pluginId)) throw disabledError(pluginId);
}

/** Opens what a location of the form `<plugin_id>://` names. */
export function storeOpener(plugins: PluginsAtWork, location: string): NonNullable<StoreSettings["openPlugin"]> {
  return ({ pluginId, url }, heard) => {
    const given = plugins.options.find((each) => each.pluginId === pluginId && each.key === "url")?.value;
    if (url !== undefined && url !== given) {
      throw new AxiomError(
        "usage",
        `Cannot use ${displayLocation(location)} as a repository: ${pluginId} was opened ${
          given === undefined ? "without a url" : `for ${given}`
        }`,
        { hint: `Give openApp() the options { ${pluginId}: { url: "${url}" } }` },
      );
    }
    const named = { ...heard, random: systemRandom, location: displayLocation(location) };
    return Promise.resolve(plugins.host.uses.storage(pluginId, named));
  };
}

/** Throws `plugin_refused` where the place of a repository is one that the program disabled. */
export function demandPlace(plugins: PluginsAtWork | undefined, location: string): void {
  if (parseLocation(location).kind === "local") demandEnabled(plugins, "storage_local");
}

/** The plugins that a backup names. Throws why one cannot be used. */
export function chosenPlugins(
  plugins: PluginsAtWork | undefined,
  { filters: names, strategy: name, sources, mode }: Config["backup"],
): { filters: EntryFilter[]; strategy: BackupStrategy | undefined; sources?: RequestContext["sources"] } {
  demandEnabled(plugins, `backup_${mode}`);
  const [wanted] = [...names, name, ...sources].filter((each) => each !== undefined);
  if (wanted === undefined) return { filters: [], strategy: undefined };
  if (plugins === undefined) {
    throw new AxiomError(
      "plugin_missing",
      `Cannot use the plugin ${wanted}: the repository was opened without plugins`,
      {
        hint: "Open it with the openRepository() of what openApp() returns",
      },
    );
  }
  const { uses } = plugins.host;
  const strategy = name === undefined ? undefined : uses.strategy(name);
  return {
    filters: [...new Set(names)].map((each) => uses.filter(each)),
    strategy: strategy && enabled(plugins, strategy),
    sources: {
      open: (each) => uses.source(each, systemRandom),
      owner: userIds() ?? { uid: 0, gid: 0 },
    },
  };
}

/** What a strategy decides may be disabled as well. */
function enabled(plugins: PluginsAtWork, strategy: BackupStrategy): BackupStrategy {
  return {
    ...strategy,
    plan: async (snapshots, nowMs, signal) => {
      const plan = await strategy.plan(snapshots, nowMs, signal);
      demandEnabled(plugins, `backup_${plan.mode}`);
      return plan;
    },
  };
}
