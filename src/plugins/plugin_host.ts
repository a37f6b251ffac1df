import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import type { StageRegistry } from "../stages/registry.ts";
import { builtInPlugins } from "./built_ins.ts";
import type { PluginEventSink } from "./plugin_events.ts";
import type { PluginFolder } from "./plugin_folder.ts";
import { PluginRegistry } from "./plugin_registry.ts";
import { type PluginSource, wasmSource } from "./plugin_source.ts";
import { PluginStages } from "./plugin_stages.ts";
import type { LockedPlugin } from "./plugins_lock.ts";
import { type PluginStanding, standingOf } from "./standing.ts";
import type { Trust } from "./trust.ts";

export interface HostSettings {
  /** Undefined where this machine has no place for plugins. */
  readonly folder: PluginFolder | undefined;
  readonly trust: Trust;
  readonly clock: Clock;
  /** Of one plugin at once. */
  readonly instancesMax: number;
  readonly onEvent: PluginEventSink;
  /** Becomes what is installed. */
  readonly stages: StageRegistry;
  /** Filled with the reason why a plugin that is installed cannot be used, by its id. */
  readonly absent: Map<string, AxiomError>;
}

/** The plugins of this process: what it brings along and what is installed. */
export class PluginHost {
  readonly registry: PluginRegistry;
  readonly stages: PluginStages;

  private constructor(readonly settings: HostSettings) {
    const { clock, onEvent, stages } = settings;
    this.registry = new PluginRegistry({ clock, onEvent });
    for (const source of builtInPlugins(stages)) this.registry.introduce(source);
    this.stages = new PluginStages(this.registry, stages);
  }

  /** Runs nothing of a plugin yet. Throws what the folder throws. */
  static async open(settings: HostSettings): Promise<PluginHost> {
    const host = new PluginHost(settings);
    for (const plugin of await settings.folder?.list() ?? []) await host.#introduce(plugin);
    return host;
  }

  /** Also the generation before, which may have written what the present one does not read, and to which one can go back. */
  async #introduce(plugin: LockedPlugin): Promise<void> {
    const { pluginId, previous } = plugin;
    const standing = await this.#standing(plugin);
    const source = this.#sourceOf(standing);
    if (source === undefined) {
      const { state, refusal } = standing;
      const why = refusal ?? heldError(standing);
      this.settings.absent.set(pluginId, why);
      return this.registry.note(plugin, state === "held" ? "held" : "rejected", why.message);
    }
    const before = previous && this.#sourceOf(await this.#standing({ pluginId, ...previous }));
    if (before !== undefined) this.registry.introduce(before);
    this.registry.introduce(source);
  }

  #standing(plugin: LockedPlugin): Promise<PluginStanding> {
    return standingOf(this.settings.folder!, plugin, this.settings.trust);
  }

  #sourceOf({ admitted, plugin, state }: PluginStanding): PluginSource | undefined {
    const { instancesMax, clock } = this.settings;
    if (admitted === undefined || state !== "ready") return undefined;
    return wasmSource(admitted, { granted: plugin.grants, configuration: {}, instancesMax, clock });
  }

  async close(): Promise<void> {
    await this.registry.close();
  }
}

function heldError({ plugin: { pluginId, version }, missing }: PluginStanding): AxiomError {
  const names = missing.map(({ name }) => name).join(", ");
  return new AxiomError(
    "plugin_refused",
    `Cannot use the plugin ${pluginId} ${version}: it waits for a grant of ${names}`,
    {
      hint: `Run \`axiom plugin info ${pluginId}\`, then \`axiom plugin grant\``,
    },
  );
}
