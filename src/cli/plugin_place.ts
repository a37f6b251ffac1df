import { AxiomError } from "../base/errors.ts";
import { type Capability, describeCapability } from "../plugins/capabilities.ts";
import { keyName, parsePublicKey } from "../plugins/minisign_format.ts";
import { type PluginFolder, pluginFolder } from "../plugins/plugin_folder.ts";
import { grantOf } from "../plugins/plugins_lock.ts";
import type { Trust } from "../plugins/trust.ts";
import type { App } from "./app.ts";

/** Throws `usage` where this machine has no place for plugins. */
export function pluginFolderOf(app: App): PluginFolder {
  if (app.pluginFolder !== undefined) return pluginFolder(app.pluginFolder);
  throw new AxiomError("usage", "Cannot find the plugin folder: neither XDG_DATA_HOME nor HOME is set", {
    hint: "Set HOME to your home folder",
  });
}

/** What a person loads by hand may lack a signature, unless the configuration says otherwise. */
export function trustOf({ config: { plugins } }: App): Trust {
  return { ...plugins, policy: plugins.policy ?? "warn" };
}

/** Id of a trusted signer's key, as minisign prints it. */
export function signerName(key: string | null): string | null {
  return key === null ? null : keyName(parsePublicKey(key).keyId);
}

/** Lines of a list, one for each; a reason stands in its author's words. */
export function askingLines(capabilities: readonly Capability[]): string[] {
  return capabilities.map((capability) => {
    const { name, reason } = capability;
    return `  - ${describeCapability(capability)} (${name})${reason === undefined ? "" : `: "${reason}"`}`;
  });
}

export function capabilitiesJson(capabilities: readonly Capability[]): unknown[] {
  return capabilities.map((each) => ({
    ...grantOf(each),
    ...(each.reason === undefined ? {} : { reason: each.reason }),
  }));
}
