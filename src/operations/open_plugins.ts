import type { Clock } from "../base/clock.ts";
import type { AxiomError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { PluginOption } from "../config/plugin_settings.ts";
import type { Config } from "../config/schema.ts";
import type { FileSystem } from "../platform/file_system.ts";
import { Decoders, type DecoderSettings } from "../plugins/decoders.ts";
import { pluginEventSink, pluginNotesSink } from "../plugins/event_text.ts";
import type { PluginEventSink } from "../plugins/plugin_events.ts";
import { pluginFolder } from "../plugins/plugin_folder.ts";
import { type HostSettings, PluginHost } from "../plugins/plugin_host.ts";
import { hostServices } from "../plugins/services/host_services.ts";
import type { Repository } from "../repository/repository.ts";
import type { StageRegistry } from "../stages/registry.ts";
import { pluginMetadata } from "./plugin_metadata.ts";

export interface PluginsSettings {
  /** Where they are installed; undefined where this machine has no place for them. */
  readonly pluginFolder: string | undefined;
  /** Where they keep notes. */
  readonly stateFolder: string | undefined;
  readonly plugins: Omit<Config["plugins"], "options">;
  readonly options: readonly PluginOption[];
  readonly clock: Clock;
  /** Of one plugin at once. */
  readonly instancesMax: number;
  readonly files: FileSystem;
  /** What the capability `repo` reads. */
  repository(): Promise<Repository> | undefined;
  /** Becomes what is installed. */
  readonly stages: StageRegistry;
  /** Filled with the reason why a plugin cannot be used, by its id. */
  readonly absent: Map<string, AxiomError>;
  readonly onEvent: EventSink;
  readonly onPluginEvent?: PluginEventSink;
  readonly ask?: DecoderSettings["ask"];
}

/** The plugins of this process. Without a policy, one that is loaded by hand needs no signature. Throws what the folder throws. */
export async function openPlugins(settings: PluginsSettings): Promise<{ host: PluginHost; decoders: Decoders }> {
  const { pluginFolder: path, stateFolder, plugins, clock, files, onEvent, onPluginEvent, ask, ...others } = settings;
  const tell = pluginEventSink(onEvent), onNotes = pluginNotesSink(onEvent);
  const trust = { ...plugins, policy: plugins.policy ?? "warn" };
  const host: HostSettings = {
    ...others,
    folder: path === undefined ? undefined : pluginFolder(path),
    trust,
    dropPolicy: plugins.policy ?? "require",
    clock,
    onEvent: (event) => {
      onPluginEvent?.(event);
      tell(event);
    },
    onNotes,
    onProblem: (message) => onEvent({ type: "warning", code: "plugins", message }),
    services: hostServices({
      stateFolder,
      clock,
      credentials: plugins.credentials,
      files,
      repository: () => settings.repository()?.then(pluginMetadata),
    }),
    disabled: plugins.disabled,
  };
  const opened = await PluginHost.open(host);
  const decoding = { ...others, trust, trusted: plugins.trustCodecs, ask, clock, onEvent, onNotes };
  return { host: opened, decoders: new Decoders(opened, decoding) };
}
