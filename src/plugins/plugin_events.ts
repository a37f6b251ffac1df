import type { Generation, GenerationState } from "./generation.ts";
import type { PluginIdentity } from "./plugin_failure.ts";

export type SwitchCause = "load" | "replace" | "rollback" | "unload" | "quarantine";

/** What happens to plugins while a program runs. */
export type PluginEvent =
  | {
    readonly type: "state";
    readonly plugin: PluginIdentity;
    readonly generation: number;
    readonly from: GenerationState;
    readonly state: GenerationState;
    /** Why it is held, rejected or quarantined. */
    readonly reason: string | undefined;
  }
  /** A built-in stage took its place, as the user allowed; told once of each generation. */
  | { readonly type: "gave_way"; readonly plugin: PluginIdentity; readonly reason: string }
  /** Who serves is another one from the next call on. */
  | {
    readonly type: "switched";
    readonly pluginId: string;
    readonly cause: SwitchCause;
    readonly from: Generation | undefined;
    /** Undefined where nothing serves any more. */
    readonly to: Generation | undefined;
    /** The evidence, where a generation was quarantined. */
    readonly reason: string | undefined;
  };

export type PluginEventSink = (event: PluginEvent) => void;
