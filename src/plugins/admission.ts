/**
 * Admission judges the bytes of a plugin before anything of it is compiled or run, and gives back the bytes that are: the
 * same code with the maximum of its memory and of its tables set by the host, and without the names that the SDK would act
 * upon by itself. Hash and signature are those of the original bytes.
 */
import { createHash } from "node:crypto";
import type { Bytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { RENAMED } from "./abi.ts";
import {
  boundedLimits,
  exportFaults,
  importFaults,
  type PluginLimits,
  sizeFaults,
  tablesWithin,
} from "./admission_rules.ts";
import { decodeManifest, MANIFEST_SECTION, ManifestFault, type PluginManifest } from "./manifest.ts";
import { customSections, readWasm, type WasmModule } from "./wasm_module.ts";
import { WasmFault } from "./wasm_reader.ts";
import { rewriteWasm } from "./wasm_rewrite.ts";

export interface AdmissionOptions {
  /** The host's own ceiling; that of the category where nothing is given. */
  readonly limits?: Partial<PluginLimits>;
  /** Of the file, for messages. */
  readonly name?: string;
}

export interface AdmittedPlugin {
  readonly manifest: PluginManifest;
  /** Of the original bytes, in hexadecimal. */
  readonly sha256: string;
  /** What is compiled. */
  readonly code: Bytes;
  /** Each as `<module> <name>`, in the order of the module. */
  readonly imports: readonly string[];
  /** What the manifest asked for, within the ceiling; `code` cannot have more memory. */
  readonly limits: PluginLimits;
}

/** Throws `plugin_refused` with everything that is wrong. Never runs anything of it. */
export function admit(bytes: Bytes, options: AdmissionOptions = {}): AdmittedPlugin {
  const { name } = options;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const from = `${name === undefined ? "" : `${name}, `}sha256 ${sha256.slice(0, 16)}…`;
  let subject = `the plugin (${from})`;
  try {
    if (bytes.length > LIMITS.pluginModuleBytesMax) {
      throw new WasmFault(`has ${bytes.length} bytes, ${LIMITS.pluginModuleBytesMax} are allowed`);
    }
    const module = readWasm(bytes);
    const manifest = manifestOf(module, bytes);
    subject = `${manifest.pluginId} ${manifest.version} (${from})`;
    const limits = boundedLimits(manifest, options.limits);
    const faults = [
      ...exportFaults(module, manifest),
      ...importFaults(module, manifest),
      ...sizeFaults(module, limits),
    ];
    if (faults.length > 0) throw new WasmFault(faults.join("; it "));
    const code = rewritten(bytes, module, limits);
    if (!WebAssembly.validate(code)) throw new WasmFault("is no valid WASM: its code does not fit its types");
    return { manifest, sha256, code, imports: module.imports.map(({ module, name }) => `${module} ${name}`), limits };
  } catch (error) {
    if (error instanceof ManifestFault) throw manifestError(`Cannot use ${subject}`, error);
    if (error instanceof WasmFault) {
      throw new AxiomError("plugin_refused", `Cannot use ${subject}: it ${error.message}`, {
        hint: error.hint ?? AUTHOR,
        cause: error,
      });
    }
    throw error;
  }
}

const PACK_IT = "Write plugin.yaml beside it, then run `axiom plugin pack`";
const AUTHOR = "This is for the plugin's author to correct; nothing of it was run";

/** One line for one fault, a list for several. */
export function manifestError(what: string, { faults }: ManifestFault): AxiomError {
  const lines = faults.slice(0, LIMITS.pluginManifestFaultsMax).map(({ path, message }) => {
    return path === "" ? message : `${path}: ${message}`;
  });
  const more = faults.length > lines.length ? `\n  and ${faults.length - lines.length} more` : "";
  const list = lines.length === 1 ? ` ${lines[0]}` : lines.map((line) => `\n  ${line}`).join("") + more;
  return new AxiomError("plugin_refused", `${what}: its manifest is wrong:${list}`, { hint: AUTHOR });
}

function manifestOf(module: WasmModule, bytes: Bytes): PluginManifest {
  const sections = customSections(module, bytes, MANIFEST_SECTION);
  if (sections.length > 1) throw new WasmFault(`has ${sections.length} manifests, one is allowed`);
  if (sections.length === 0) throw new WasmFault("has no manifest", PACK_IT);
  return decodeManifest(sections[0]);
}

function rewritten(bytes: Bytes, module: WasmModule, { memoryPages }: PluginLimits): Bytes {
  const { wasiModule, reactorExport, httpImport } = RENAMED;
  return rewriteWasm(bytes, module, {
    memories: module.memories.map(({ minimum, maximum }) => ({
      minimum,
      maximum: Math.min(maximum ?? Infinity, memoryPages),
    })),
    tables: tablesWithin(module.tables),
    imports: module.imports.map((each) => {
      if (each.module === wasiModule.from) return { ...each, module: wasiModule.to };
      const isHttp = each.module === httpImport.module && each.name === httpImport.from;
      return isHttp ? { ...each, name: httpImport.to } : each;
    }),
    exports: module.exports.map((each) =>
      each.name === reactorExport.from ? { ...each, name: reactorExport.to } : each
    ),
    keep: (section) => section === "name", // for the text of a trap; the rest would only be kept in memory
  });
}
