/** A plugin for people and for programs: its manifest, its bytes, its signer, and where it stands if it is installed. */
import { formatDuration } from "../base/durations.ts";
import { displayName } from "../base/names.ts";
import { formatSize } from "../base/sizes.ts";
import type { AdmittedPlugin } from "../plugins/admission.ts";
import { describeCapability, needsGrant } from "../plugins/capabilities.ts";
import type { JsonSchema } from "../plugins/json_schema.ts";
import type { PluginManifest } from "../plugins/manifest.ts";
import type { PluginStanding } from "../plugins/standing.ts";
import { askingLines, capabilitiesJson, signerName } from "./plugin_place.ts";

export interface PluginFacts {
  readonly admitted: AdmittedPlugin;
  readonly bytes: number;
  /** Public key of a trusted signer. */
  readonly signer: string | undefined;
  /** Why nobody trusted signed it; ends the sentence "The plugin …". */
  readonly doubt?: string;
  /** Of an installed one. */
  readonly standing?: PluginStanding;
}

const PAGE_BYTES = 65536;

/** Facts line by line, then what it asks to be allowed. */
export function pluginFactsText({ admitted, bytes, signer, doubt, standing }: PluginFacts): string {
  const { manifest, sha256, imports, limits } = admitted;
  const { pluginId, version, category, description, engine, abi } = manifest;
  const signature = signer === undefined ? `none that is trusted${doubt === undefined ? "" : `: ${doubt}`}` : undefined;
  const facts: [title: string, ...values: string[]][] = [
    ["Category", `${category}${formatText(manifest)}`],
    ["Made for", `AXIOM ${engine}, ABI ${abi}`],
    ["State", ...(standing === undefined ? [] : [standing.state === "held" ? "waits for a grant" : standing.state])],
    ["Size", formatSize(bytes)],
    ["SHA-256", sha256],
    ["Signature", signature ?? `of the trusted key ${signerName(signer ?? null)}`],
    ["Memory", `at most ${formatSize(limits.memoryPages * PAGE_BYTES)}`],
    ["One call", `at most ${formatDuration(limits.callMs)}`],
    ["Needs", ...manifest.dependencies.map(dependencyText)],
    ["Imports", ...imports],
    ["Options", ...optionLines(manifest.configSchema)],
  ];
  const lines = facts.flatMap(([title, ...values]) =>
    values.map((value, at) => `  ${(at === 0 ? title : "").padEnd(11)}${displayName(value)}`)
  );
  return [`${pluginId} ${version}: ${description}`, ...lines, "", ...askedLines(manifest, standing)].join("\n");
}

function formatText({ formatId, readsFormats }: PluginManifest): string {
  if (formatId === undefined) return "";
  return `; writes ${formatId}${readsFormats.length === 0 ? "" : `, also reads ${readsFormats.join(", ")}`}`;
}

function dependencyText({ pluginId, version, optional }: PluginManifest["dependencies"][number]): string {
  return `${pluginId} ${version}${optional ? " (can do without)" : ""}`;
}

function optionLines({ properties = {}, required = [] }: JsonSchema): string[] {
  return Object.entries(properties).map(([key, option]) => {
    const { type = "any value", minimum, maximum, description, default: preset, enum: choices } = option;
    const range = minimum === undefined && maximum === undefined ? "" : ` ${minimum ?? ""}…${maximum ?? ""}`;
    const parts = [
      choices === undefined ? `${type}${range}` : choices.map((each) => JSON.stringify(each)).join(" or "),
      ...(preset === undefined ? [] : [`default ${JSON.stringify(preset)}`]),
      ...(required.includes(key) ? ["required"] : []),
      ...(description === undefined ? [] : [description]),
    ];
    return `${key}: ${parts.join(", ")}`;
  });
}

/** In plain words, for whoever decides. */
function askedLines({ capabilities }: PluginManifest, standing: PluginStanding | undefined): string[] {
  const asked = capabilities.filter(needsGrant), free = capabilities.filter((each) => !needsGrant(each));
  const log = free.length === 0 ? "" : ` and may ${free.map(describeCapability).join(" and ")}`;
  if (asked.length === 0) return [`It asks for nothing: it answers calls${log}`];
  const lines = [`It answers calls${log}. Beyond that it asks to`, ...askingLines(asked)];
  if (standing === undefined) return lines;
  const { plugin: { grants }, missing } = standing;
  return [
    ...lines,
    ...(grants.length === 0 ? [] : ["It was granted to", ...askingLines(grants)]),
    ...(missing.length === 0 ? [] : ["It waits for", ...askingLines(missing)]),
  ];
}

export function pluginFactsJson({ admitted, bytes, signer, doubt, standing }: PluginFacts): unknown {
  const { manifest, sha256, imports, limits } = admitted;
  return {
    plugin_id: manifest.pluginId,
    version: manifest.version,
    category: manifest.category,
    description: manifest.description,
    engines: { axiom: manifest.engine, abi: manifest.abi },
    sha256,
    bytes,
    key_id: signerName(signer ?? null),
    doubt: doubt ?? null,
    state: standing?.state ?? null,
    grants: standing?.plugin.grants ?? null,
    missing: standing === undefined ? null : capabilitiesJson(standing.missing),
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
