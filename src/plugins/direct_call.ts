import { AxiomError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { Bytes } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { type Operation, OPERATIONS } from "./abi.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { type PluginsAtHand, withLease } from "./category_lease.ts";

export interface DirectCall {
  /** Becomes the header of an operation; a module of the stock Extism kit gets none. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Copied. */
  readonly input?: Bytes;
  /** 64 MiB by default; more than this ends the call. */
  readonly outputBytesMax?: number;
  readonly signal?: AbortSignal;
}

/**
 * Calls an operation of a plugin, or an export of a module of the stock Extism kit, in whichever generation serves now. Throws
 * `plugin_missing`, `plugin_failed`, `usage` for what has no such operation, and why a plugin cannot be used.
 */
export async function callPlugin(
  { registry, absent }: PluginsAtHand,
  pluginId: string,
  name: string,
  { signal, outputBytesMax = LIMITS.pluginCallOutputBytes, ...call }: DirectCall,
): Promise<PluginAnswer> {
  const why = absent.get(pluginId);
  if (why !== undefined && !registry.isServing(pluginId)) throw why;
  return await withLease(registry, pluginId, async ({ source, open, call: ask }) => {
    if (open.pool === undefined) {
      throw new AxiomError("usage", `Cannot call ${name} of ${pluginId}: it is part of this program`);
    }
    const how = source.isStock ? { verb: `stock:${name}` as const } : operationOf(pluginId, name);
    return await ask({ ...call, ...how, outputBytesMax }, { signal });
  });
}

function operationOf(pluginId: string, name: string): Pick<PluginCall, "verb" | "operation"> {
  if (Object.hasOwn(OPERATIONS, name)) return { verb: "execute", operation: name as Operation };
  const known = Object.keys(OPERATIONS), meant = nearest(name, known);
  throw new AxiomError("usage", `Cannot call ${name} of ${pluginId}: there is no such operation`, {
    hint: meant === undefined ? `Known are ${known.join(", ")}` : `Did you mean ${meant}?`,
  });
}
