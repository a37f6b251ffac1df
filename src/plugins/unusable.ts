/** Why an installed plugin cannot be used though nothing is wrong with it. */
import { AxiomError } from "../base/errors.ts";
import type { PluginStanding } from "./standing.ts";

/** Of what `plugins.disabled` names. */
export function disabledError(pluginId: string): AxiomError {
  return new AxiomError("plugin_refused", `Cannot use the plugin ${pluginId}: it is disabled`, {
    hint: "Take it from plugins.disabled of the configuration, or choose another one",
  });
}

/** It asks for what nobody has granted yet. */
export function heldError({ plugin: { pluginId, version }, missing }: PluginStanding): AxiomError {
  const names = missing.map(({ name }) => name).join(", ");
  return new AxiomError(
    "plugin_refused",
    `Cannot use the plugin ${pluginId} ${version}: it waits for a grant of ${names}`,
    {
      hint: `Run \`axiom plugin info ${pluginId}\`, then \`axiom plugin grant\``,
    },
  );
}
