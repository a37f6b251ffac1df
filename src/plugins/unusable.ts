/** Why an installed plugin cannot be used though nothing is wrong with it. */
import { AxiomError } from "../base/errors.ts";
import { nameOfPlugin, type PluginIdentity } from "./plugin_failure.ts";
import type { PluginStanding } from "./standing.ts";

/** Of what `plugins.disabled` names. */
export function disabledError(pluginId: string): AxiomError {
  return new AxiomError("plugin_refused", `Cannot use the plugin ${pluginId}: it is disabled`, {
    hint: "Take it from plugins.disabled of the configuration, or choose another one",
  });
}

/** What it was granted and uses was taken back. */
export function revokedError(plugin: PluginIdentity): AxiomError {
  return new AxiomError("plugin_refused", `Cannot call ${nameOfPlugin(plugin)}: what it was granted was taken back`, {
    hint: `Run \`axiom plugin info ${plugin.pluginId}\`, then \`axiom plugin grant\``,
  });
}

/** It asks for what nobody has granted yet. */
export function heldError({ plugin, missing }: PluginStanding): AxiomError {
  const names = missing.map(({ name }) => name).join(", ");
  return new AxiomError(
    "plugin_refused",
    `Cannot use the plugin ${nameOfPlugin(plugin)}: it waits for a grant of ${names}`,
    {
      hint: `Run \`axiom plugin info ${plugin.pluginId}\`, then \`axiom plugin grant\``,
    },
  );
}
