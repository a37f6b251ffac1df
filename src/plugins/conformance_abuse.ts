import { equalBytes, KIB } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { type Check, RuleBroken } from "./conformance.ts";
import { codecOf } from "./conformance_compression.ts";
import { text } from "./conformance_samples.ts";
import type { PluginManifest } from "./manifest.ts";
import { levelsOf } from "./wasm_codec.ts";

const CALLERS = 16;

export function abuseChecks(manifest: PluginManifest): Check[] {
  const level = levelsOf(manifest).default;
  return [
    {
      group: "abuse",
      name: "serves many callers at once",
      async run(context) {
        const codec = codecOf(context, context.pool);
        const all = Array.from({ length: CALLERS }, (_, i) => text(10 * KIB + i, i + 3));
        await Promise.all(all.map(async (data) => {
          const back = await codec.decode(await codec.encode(data, level), data.length);
          if (!equalBytes(back, data)) throw new RuleBroken("a caller got the answer of another one");
        }));
        return `${CALLERS} callers, each with its own answer`;
      },
    },
    {
      group: "abuse",
      name: "lets go of a caller that leaves",
      async run({ fresh, plugin, signal }) {
        return await fresh(async (pool) => {
          await pool.call({ verb: "validate" }, { signal });
          const leaving = new AbortController();
          const input = text(1024 * KIB);
          const operation = "encode", outputBytesMax = 2 * input.length, parameters = { level };
          const call = pool.call({ verb: "execute", operation, parameters, input, outputBytesMax }, {
            signal: leaving.signal,
          });
          leaving.abort();
          const end = await call.then(() => undefined, (error) => error);
          if (!isKind(end, "interrupted")) throw end ?? new RuleBroken("the call was not given up");
          await pool.call({ verb: "validate" }, { signal });
          return `the call ended, and ${plugin.manifest.pluginId} answers the next one`;
        });
      },
    },
  ];
}
