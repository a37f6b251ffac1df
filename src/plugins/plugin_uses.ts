import type { Random } from "../base/random.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { demandCategory, type PluginsAtHand, withLease } from "./category_lease.ts";
import type { Category } from "./manifest.ts";
import type { PluginIdentity } from "./plugin_failure.ts";
import { PluginStreams, type StreamProvider } from "./plugin_streams.ts";
import { type EntryFilter, selectWith } from "./wasm_filter.ts";
import { PluginStore, type StorageSettings } from "./wasm_storage.ts";
import { type RunCategory, type RunPlugin, runWith } from "./wasm_run.ts";
import { type BackupStrategy, planWith } from "./wasm_strategy.ts";

/** What operations use plugins for, beside codecs and ciphers. Each call goes to whichever generation serves then. */
export class PluginUses {
  constructor(readonly atHand: PluginsAtHand) {}

  /**
   * A repository's store that a plugin keeps, until it is closed also where that is unloaded. Throws why it cannot be used.
   */
  storage(pluginId: string, settings: Pick<StorageSettings, "location" | "random" | "onForeign">): PluginStore {
    const { registry } = this.atHand;
    demandCategory(this.atHand, pluginId, "storage", `use ${settings.location} as a repository`);
    const first = registry.lease(pluginId);
    return new PluginStore({
      ...settings,
      call: (call, signal) => withLease(registry, pluginId, (lease) => lease.call(call, { signal }), first),
      close: () => Promise.resolve(first.release()), // the registry ends what runs
    });
  }

  /** @param name Id of a plugin, or what follows `filter_` in it. Throws why it cannot be used */
  filter(name: string): EntryFilter {
    const pluginId = this.#chosen(name, "filter", `filter with ${name}`);
    return {
      pluginId,
      select: (entries, signal) => this.#calling(pluginId, (plugin, call) => selectWith(plugin, entries, call), signal),
    };
  }

  /** @param name Id of a plugin, or what follows `strategy_` in it. Throws why it cannot be used */
  strategy(name: string): BackupStrategy {
    const pluginId = this.#chosen(name, "strategy", `choose the mode with ${name}`);
    return {
      pluginId,
      plan: (snapshots, nowMs, signal) =>
        this.#calling(pluginId, (plugin, call) => planWith(plugin, snapshots, nowMs, call), signal),
    };
  }

  /**
   * @param name Id of a plugin, or what follows the category and `_` in it
   * @param isLate It may be absent until it is called; else throws why it cannot be used
   */
  runner(name: string, category: RunCategory, isLate = false): RunPlugin {
    const pluginId = this.#idOf(name, category);
    const doing = category === "processing" ? `process snapshots with ${name}` : `notify with ${name}`;
    const demand = () => demandCategory(this.atHand, pluginId, category, doing);
    if (!isLate) demand();
    return {
      pluginId,
      run: async (context, signal) => {
        demand();
        return await this.#calling(pluginId, (plugin, call) => runWith(plugin, context, call), signal);
      },
    };
  }

  /** @param name Id of a plugin, or what follows `source_` in it. Throws why it cannot be used */
  source(name: string, random: Random): StreamProvider {
    const pluginId = this.#chosen(name, "source", `save what ${name} gives`);
    return { pluginId, begin: () => new PluginStreams(this.atHand.registry, pluginId, random) };
  }

  #chosen(name: string, category: Category, doing: string): string {
    const pluginId = this.#idOf(name, category);
    demandCategory(this.atHand, pluginId, category, doing);
    return pluginId;
  }

  #idOf(name: string, category: Category): string {
    const { registry, absent } = this.atHand, prefix = `${category}_`;
    return registry.isServing(name) || absent.has(name) || name.startsWith(prefix) ? name : prefix + name;
  }

  /** A fault that the host saw counts against the generation that answered. */
  #calling<T>(
    pluginId: string,
    use: (plugin: PluginIdentity, call: (call: PluginCall) => Promise<PluginAnswer>) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    return withLease(
      this.atHand.registry,
      pluginId,
      ({ source, open, run }) => run(() => use(source.plugin, (call) => open.pool!.call(call, { signal }))),
    );
  }
}
