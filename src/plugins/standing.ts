import { AxiomError } from "../base/errors.ts";
import { admit, type AdmittedPlugin } from "./admission.ts";
import { beyondGrant, type Capability } from "./capabilities.ts";
import type { PluginBytes, PluginFolder } from "./plugin_folder.ts";
import type { LockedPlugin } from "./plugins_lock.ts";
import { judge, type Trust } from "./trust.ts";

/** Whether an installed plugin may be used now. */
export interface PluginStanding {
  readonly plugin: LockedPlugin;
  /** Undefined where it is refused. */
  readonly admitted: AdmittedPlugin | undefined;
  readonly file?: PluginBytes;
  /** `held` waits for a grant of {@linkcode missing}. */
  readonly state: "ready" | "held" | "refused";
  readonly missing: readonly Capability[];
  /** Why it is refused. */
  readonly refusal?: AxiomError;
}

/**
 * Looks at the bytes again, since the disk, the trusted keys and this program may have changed. Whoever loaded it without a
 * trusted signature keeps it so, unless the policy now is `require`.
 */
export async function standingOf(folder: PluginFolder, plugin: LockedPlugin, trust: Trust): Promise<PluginStanding> {
  try {
    const file = await folder.open(plugin);
    const admitted = admit(file.bytes, {});
    const { pluginId, version, capabilities } = admitted.manifest;
    await judge({ ...file, pluginId, version, key: plugin.key }, trust);
    const missing = beyondGrant(capabilities, plugin.grants);
    return { plugin, admitted, file, state: missing.length === 0 ? "ready" : "held", missing };
  } catch (error) {
    if (!(error instanceof AxiomError)) throw error;
    return { plugin, admitted: undefined, state: "refused", missing: [], refusal: error };
  }
}
