import type { Clock } from "../base/clock.ts";
import { type LoadedPlugin, loadPlugin } from "./installed.ts";
import { admit } from "./admission.ts";
import type { PluginBytes, PluginFolder } from "./plugin_folder.ts";
import type { LockedPlugin, LockedVersion } from "./plugins_lock.ts";
import type { Trust } from "./trust.ts";

/** What was installed before an author began, with its files, which the folder keeps no longer. */
interface Before {
  readonly pluginId: string;
  readonly plugin: LockedPlugin | undefined;
  readonly files: readonly PluginBytes[];
}

/** What became of a plugin when its author ended. */
export interface Restored {
  readonly pluginId: string;
  /** Undefined where nothing is installed, as before. */
  readonly version: string | undefined;
  /** Somebody else put something there meanwhile, which stays. */
  readonly isOthers: boolean;
}

/** Puts rebuilds of a plugin into the place of what is installed, with what that was granted; in the end that is there again. */
export class DevSession {
  #before: Before | undefined;
  readonly #own = new Set<string>();

  constructor(readonly folder: PluginFolder, readonly trust: Trust, readonly clock: Clock) {}

  /** Fails as `loadPlugin` does, and then nothing has changed. An author who changes the id begins anew with that. */
  async put(file: PluginBytes & { name?: string }): Promise<LoadedPlugin> {
    const { manifest: { pluginId } } = admit(file.bytes, { name: file.name });
    if (this.#before !== undefined && this.#before.pluginId !== pluginId) await this.restore();
    const plugin = (await this.folder.list()).find((each) => each.pluginId === pluginId);
    const before = this.#before ?? { pluginId, plugin, files: await this.#filesOf(plugin) };
    const replaces = plugin !== undefined;
    const loaded = await loadPlugin(this.folder, file, this.trust, {
      replaces,
      tryWith: this.clock,
      keepsGrants: true,
    });
    this.#before = before;
    this.#own.add(file.sha256);
    return loaded;
  }

  async #filesOf(plugin: LockedPlugin | undefined): Promise<PluginBytes[]> {
    if (plugin === undefined) return [];
    const { pluginId, previous } = plugin;
    const all = previous === undefined ? [plugin] : [plugin, { pluginId, ...previous }];
    return await Promise.all(all.map((each) => this.folder.open(each)));
  }

  /** Undefined where it put nothing there. */
  async restore(): Promise<Restored | undefined> {
    if (this.#before === undefined) return undefined;
    const { pluginId, plugin, files } = this.#before;
    let version = plugin?.version, isOthers = false;
    await this.folder.change((plugins) => {
      const now = plugins.find((each) => each.pluginId === pluginId);
      isOthers = now === undefined ? plugin !== undefined : !this.#own.has(now.sha256);
      if (isOthers) {
        version = now?.version;
        return plugins;
      }
      const others = plugins.filter((each) => each.pluginId !== pluginId);
      return plugin === undefined || now === undefined ? others : [...others, withoutTaken(plugin, now)];
    }, files);
    this.#before = undefined;
    this.#own.clear();
    return { pluginId, version, isOthers };
  }
}

/** Rebuilds keep all grants: what the last one lacks was taken back meanwhile, and from those before it, too. */
function withoutTaken(before: LockedPlugin, { grants: left }: LockedPlugin): LockedPlugin {
  const taken = before.grants.filter(({ name }) => !left.some((each) => each.name === name)).map(({ name }) => name);
  const kept = <T extends LockedVersion>(version: T): T => ({
    ...version,
    grants: version.grants.filter(({ name }) => !taken.includes(name)),
  });
  const { previous } = before;
  return { ...kept(before), ...(previous === undefined ? {} : { previous: kept(previous) }) };
}
