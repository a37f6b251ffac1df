import { systemClock } from "../base/clock.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { type EventSink, ignoreEvents } from "../base/events.ts";
import { systemRandom } from "../base/random.ts";
import type { PluginCredential, PluginOption } from "../config/plugin_settings.ts";
import { revoked, type TrustedKey, trustedKey } from "../config/plugin_trust.ts";
import { openPlugins } from "../operations/open_plugins.ts";
import { absolute } from "../operations/source_list.ts";
import type { Config } from "../config/schema.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { canLimitWorkers } from "../platform/worker_options.ts";
import type { PluginEvent, PluginEventSink } from "../plugins/plugin_events.ts";
import type { SignaturePolicy } from "../plugins/trust.ts";
import type { Repository as InnerRepository } from "../repository/repository.ts";
import { BUILT_IN } from "../stages/codec.ts";
import { builtInStages } from "../stages/registry.ts";
import { InstalledPlugins, type Plugins } from "./plugins.ts";
import type { PluginsAtWork } from "./plugins_at_work.ts";
import {
  type CreateOptions,
  createWith,
  type OpenOptions,
  openWith,
  type Repository,
  workerCount,
} from "./repository.ts";

/** Which plugins a program uses, and what they may. */
export interface AppOptions {
  /**
   * Where installed plugins lie, such as `~/.local/share/axiom/plugins`, where the command line has them. Nobody else may write
   * to it. The first `load` makes it.
   */
  pluginFolder: string;
  /** Where plugins keep notes, and what repositories are opened with that name no other; nothing is kept by default. */
  stateFolder?: string;
  /**
   * Where the command line looks for running processes, such as `$XDG_RUNTIME_DIR/axiom`: `axiom plugin replace` then reaches
   * this program, too, which looks every second for what else changed in the plugin folder. By default only the program itself
   * changes what it runs.
   */
  socketFolder?: string;
  /** What becomes of plugins without a trusted signature; `warn` by default. */
  policy?: SignaturePolicy;
  /** Keys that may sign plugins whose ids begin with `prefix`. */
  trustedKeys?: readonly TrustedKey[];
  /** Ids of keys, and SHA-256 of plugins, that are trusted no longer, whatever the policy. */
  revoked?: readonly string[];
  /** Ids of plugins, built in or installed, that make nothing new. */
  disabled?: readonly string[];
  /** Of plugins by their ids, as `config_schema` of their manifests allows. */
  options?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What AXIOM sends to hosts for plugins, which never see it. */
  credentials?: readonly PluginCredential[];
  /** Decoders stored in a repository that may run, by SHA-256 or plugin id; none by default. */
  trustCodecs?: readonly string[];
  /** Hears in words for people what plugins do, and all that repositories say that are opened without an own one. */
  onEvent?: EventSink;
  /** Hears of each step in the life of a plugin from a file, and of each switch from one version to another. */
  onPluginEvent?: PluginEventSink;
}

/** Plugins, and repositories that are read and written with them. */
export interface App extends AsyncDisposable {
  /** What is loaded, and how to change that while operations run. */
  readonly plugins: Plugins;
  /** As {@linkcode openRepository}, with plugins: their codecs, ciphers, filters and strategies, and `<plugin_id>://` as a location. */
  openRepository(options: OpenOptions): Promise<Repository>;
  /** As {@linkcode createRepository}, with plugins. */
  createRepository(options: CreateOptions): Promise<Repository>;
  /** Waits for calls that run, then ends every thread, and closes the repositories that are still open. */
  close(): Promise<void>;
}

/**
 * Begins to use plugins. A plugin that cannot be used is an event and hinders no other one. Throws `usage` where this process may
 * not start workers without permissions, `config_invalid` for a key that is none, and what the plugin folder throws.
 */
export async function openApp(options: AppOptions): Promise<App> {
  if (!await canLimitWorkers()) {
    throw new AxiomError("usage", "Cannot use plugins: this process may not start workers without permissions", {
      hint: 'Run it with --unstable-worker-options, or write "unstable": ["worker-options"] into its deno.json',
    });
  }
  const onEvent = options.onEvent ?? ignoreEvents, { onPluginEvent, pluginFolder } = options;
  const repositories = new Set<InnerRepository>(), absent = new Map<string, AxiomError>();
  const given = optionsOf(options), registry = builtInStages(absent);
  const { host, decoders } = await openPlugins({
    pluginFolder: absolute(pluginFolder, Deno.cwd()),
    stateFolder: options.stateFolder,
    plugins: trustOf(options),
    options: given,
    clock: systemClock,
    instancesMax: workerCount(),
    files: openFileSystem(),
    repository() {
      const newest = [...repositories].at(-1);
      return newest && Promise.resolve(newest);
    },
    stages: registry,
    absent,
    onEvent,
    onPluginEvent: (event) => isNews(event) && onPluginEvent?.(event),
  });
  if (options.socketFolder !== undefined) await host.listen(options.socketFolder, systemRandom);
  const plugins: PluginsAtWork = { host, decoders, registry, options: given, repositories };
  const withDefaults = <T extends OpenOptions>(given: T): T => ({
    stateFolder: options.stateFolder,
    onEvent,
    ...given,
  });
  const close = async () => {
    for (const each of repositories) await each.close();
    repositories.clear();
    await host.close();
  };
  return {
    plugins: new InstalledPlugins(host, onEvent),
    openRepository: (given) => openWith(withDefaults(given), plugins),
    createRepository: (given) => createWith(withDefaults(given), plugins),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Not that what is built in is there. */
function isNews(event: PluginEvent): boolean {
  if (event.type === "switched") return event.cause !== "load" || event.to?.plugin.sha256 !== BUILT_IN;
  return event.plugin.sha256 !== BUILT_IN;
}

/** Throws `config_invalid`. */
function trustOf(options: AppOptions): Omit<Config["plugins"], "options"> {
  const { policy, trustedKeys = [], revoked: given = [], disabled = [], credentials = [], trustCodecs = [] } = options;
  const keyOf = ({ prefix, key }: TrustedKey) => trustedKey.read(`${prefix === "" ? "*" : prefix}=${key}`, {});
  try {
    return {
      policy,
      trustedKeys: trustedKeys.map(keyOf),
      revoked: given.map((each) => revoked.read(each, {})),
      disabled: [...disabled],
      credentials: [...credentials],
      trustCodecs: [...trustCodecs],
    };
  } catch (error) {
    throw new AxiomError("config_invalid", `Cannot trust what openApp() was given: expected ${messageOf(error)}`);
  }
}

/** As the configuration has them. */
function optionsOf({ options = {} }: AppOptions): PluginOption[] {
  return Object.entries(options).flatMap(([pluginId, values]) =>
    Object.entries(values).filter(([, value]) => value !== undefined).map(([key, value]) => ({
      pluginId,
      key,
      value: typeof value === "string" ? value : JSON.stringify(value),
    }))
  );
}
