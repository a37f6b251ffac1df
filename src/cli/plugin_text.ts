/** A plugin for people and for programs, as its manifest and its bytes say. */
import { formatDuration } from "../base/durations.ts";
import { displayName } from "../base/names.ts";
import { formatSize } from "../base/sizes.ts";
import type { AdmittedPlugin } from "../plugins/admission.ts";
import { type Capability, describeCapability, needsGrant } from "../plugins/capabilities.ts";
import type { JsonSchema } from "../plugins/json_schema.ts";
import type { PluginManifest } from "../plugins/manifest.ts";

const PAGE_BYTES = 65536;

/** Facts line by line, then what it asks to be allowed. */
export function pluginText({ manifest, sha256, imports, limits }: AdmittedPlugin, bytes: number): string {
  const { pluginId, version, category, description, engine, abi } = manifest;
  const facts: [title: string, ...values: string[]][] = [
    ["Category", `${category}${formatText(manifest)}`],
    ["Made for", `AXIOM ${engine}, ABI ${abi}`],
    ["Size", formatSize(bytes)],
    ["SHA-256", sha256],
    ["Memory", `at most ${formatSize(limits.memoryPages * PAGE_BYTES)}`],
    ["One call", `at most ${formatDuration(limits.callMs)}`],
    ["Needs", ...manifest.dependencies.map(dependencyText)],
    ["Imports", ...imports],
    ["Options", ...optionLines(manifest.configSchema)],
  ];
  const lines = facts.flatMap(([title, ...values]) =>
    values.map((value, at) => `  ${(at === 0 ? title : "").padEnd(10)}${displayName(value)}`)
  );
  return [`${pluginId} ${version}: ${displayName(description)}`, ...lines, "", ...askingLines(manifest)].join("\n");
}

function formatText({ formatId, readsFormats }: PluginManifest): string {
  if (formatId === undefined) return "";
  return `; writes ${formatId}${readsFormats.length === 0 ? "" : `, also reads ${readsFormats.join(", ")}`}`;
}

function dependencyText({ pluginId, version, optional }: PluginManifest["dependencies"][number]): string {
  return `${pluginId} ${version}${optional ? " (can do without)" : ""}`;
}

function optionLines({ properties = {}, required = [] }: JsonSchema): string[] {
  return Object.entries(properties).map(
    ([key, { type, minimum, maximum, description, default: preset, enum: choices }]) => {
      const range = minimum === undefined && maximum === undefined ? "" : ` ${minimum ?? ""}…${maximum ?? ""}`;
      const parts = [
        choices === undefined
          ? `${type ?? "any value"}${range}`
          : choices.map((each) => JSON.stringify(each)).join(" or "),
        ...(preset === undefined ? [] : [`default ${JSON.stringify(preset)}`]),
        ...(required.includes(key) ? ["required"] : []),
        ...(description === undefined ? [] : [description]),
      ];
      return `${key}: ${parts.join(", ")}`;
    },
  );
}

/** In plain words, for whoever decides. */
export function askingLines({ capabilities }: PluginManifest): string[] {
  const asked = capabilities.filter(needsGrant), free = capabilities.filter((each) => !needsGrant(each));
  const log = free.length === 0 ? "" : ` and may ${free.map(describeCapability).join(" and ")}`;
  if (asked.length === 0) return [`It asks for nothing: it answers calls${log}`];
  return [
    `It answers calls${log}. Beyond that it asks to`,
    ...asked.map((each) => `  - ${describeCapability(each)}${reasonText(each)}`),
  ];
}

function reasonText({ reason }: Capability): string {
  return reason === undefined ? "" : `; its author says: "${reason}"`;
}

export function pluginJson({ manifest, sha256, imports, limits }: AdmittedPlugin, bytes: number) {
  return {
    plugin_id: manifest.pluginId,
    version: manifest.version,
    category: manifest.category,
    description: manifest.description,
    engines: { axiom: manifest.engine, abi: manifest.abi },
    sha256,
    bytes,
    format_id: manifest.formatId ?? null,
    reads_formats: manifest.readsFormats,
    nonce_bytes: manifest.nonceBytes ?? null,
    overhead_bytes: manifest.overheadBytes ?? null,
    limits: { memory_pages: limits.memoryPages, call_ms: limits.callMs },
    dependencies: manifest.dependencies.map(({ pluginId, version, optional }) => ({
      plugin_id: pluginId,
      version,
      optional,
    })),
    capabilities: manifest.capabilities.map((each) => ({
      ...each,
      needs_grant: needsGrant(each),
      asks_to: describeCapability(each),
    })),
    imports,
    config_schema: manifest.configSchema,
  };
}
