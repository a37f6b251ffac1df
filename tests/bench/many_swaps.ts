/** Swaps one plugin a thousand times and prints the memory of its process after 200 and after all of them, as JSON. */
import process from "node:process";
import { systemClock } from "../../src/base/clock.ts";
import { releaseFreeMemory } from "../../src/platform/memory.ts";
import { admit } from "../../src/plugins/admission.ts";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { PluginRegistry } from "../../src/plugins/plugin_registry.ts";
import { type PluginSource, wasmSource } from "../../src/plugins/plugin_source.ts";
import { pluginModule, tagged } from "../../src/plugins/wasm_fixture.ts";

/** Resident bytes. */
export interface SwappedMemory {
  after200: number;
  after1000: number;
}

export function taggedSource(version: number): PluginSource {
  const plugin = admit(pluginModule({
    execute: tagged(0x10 + version % 16),
    sections: [manifestSection({ version: `1.0.${version}` })],
  }));
  return wasmSource(plugin, { granted: [], configuration: {}, instancesMax: 2, clock: systemClock });
}

export function residentBytes(): number {
  return process.memoryUsage().rss;
}

if (import.meta.main) {
  const registry = new PluginRegistry({ clock: systemClock, onRetired: releaseFreeMemory });
  registry.introduce(taggedSource(0));
  const memory: SwappedMemory = { after200: 0, after1000: 0 };
  for (let swap = 1; swap <= 1000; swap++) {
    await registry.replace(taggedSource(swap));
    if (swap === 200) memory.after200 = residentBytes();
  }
  memory.after1000 = residentBytes();
  await registry.close();
  console.log(JSON.stringify(memory));
}
