import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { TOOL_VERSION } from "../base/version.ts";
import type { Capability } from "./capabilities.ts";
import { type Fault, faultsOf, type JsonSchema } from "./json_schema.ts";
import { manifestFaults } from "./manifest_rules.ts";
import { type CATEGORIES, MANIFEST_SCHEMA } from "./manifest_schema.ts";

export type Category = typeof CATEGORIES[number];

export interface Dependency {
  readonly pluginId: string;
  /** Range of versions, `*` where none was given. */
  readonly version: string;
  readonly optional: boolean;
}

/** What a plugin says of itself, after every check. */
export interface PluginManifest {
  readonly pluginId: string;
  readonly version: string;
  readonly category: Category;
  readonly description: string;
  /** Range of this program's versions. */
  readonly engine: string;
  /** `extism` for a stock module that knows nothing of us. */
  readonly abi: 1 | "extism";
  readonly dependencies: readonly Dependency[];
  readonly capabilities: readonly Capability[];
  /** What it writes; codecs and ciphers have one, others do not. */
  readonly formatId: string | undefined;
  /** What it reads besides `formatId`. */
  readonly readsFormats: readonly string[];
  /** Of ciphers. */
  readonly nonceBytes: number | undefined;
  /** Of ciphers, without the nonce. */
  readonly overheadBytes: number | undefined;
  /** What it asks for; the host may give less. */
  readonly limits: { readonly memoryPages: number | undefined; readonly callMs: number | undefined };
  /** Of its configuration; takes nothing where the manifest says nothing. */
  readonly configSchema: JsonSchema;
}

/** Custom section that holds it as JSON. */
export const MANIFEST_SECTION = "axiom:manifest@1";

const NO_CONFIGURATION: JsonSchema = { type: "object", additionalProperties: false, properties: {} };

/** A manifest that is wrong; `faults` holds everything that is. */
export class ManifestFault extends Error {
  override readonly name = "ManifestFault";

  constructor(readonly faults: readonly Fault[]) {
    super(faults.map(({ path, message }) => path === "" ? message : `${path}: ${message}`).join("; "));
  }
}

/** Reads the custom section. Throws {@linkcode ManifestFault}. */
export function decodeManifest(data: Uint8Array): PluginManifest {
  const bytesMax = LIMITS.pluginManifestBytesMax;
  if (data.length > bytesMax) throw whole(`expected at most ${bytesMax} bytes, found ${data.length}`);
  try {
    return readManifest(JSON.parse(fromUtf8(data)));
  } catch (error) {
    if (error instanceof ManifestFault) throw error;
    throw whole(`expected JSON in UTF-8, found something else: ${messageOf(error)}`);
  }
}

/** What stands in the custom section. Throws {@linkcode ManifestFault} if it is too long. */
export function encodeManifest(value: Json): Bytes {
  const data = utf8(JSON.stringify(value));
  const bytesMax = LIMITS.pluginManifestBytesMax;
  if (data.length > bytesMax) throw whole(`expected at most ${bytesMax} bytes as JSON, found ${data.length}`);
  return data;
}

interface WrittenManifest {
  plugin_id: string;
  version: string;
  category: Category;
  description: string;
  engines: { axiom: string; abi: 1 | "extism" };
  dependencies?: (string | { plugin_id: string; version?: string; optional?: boolean })[];
  capabilities?: Capability[];
  format_id?: string;
  reads_formats?: string[];
  nonce_bytes?: number;
  overhead_bytes?: number;
  limits?: { memory_pages?: number; call_ms?: number };
  config_schema?: JsonSchema;
}

/** Checks everything that one manifest can be wrong in. Throws {@linkcode ManifestFault}. */
export function readManifest(value: Json, toolVersion = TOOL_VERSION): PluginManifest {
  if (depthOf(value) > LIMITS.pluginManifestDepthMax) {
    throw whole(`expected at most ${LIMITS.pluginManifestDepthMax} levels, found more`);
  }
  const faults = faultsOf(MANIFEST_SCHEMA, value);
  if (faults.length > 0) throw new ManifestFault(faults);
  const manifest = fromWritten(value as unknown as WrittenManifest);
  const broken = manifestFaults(manifest, toolVersion);
  if (broken.length > 0) throw new ManifestFault(broken);
  return manifest;
}

function fromWritten(written: WrittenManifest): PluginManifest {
  return {
    pluginId: written.plugin_id,
    version: written.version,
    category: written.category,
    description: written.description,
    engine: written.engines.axiom,
    abi: written.engines.abi,
    dependencies: (written.dependencies ?? []).map((each) => {
      if (typeof each === "string") return { pluginId: each, version: "*", optional: false };
      return { pluginId: each.plugin_id, version: each.version ?? "*", optional: each.optional ?? false };
    }),
    capabilities: written.capabilities ?? [],
    formatId: written.format_id,
    readsFormats: written.reads_formats ?? [],
    nonceBytes: written.nonce_bytes,
    overheadBytes: written.overhead_bytes,
    limits: { memoryPages: written.limits?.memory_pages, callMs: written.limits?.call_ms },
    configSchema: written.config_schema ?? NO_CONFIGURATION,
  };
}

function whole(message: string): ManifestFault {
  return new ManifestFault([{ path: "", message }]);
}

/** Levels of lists and maps, counted without recursion: whoever wrote it may have meant to end the program. */
function depthOf(value: Json): number {
  let depth = 0;
  for (let level: Json[] = [value]; level.length > 0; depth++) {
    level = level.flatMap((each) => typeof each === "object" && each !== null ? Object.values(each) as Json[] : []);
    if (depth > LIMITS.pluginManifestDepthMax) break;
  }
  return depth;
}
