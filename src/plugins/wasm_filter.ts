import type { PluginAnswer, PluginCall } from "./broker.ts";
import { type FilterEntry, filterInput } from "./filter_entries.ts";
import { PluginFailure, type PluginIdentity } from "./plugin_failure.ts";

export interface Selection {
  /** Who answered. */
  readonly plugin: PluginIdentity;
  /** Whether each entry is. */
  readonly saved: boolean[];
}

/** Decides what is saved, beside patterns and sizes. */
export interface EntryFilter {
  /** For messages. */
  readonly pluginId: string;
  /** Fails as `AxiomError`. */
  select(entries: readonly FilterEntry[], signal?: AbortSignal): Promise<Selection>;
}

/** What one call of a filter answered. An answer that is none is the plugin's fault. */
export async function selectWith(
  plugin: PluginIdentity,
  entries: readonly FilterEntry[],
  call: (call: PluginCall) => Promise<PluginAnswer>,
): Promise<Selection> {
  const { output } = await call({
    verb: "execute",
    operation: "select",
    parameters: { entries: entries.length },
    input: filterInput(entries),
    outputBytesMax: entries.length,
  });
  if (output.length === entries.length && output.every((byte) => byte <= 1)) {
    return { plugin, saved: Array.from(output, (byte) => byte === 1) };
  }
  const why = `it answered ${output.length} bytes for ${entries.length} entries, or others than 0 and 1`;
  throw new PluginFailure(plugin, "abi", "trust the filter", why);
}
