import type { Json } from "../base/canonical_json.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { faultsOf, type JsonSchema } from "./json_schema.ts";
import type { PluginOption } from "../config/plugin_settings.ts";
import type { PluginManifest } from "./manifest.ts";

/** What a plugin is started with: `given`, with the defaults of its manifest for what is left out. Throws `config_invalid`. */
export function completeConfiguration(
  { pluginId, version, configSchema }: Pick<PluginManifest, "pluginId" | "version" | "configSchema">,
  given: Readonly<Record<string, unknown>>,
): Record<string, Json> {
  const complete = withDefaults(configSchema, given as Record<string, Json>) as Record<string, Json>;
  const faults = faultsOf(configSchema, complete);
  if (faults.length === 0) return complete;
  const lines = faults.slice(0, LIMITS.configErrorsMax).map(({ path, message }) => `${path}: ${message}`);
  throw new AxiomError(
    "config_invalid",
    `Cannot start ${pluginId} ${version}: its options are wrong: ${lines.join("; ")}`,
    {
      hint: "Run `axiom plugin info` with its file to see the options that it has",
    },
  );
}

/** What a person wrote for a plugin: a text where its schema wants one, else what JSON says that it is. */
export function givenOptions(
  { pluginId, configSchema }: Pick<PluginManifest, "pluginId" | "configSchema">,
  options: readonly PluginOption[],
): Record<string, Json> {
  const given: Record<string, Json> = Object.create(null);
  for (const { key, value } of options.filter((each) => each.pluginId === pluginId)) {
    const { properties = {} } = configSchema;
    const isText = Object.hasOwn(properties, key) && properties[key].type === "string";
    given[key] = isText ? value : jsonOf(value);
  }
  return given;
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** No key of `Object.prototype` is ever taken for an option. */
function withDefaults(schema: JsonSchema, value: Json): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { properties = {} } = schema;
  const complete: Record<string, Json> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) {
      complete[key] = Object.hasOwn(properties, key) ? withDefaults(properties[key], member) : member;
    }
  }
  for (const [key, { default: preset }] of Object.entries(properties)) {
    if (!(key in complete) && preset !== undefined) complete[key] = structuredClone(preset);
  }
  return complete;
}
