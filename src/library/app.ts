import { systemClock } from "../base/clock.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { type EventSink, ignoreEvents } from "../base/events.ts";
import { systemRandom } from "../base/random.ts";
import type { PluginCredential, PluginOption } from "../config/plugin_settings.ts";
import { revoked, type TrustedKey, trustedKey } from "../config/plugin_trust.ts";
import { pluginMetadata } from "../operations/plugin_metadata.ts";
import { absolute } from "../operations/source_list.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { canLimitWorkers } from "../platform/worker_options.ts";
import { Decoders } from "../plugins/decoders.ts";
import { pluginEventSink, pluginNotesSink } from "../plugins/event_text.ts";
import type { PluginEvent, PluginEventSink } from "../plugins/plugin_events.ts";
import { pluginFolder } from "../plugins/plugin_folder.ts";
import { type HostSettings, PluginHost } from "../plugins/plugin_host.ts";
import { hostServices } from "../plugins/services/host_services.ts";
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
  const onEvent = options.onEvent ?? ignoreEvents;
  const repositories = new Set<InnerRepository>();
  const settings = hostSettings(options, onEvent, repositories);
  const host = await PluginHost.open(settings);
  await host.listen(options.socketFolder, systemRandom);
  const decoders = new Decoders(host, { ...settings, trusted: options.trustCodecs ?? [], onEvent });
  const plugins: PluginsAtWork = { host, decoders, registry: settings.stages, options: settings.options, repositories };
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

function hostSettings(options: AppOptions, onEvent: EventSink, repositories: Set<InnerRepository>) {
  const { policy, stateFolder, credentials, onPluginEvent } = options;
  const tell = pluginEventSink(onEvent);
  const absent = new Map<string, AxiomError>();
  return {
    folder: pluginFolder(absolute(options.pluginFolder, Deno.cwd())),
    trust: { policy: policy ?? "warn", ...trustOf(options) },
    dropPolicy: policy ?? "require",
    clock: systemClock,
    instancesMax: workerCount(),
    onEvent: (event) => {
      if (isNews(event)) onPluginEvent?.(event);
      tell(event);
    },
    onNotes: pluginNotesSink(onEvent),
    onProblem: (message) => onEvent({ type: "warning", code: "plugins", message }),
    services: hostServices({
      stateFolder,
      clock: systemClock,
      credentials,
      files: openFileSystem(),
      repository() {
        const newest = [...repositories].at(-1);
        return newest && Promise.resolve(pluginMetadata(newest));
      },
    }),
    options: optionsOf(options),
    stages: builtInStages(absent),
    absent,
    disabled: options.disabled ?? [],
  } satisfies HostSettings;
}

/** Not that what is built in is there. */
function isNews(event: PluginEvent): boolean {
  if (event.type === "switched") return event.cause !== "load" || event.to?.plugin.sha256 !== BUILT_IN;
  return event.plugin.sha256 !== BUILT_IN;
}

/** Throws `config_invalid`. */
function trustOf({ trustedKeys = [], revoked: given = [] }: AppOptions) {
  try {
    return {
      trustedKeys: trustedKeys.map(({ prefix, key }) => trustedKey.read(`${prefix === "" ? "*" : prefix}=${key}`, {})),
      revoked: given.map((each) => revoked.read(each, {})),
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
