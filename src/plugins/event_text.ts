import type { EventSink } from "../base/events.ts";
import type { Generation } from "./generation.ts";
import type { PoolSettings } from "./instance_pool.ts";
import type { PluginEvent, PluginEventSink } from "./plugin_events.ts";
import { nameOfPlugin } from "./plugin_failure.ts";

/** Tells people of switches while a program runs; that a plugin began to serve is no news. */
export function pluginEventSink(events: EventSink): PluginEventSink {
  return (event) => {
    if (event.type === "gave_way") {
      const message = `The plugin ${nameOfPlugin(event.plugin)} failed, and zstd compresses instead: ${event.reason}`;
      return events({ type: "warning", code: "plugin_fallback", message });
    }
    const message = switchText(event);
    if (message === undefined) return;
    const isBad = event.type === "switched" && event.cause === "quarantine";
    events(
      isBad ? { type: "warning", code: "plugin_quarantined", message } : { type: "notice", code: "plugin", message },
    );
  };
}

/** What plugins say themselves, for whoever wants to know more. */
export function pluginNotesSink(events: EventSink): NonNullable<PoolSettings["onNotes"]> {
  return (plugin, { log, metrics }) => {
    const said = [
      ...log.map(({ level, message }) => `${level}: ${message}`),
      ...metrics.map(({ name, value }) => `${name} = ${value}`),
    ];
    for (const text of said) events({ type: "verbose", message: `${plugin.pluginId}: ${text}` });
  };
}

function switchText(event: PluginEvent): string | undefined {
  if (event.type !== "switched" || event.cause === "load") return undefined;
  const { cause, from, to, reason, pluginId } = event;
  const name = (generation: Generation | undefined) =>
    generation === undefined ? pluginId : nameOfPlugin(generation.plugin);
  const instead = to === undefined ? "nothing serves in its place" : `${name(to)} serves again`;
  switch (cause) {
    case "quarantine":
      return `The plugin ${name(from)} is in quarantine, and ${instead}: ${reason}`;
    case "rollback":
      return `The plugin ${name(to)} serves again, in the place of ${name(from)}`;
    case "unload":
      return `The plugin ${name(from)} was unloaded; ${to === undefined ? "what runs goes on with it" : instead}`;
    case "replace":
      return `The plugin ${name(to)} took over from ${name(from)}`;
  }
}
