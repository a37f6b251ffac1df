import { deepStrictEqual as deepEqual, match } from "node:assert/strict";
import type { AxiomEvent } from "../base/events.ts";
import { pluginEventSink } from "./event_text.ts";
import type { Generation } from "./generation.ts";
import type { PluginEvent } from "./plugin_events.ts";

const generation = (number: number, sha256 = `${number}a`.repeat(32)): Generation => ({
  number,
  plugin: { pluginId: "x_y", version: `${number}.0.0`, sha256 },
  state: "canary",
  sinceMs: 0,
  calls: 0,
  faultsMs: [],
});

function told(event: PluginEvent): AxiomEvent[] {
  const events: AxiomEvent[] = [];
  pluginEventSink((each) => void events.push(each))(event);
  return events;
}

Deno.test("switches are told with both sides and the reason; that a plugin is there is no news", () => {
  const from = generation(1), to = generation(2);
  const cases: { cause: "replace" | "rollback" | "unload" | "quarantine"; to?: Generation; text: RegExp }[] = [
    { cause: "replace", to, text: /^The plugin x_y 2\.0\.0 \(sha256 2a2a2a2a2a2a\) took over from x_y 1\.0\.0 / },
    { cause: "rollback", to, text: /^The plugin x_y 2\.0\.0 .* serves again, in the place of x_y 1\.0\.0 / },
    { cause: "unload", text: /^The plugin x_y 1\.0\.0 .* was unloaded; what runs goes on with it$/ },
    { cause: "unload", to: generation(0, "built-in"), text: /was unloaded; x_y 0\.0\.0 \(built-in\) serves again$/ },
    { cause: "quarantine", to, text: /x_y 1\.0\.0 .* is in quarantine, and x_y 2\.0\.0 .* serves again: trap$/ },
    { cause: "quarantine", text: /x_y 1\.0\.0 .* is in quarantine, and nothing serves in its place: trap$/ },
  ];
  for (const { cause, to, text } of cases) {
    const [event] = told({ type: "switched", pluginId: "x_y", cause, from, to, reason: "trap" });
    deepEqual(event.type, cause === "quarantine" ? "warning" : "notice");
    match((event as { message: string }).message, text);
  }
  deepEqual(told({ type: "switched", pluginId: "x_y", cause: "load", from, to, reason: undefined }), []);
  const state = { plugin: from.plugin, generation: 1, from: "staged", state: "probed", reason: undefined } as const;
  deepEqual(told({ type: "state", ...state }), []);
});
