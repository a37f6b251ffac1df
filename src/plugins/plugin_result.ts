import { AxiomError } from "../base/errors.ts";
import type { PluginAnswer } from "./broker.ts";

/** The JSON object that a plugin gave; each member still has to be looked at. Throws `plugin_failed`. */
// deno-lint-ignore no-explicit-any
export function resultOf({ result }: Pick<PluginAnswer, "result">): Record<string, any> {
  let value: unknown;
  try {
    value = JSON.parse(result ?? "null");
  } catch { /* as if it had given none */ }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new AxiomError("plugin_failed", "Cannot use what the plugin answered: its result is no JSON object", {
    hint: "This is for the plugin's author to correct",
  });
}
