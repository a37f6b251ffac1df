import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { releaseFreeMemory } from "../platform/memory.ts";
import { BUILT_IN } from "../stages/codec.ts";
import type { StageRegistry } from "../stages/registry.ts";
import type { PluginOption } from "../config/plugin_settings.ts";
import { beyondGrant } from "./capabilities.ts";
import { builtInPlugins } from "./built_ins.ts";
import type { HostServices } from "./capability_service.ts";
import { InstalledChanges, type PluginChange } from "./installed_changes.ts";
import { forgetQuarantined } from "./installed.ts";
import type { PluginEvent, PluginEventSink } from "./plugin_events.ts";
import type { PluginIdentity } from "./plugin_failure.ts";
import type { PluginFolder } from "./plugin_folder.ts";
import { completeConfiguration, givenOptions } from "./plugin_configuration.ts";
import { PluginRegistry } from "./plugin_registry.ts";
import { type PluginSource, type SourceSettings, wasmSource } from "./plugin_source.ts";
import { PluginStages } from "./plugin_stages.ts";
import { PluginUses } from "./plugin_uses.ts";
import { ProcessControl } from "./process_control.ts";
import { disabledError, heldError, revokedError } from "./unusable.ts";
import type { LockedPlugin } from "./plugins_lock.ts";
import { type PluginStanding, standingOf } from "./standing.ts";
import type { SignaturePolicy, Trust } from "./trust.ts";

export interface HostSettings {
  /** Undefined where this machine has no place for plugins. */
  readonly folder: PluginFolder | undefined;
  readonly trust: Trust;
  readonly clock: Clock;
  /** Of one plugin at once. */
  readonly instancesMax: number;
  readonly onEvent: PluginEventSink;
  /** Hears of what hinders the control of this process, which works on without. */
  readonly onProblem: (message: string) => void;
  /** For files that somebody put into the plugin folder. */
  readonly dropPolicy: SignaturePolicy;
  /** Outside of the sandboxes, for what is granted. */
  readonly services: HostServices;
  readonly onNotes: SourceSettings["onNotes"];
  readonly options: readonly PluginOption[];
  /** Becomes what is installed. */
  readonly stages: StageRegistry;
  /** Ids of plugins, built in or installed, that make nothing new. */
  readonly disabled: readonly string[];
  /** Filled with the reason why a plugin that is installed cannot be used, by its id. */
  readonly absent: Map<string, AxiomError>;
}

/** The plugins of this process: what it brings along and what is installed. */
export class PluginHost {
  readonly registry: PluginRegistry;
  readonly stages: PluginStages;
  readonly uses: PluginUses;
  readonly #installed = new InstalledChanges();
  #tail: Promise<unknown> = Promise.resolve();
  #control: ProcessControl | undefined;

  private constructor(readonly settings: HostSettings) {
    const { clock, stages, disabled, absent } = settings;
    for (const id of disabled) absent.set(id, disabledError(id));
    this.registry = new PluginRegistry({
      clock,
      onEvent: (event) => this.#onEvent(event),
      onRetired: releaseFreeMemory,
    });
    for (const source of builtInPlugins(stages)) this.registry.introduce(source);
    this.stages = new PluginStages(this.registry, stages);
    this.uses = new PluginUses({ registry: this.registry, absent: settings.absent });
  }

  /** Runs nothing of a plugin yet. Throws what the folder throws. */
  static async open(settings: HostSettings): Promise<PluginHost> {
    const host = new PluginHost(settings);
    const { changed } = host.#installed.note(await settings.folder?.list() ?? []);
    for (const plugin of changed) await host.#introduce(plugin);
    return host;
  }

  /**
   * Also the generation before, which may have written what the present one does not read, to which one can go back, and which
   * serves while the present one waits for a grant.
   */
  async #introduce(plugin: LockedPlugin): Promise<void> {
    const { pluginId, previous } = plugin;
    if (this.settings.disabled.includes(pluginId)) return;
    const standing = await this.#standing(plugin);
    const source = this.#sourceOf(standing);
    if (standing.state === "refused") return void this.#refuse(standing);
    const before = previous && this.#sourceOf(await this.#standing({ pluginId, ...previous }));
    if (before !== undefined) this.registry.introduce(before);
    if (source === undefined) this.#refuse(standing);
    else this.registry.introduce(source);
  }

  /** Makes what is installed now what serves from now on. Throws what the folder throws. */
  sync(): Promise<PluginChange[]> {
    const result = this.#tail.then(() => this.#sync());
    this.#tail = result.catch(() => {});
    return result;
  }

  async #sync(): Promise<PluginChange[]> {
    const { changed, gone } = this.#installed.note(await this.settings.folder?.list() ?? []);
    const changes: PluginChange[] = [];
    for (const plugin of changed) changes.push(await this.#take(plugin));
    for (const pluginId of gone) {
      const from = this.#serving(pluginId);
      if (!this.settings.disabled.includes(pluginId)) this.settings.absent.delete(pluginId);
      this.registry.unload(pluginId);
      changes.push({ pluginId, outcome: "unloaded", from, to: this.#serving(pluginId), tookMs: 0 });
    }
    return changes;
  }

  async #take(plugin: LockedPlugin): Promise<PluginChange> {
    const { pluginId, sha256 } = plugin, from = this.#serving(pluginId);
    const started = this.settings.clock.monotonicMs();
    const change = (outcome: PluginChange["outcome"], reason?: string) => {
      const tookMs = Math.round(this.settings.clock.monotonicMs() - started);
      return {
        pluginId,
        outcome,
        from,
        to: this.#serving(pluginId),
        tookMs,
        ...(reason === undefined ? {} : { reason }),
      };
    };
    if (this.settings.disabled.includes(pluginId)) return change("kept", disabledError(pluginId).message);
    this.registry.refuse(pluginId, (source) => isStillGranted(source, plugin), revokedError);
    const standing = await this.#standing(plugin);
    const source = this.#sourceOf(standing);
    if (source === undefined) {
      const isStopped = from !== undefined && this.#serving(pluginId)?.sha256 !== from.sha256;
      return change(isStopped ? "stopped" : "kept", this.#refuse(standing).message);
    }
    this.settings.absent.delete(pluginId);
    if (sameGrants(this.registry.sourceOf(pluginId, sha256), source)) {
      if (from?.sha256 !== sha256) this.registry.rollBack(pluginId, sha256);
      return change("switched");
    }
    try {
      await this.registry.replace(source, from === undefined ? "load" : "replace");
      return change("switched");
    } catch (error) {
      if (!(error instanceof AxiomError)) throw error;
      return change("kept", error.message);
    }
  }

  #serving(pluginId: string): PluginIdentity | undefined {
    return this.registry.list().find(({ source }) => source.plugin.pluginId === pluginId)?.current?.plugin;
  }

  /** Whoever served before goes on. */
  #refuse(standing: PluginStanding): AxiomError {
    const { plugin, state, refusal } = standing;
    const why = refusal ?? heldError(standing);
    this.settings.absent.set(plugin.pluginId, why);
    this.registry.note(plugin, state === "held" ? "held" : "rejected", why.message);
    return why;
  }

  /** What went into quarantine is not to serve again in the next process. */
  #onEvent(event: PluginEvent): void {
    this.settings.onEvent(event);
    const { folder } = this.settings;
    if (event.type !== "switched" || event.cause !== "quarantine" || folder === undefined) return;
    const { pluginId, from, to } = event;
    if (to === undefined || from === undefined || to.plugin.sha256 === BUILT_IN) return;
    const goBack = () => forgetQuarantined(folder, pluginId, from.plugin.sha256, to.plugin.sha256);
    this.#tail = this.#tail.then(goBack).catch(() => {}); // this process goes on without it, whatever the disk says
  }

  async #standing(plugin: LockedPlugin): Promise<PluginStanding> {
    const standing = await standingOf(this.settings.folder!, plugin, this.settings.trust);
    try {
      const { admitted } = standing;
      if (admitted) completeConfiguration(admitted.manifest, givenOptions(admitted.manifest, this.settings.options));
      return standing;
    } catch (error) {
      if (!(error instanceof AxiomError)) throw error;
      return { ...standing, admitted: undefined, state: "refused", refusal: error };
    }
  }

  #sourceOf({ admitted, plugin, file, state }: PluginStanding): PluginSource | undefined {
    const { instancesMax, clock, services, onNotes } = this.settings;
    if (admitted === undefined || state !== "ready") return undefined;
    const configuration = givenOptions(admitted.manifest, this.settings.options);
    return wasmSource(admitted, {
      granted: plugin.grants,
      configuration,
      instancesMax,
      clock,
      services,
      onNotes,
      file,
    });
  }

  /** Other processes of this user see it, and it sees what changes, until it is closed. */
  async listen(sockets: string | undefined, random: Random): Promise<void> {
    const { folder, clock, trust, dropPolicy, onProblem } = this.settings;
    if (folder === undefined || this.#control !== undefined) return;
    const dropTrust = { ...trust, policy: dropPolicy };
    this.#control = new ProcessControl(this, { folder, dropTrust, clock, onProblem });
    if (sockets !== undefined) await this.#control.listen(sockets, random);
  }

  async close(): Promise<void> {
    await this.#control?.close();
    await this.#tail;
    await this.stages.close();
    await this.registry.close();
  }
}

/** Whether what a generation uses is granted to these bytes, or to the version of them that is installed. */
function isStillGranted({ plugin: { sha256 }, granted }: PluginSource, { previous, ...now }: LockedPlugin): boolean {
  const { grants } = previous?.sha256 === sha256 && now.sha256 !== sha256 ? previous : now;
  const isPrivate = (name: string) => grants.some((each) => each.name === name && each.private === true);
  return beyondGrant(granted, grants).length === 0 &&
    granted.every((each) => each.private !== true || isPrivate(each.name));
}

function sameGrants(kept: PluginSource | undefined, source: PluginSource): boolean {
  return kept !== undefined && JSON.stringify(kept.granted) === JSON.stringify(source.granted);
}
