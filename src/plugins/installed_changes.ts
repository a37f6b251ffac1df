import type { PluginIdentity } from "./plugin_failure.ts";
import type { LockedPlugin } from "./plugins_lock.ts";

/** What a change of `plugins.lock` did in one process. */
export interface PluginChange {
  readonly pluginId: string;
  /** `kept`: the new one cannot be used, and the old one goes on. `stopped`: the old one may not go on, either. */
  readonly outcome: "switched" | "kept" | "stopped" | "unloaded";
  readonly from: PluginIdentity | undefined;
  readonly to: PluginIdentity | undefined;
  readonly reason?: string;
  readonly tookMs: number;
}

/** Remembers what of `plugins.lock` was acted upon, so that what was refused once is not tried again and again. */
export class InstalledChanges {
  #known = new Map<string, string>();

  /** Notes `plugins` and returns those that are new or other than before, and the ids of those that are gone. */
  note(plugins: readonly LockedPlugin[]): { changed: LockedPlugin[]; gone: string[] } {
    const now = new Map(plugins.map((each) => [each.pluginId, stateOf(each)]));
    const changed = plugins.filter(({ pluginId }) => now.get(pluginId) !== this.#known.get(pluginId));
    const gone = [...this.#known.keys()].filter((id) => !now.has(id));
    this.#known = now;
    return { changed, gone };
  }
}

/** The generation before may serve while the present one waits: what it may counts, too. */
function stateOf({ sha256, key, grants, previous }: LockedPlugin): string {
  return JSON.stringify([sha256, key, grants, previous?.sha256, previous?.grants]);
}
