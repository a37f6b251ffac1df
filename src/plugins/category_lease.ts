import { AxiomError } from "../base/errors.ts";
import type { Category } from "./manifest.ts";
import type { PluginRegistry } from "./plugin_registry.ts";
import type { Lease } from "./registry_entry.ts";

/** Plugins of one process, and why others that are installed cannot be used, by their ids. */
export interface PluginsAtHand {
  readonly registry: PluginRegistry;
  readonly absent: ReadonlyMap<string, AxiomError>;
}

/**
 * Throws `usage` where a plugin is of another category, `plugin_missing`, or why it cannot be used.
 *
 * @param doing Such as `filter with sensitive`, for messages
 */
export function demandCategory(
  { registry, absent }: PluginsAtHand,
  pluginId: string,
  category: Category,
  doing: string,
): void {
  const why = absent.get(pluginId);
  if (why !== undefined && !registry.isServing(pluginId)) throw why;
  if (!registry.list().some(({ source }) => source.plugin.pluginId === pluginId)) {
    throw new AxiomError("plugin_missing", `Cannot ${doing}: no plugin ${pluginId} is installed`, {
      hint: "`axiom plugin load <file>` installs one, `axiom plugin list` shows what is there",
    });
  }
  const lease = registry.lease(pluginId);
  lease.release();
  if (lease.source.category === category && lease.open.pool !== undefined) return;
  throw new AxiomError("usage", `Cannot ${doing}: ${pluginId} is for ${lease.source.category}`, {
    hint: `\`axiom plugin list\` shows the plugins for ${category}`,
  });
}

/** Works with whichever generation serves now, which stays as it is meanwhile; with that of `held` where none does. */
export async function withLease<T>(
  registry: PluginRegistry,
  pluginId: string,
  use: (lease: Lease) => Promise<T>,
  held?: Lease,
): Promise<T> {
  const kept = held === undefined || registry.isServing(pluginId)
    ? undefined
    : registry.leaseOf(pluginId, held.generation);
  const lease = kept ?? registry.lease(pluginId);
  try {
    return await use(lease);
  } finally {
    lease.release();
  }
}
