/** What a manifest has to hold beyond the form of each key. */
import type { Json } from "../base/canonical_json.ts";
import { quote } from "../config/issue.ts";
import { type CapabilityName, CEILINGS } from "./capabilities.ts";
import { type Fault, faultsOf, type JsonSchema } from "./json_schema.ts";
import type { PluginManifest } from "./manifest.ts";
import { isRange, satisfies } from "./semver.ts";

/** Keys of a capability that only one of them has. */
const ONLY_FOR = { hosts: "net.http", methods: "net.http", folders: "files" } as const;

export function manifestFaults(manifest: PluginManifest, toolVersion: string): Fault[] {
  return [
    ...engineFaults(manifest, toolVersion),
    ...dependencyFaults(manifest),
    ...capabilityFaults(manifest),
    ...formatFaults(manifest),
    ...configFaults(manifest.configSchema),
  ];
}

function engineFaults({ engine, abi, category }: PluginManifest, toolVersion: string): Fault[] {
  const faults: Fault[] = [];
  const path = "engines.axiom";
  if (!isRange(engine)) faults.push({ path, message: `expected a range such as ">=0.1 <2", found ${quote(engine)}` });
  else if (!satisfies(toolVersion, engine)) {
    faults.push({ path, message: `it runs in AXIOM ${engine}, and this is ${toolVersion}` });
  }
  if (abi === "extism" && category !== "processing") {
    faults.push({
      path: "category",
      message: `expected processing, the only one for abi extism, found ${quote(category)}`,
    });
  }
  return faults;
}

function dependencyFaults({ pluginId: own, dependencies }: PluginManifest): Fault[] {
  return dependencies.flatMap(({ pluginId, version }, at) => {
    const path = `dependencies[${at}]`;
    const first = dependencies.findIndex((other) => other.pluginId === pluginId);
    if (pluginId === own) return [{ path, message: "it cannot depend on itself" }];
    if (first < at) return [{ path, message: `expected each plugin once, found ${quote(pluginId)} again` }];
    if (isRange(version)) return [];
    return [{ path: `${path}.version`, message: `expected a range such as "^1.2", found ${quote(version)}` }];
  });
}

function capabilityFaults({ category, capabilities }: PluginManifest): Fault[] {
  const ceiling = CEILINGS[category];
  return capabilities.flatMap((capability, at): Fault[] => {
    const path = `capabilities[${at}]`, { name } = capability;
    if (capabilities.findIndex((other) => other.name === name) < at) {
      return [{ path, message: `expected each capability once, found ${quote(name)} again` }];
    }
    if (!ceiling.includes(name)) {
      return [{
        path,
        message: `${name} is never allowed to a plugin of the category ${category}: ${allowed(ceiling)}`,
      }];
    }
    return Object.entries(ONLY_FOR).flatMap(([key, owner]) => {
      if (capability[key as keyof typeof ONLY_FOR] === undefined || name === owner) return [];
      return [{ path: `${path}.${key}`, message: `belongs to ${owner}, not to ${name}` }];
    });
  });
}

function allowed(names: readonly CapabilityName[]): string {
  return names.length === 1 ? `only ${names[0]} is` : `${names.join(", ")} are`;
}

/** Codecs and ciphers say what they write, ciphers also how much they add; for the others the words mean nothing. */
function formatFaults(manifest: PluginManifest): Fault[] {
  const { category, formatId, readsFormats, nonceBytes, overheadBytes } = manifest;
  const isCipher = category === "encryption", isCodec = category === "compression" || isCipher;
  const faults: Fault[] = [];
  const demand = (key: string, isThere: boolean, isWanted: boolean) => {
    if (isThere && !isWanted) faults.push({ path: key, message: `has no meaning for the category ${category}` });
    if (!isThere && isWanted) faults.push({ path: key, message: `is missing, and the category ${category} needs it` });
  };
  demand("format_id", formatId !== undefined, isCodec);
  demand("nonce_bytes", nonceBytes !== undefined, isCipher);
  demand("overhead_bytes", overheadBytes !== undefined, isCipher);
  if (readsFormats.length > 0) demand("reads_formats", true, isCodec);
  return faults;
}

function configFaults(schema: JsonSchema): Fault[] {
  if (schema.type !== "object") {
    return [{ path: "config_schema.type", message: `expected "object", found ${quote(schema.type ?? "nothing")}` }];
  }
  return schemaFaults(schema, "config_schema");
}

/** Defaults must be right themselves, and bounds in order. */
function schemaFaults(schema: JsonSchema, path: string): Fault[] {
  const { default: preset, properties = {}, items, required = [] } = schema;
  const faults = preset === undefined ? [] : faultsOf(schema, preset as Json).map((fault) => ({
    path: `${path}.default${fault.path === "" ? "" : `.${fault.path}`}`,
    message: fault.message,
  }));
  const bounds = [["minimum", "maximum"], ["minLength", "maxLength"], ["minItems", "maxItems"]] as const;
  for (const [low, high] of bounds) {
    if ((schema[low] ?? -Infinity) <= (schema[high] ?? Infinity)) continue;
    faults.push({ path: `${path}.${low}`, message: `${schema[low]} is above ${high}, ${schema[high]}` });
  }
  for (const key of required.filter((key) => !Object.hasOwn(properties, key))) {
    faults.push({ path: `${path}.required`, message: `${quote(key)} is none of the properties` });
  }
  for (const [key, member] of Object.entries(properties)) {
    faults.push(...schemaFaults(member, `${path}.properties.${key}`));
  }
  return items === undefined ? faults : [...faults, ...schemaFaults(items, `${path}.items`)];
}
