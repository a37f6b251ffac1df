import { messageOf } from "../base/errors.ts";
import { type Check, RuleBroken } from "./conformance.ts";
import { PluginRegistry } from "./plugin_registry.ts";
import { wasmSource } from "./plugin_source.ts";

const SWAPS = 5;
const CALLERS = 4;
const CALLS_BETWEEN = 8;

export function swapCheck(): Check {
  return {
    group: "swap",
    name: "takes over from itself while it is called",
    async run({ plugin, clock, signal, given }) {
      const registry = new PluginRegistry({ clock });
      const source = wasmSource(plugin, { ...given, instancesMax: 2, clock });
      const { pluginId } = plugin.manifest;
      let calls = 0, isOver = false, slowestMs = 0;
      const caller = async () => {
        while (!isOver) {
          const lease = registry.lease(pluginId);
          try {
            await lease.call({ verb: "validate" }, { signal });
            calls++;
          } finally {
            lease.release();
          }
        }
      };
      try {
        await registry.replace(source, "load");
        const callers = Promise.all(Array.from({ length: CALLERS }, caller));
        callers.catch(() => isOver = true);
        for (let swap = 0; swap < SWAPS && !isOver; swap++) {
          const from = clock.monotonicMs();
          await registry.replace(source);
          slowestMs = Math.max(slowestMs, clock.monotonicMs() - from);
          for (const until = calls + CALLS_BETWEEN; calls < until && !isOver;) await clock.sleep(1, signal);
        }
        isOver = true;
        await callers.catch((error) => {
          throw new RuleBroken(`a call failed while it was swapped: ${messageOf(error)}`);
        });
      } finally {
        isOver = true;
        await registry.close();
      }
      return `${SWAPS} swaps within ${Math.ceil(slowestMs)} ms each; none of ${calls} calls failed`;
    },
  };
}
