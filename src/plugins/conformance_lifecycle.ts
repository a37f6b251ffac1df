import { type Check, RuleBroken } from "./conformance.ts";
import type { PluginManifest } from "./manifest.ts";
import { PluginFailure } from "./plugin_failure.ts";

/** A module of the stock Extism kit knows of no operations. */
export function lifecycleChecks(manifest?: Pick<PluginManifest, "abi">): Check[] {
  const checks: Check[] = [
    {
      group: "lifecycle",
      name: "comes up",
      isBasic: true,
      async run({ pool, clock, signal }) {
        const from = clock.monotonicMs();
        const { memoryBytes } = await pool.call({ verb: "validate" }, { signal });
        const took = Math.ceil(clock.monotonicMs() - from);
        return `initialize and validate answer 0 within ${took} ms; memory ${memoryBytes >> 10} KiB`;
      },
    },
    {
      group: "lifecycle",
      name: "ends, and comes up again",
      isBasic: true,
      async run({ fresh, signal }) {
        for (const _ of [1, 2]) await fresh((pool) => pool.call({ verb: "teardown" }, { signal }));
        return "teardown answers 0, twice";
      },
    },
    {
      group: "lifecycle",
      name: "lives on after an operation that it does not know",
      async run({ pool, signal, plugin }) {
        const operation = plugin.manifest.category === "strategy" ? "encode" : "plan";
        try {
          await pool.call({ verb: "execute", operation, outputBytesMax: 1 << 20 }, { signal });
          return `answers ${operation} as if it knew it`;
        } catch (error) {
          if (!(error instanceof PluginFailure) || error.wasStopped) throw error;
          if (error.failure === "unsupported" || error.failure === "invalid_input") return `answers ${error.failure}`;
          throw new RuleBroken(`answers ${operation} with ${error.failure} instead of unsupported`);
        }
      },
    },
  ];
  return manifest?.abi === "extism" ? checks.filter(({ isBasic }) => isBasic) : checks;
}
