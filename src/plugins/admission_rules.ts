/** What a module may export, import and occupy. Each fault ends the sentence "… cannot be loaded: it …". */
import { LIMITS } from "../base/limits.ts";
import { ABI_MARKER, CALL_MODULE, EXTISM_MODULE, HOST_MODULE, IO_MODULE, RENAMED, VERBS } from "./abi.ts";
import { capabilityOfModule } from "./capabilities.ts";
import type { Category, PluginManifest } from "./manifest.ts";
import type { FunctionType, WasmModule, WasmTable } from "./wasm_module.ts";

export interface PluginLimits {
  /** Of 64 KiB. */
  readonly memoryPages: number;
  /** Longest time of one call. */
  readonly callMs: number;
}

const MIB_PAGES = 16;

/** What a category gets at most, where the user set nothing else: zstd's context for its highest level is 65 MiB. */
const CEILINGS: Readonly<Record<Category, PluginLimits>> = {
  compression: { memoryPages: 128 * MIB_PAGES, callMs: 60_000 },
  encryption: { memoryPages: 64 * MIB_PAGES, callMs: 30_000 },
  filter: { memoryPages: 64 * MIB_PAGES, callMs: 30_000 },
  strategy: { memoryPages: 128 * MIB_PAGES, callMs: 60_000 },
  storage: { memoryPages: 128 * MIB_PAGES, callMs: LIMITS.pluginCallMsMax },
  source: { memoryPages: 128 * MIB_PAGES, callMs: LIMITS.pluginCallMsMax },
  processing: { memoryPages: 256 * MIB_PAGES, callMs: LIMITS.pluginCallMsMax },
  notification: { memoryPages: 64 * MIB_PAGES, callMs: 60_000 },
};

/** Exports that the SDK calls by itself, with the modules that have them. */
const FORBIDDEN_EXPORTS: Readonly<Record<string, string>> = {
  _start: "a command runs as a whole; build it as a library (a reactor)",
  hs_init: "modules of Haskell are not supported",
};

const I32 = 0x7f;

/** What the program offers under each import module: parameters and whether there is a result, all i32. */
const OFFERED: Readonly<Record<string, Readonly<Record<string, readonly [parameters: number, results: number]>>>> = {
  [IO_MODULE]: { read: [2, 1], write: [2, 1], left: [0, 1] },
  [CALL_MODULE]: { op: [0, 1], params: [2, 1], result: [2, 1], fail: [3, 1], cancelled: [0, 1] },
  "axiom:host/log@1": { log: [3, 1] },
};

/** What the SDK gives to stock modules; `http_request` gets another name and is refused when it is called. */
const STOCK = new Set([
  ...["alloc", "free", "length", "length_unsafe", "load_u8", "load_u64", "store_u8", "store_u64"],
  ...["input_offset", "input_length", "input_load_u8", "input_load_u64", "output_set", "error_set", "error_get"],
  ...["config_get", "var_get", "var_set", "http_request", "http_status_code", "http_headers", "get_log_level"],
  ...["log_trace", "log_debug", "log_info", "log_warn", "log_error"],
]);

/** What the plugin gets of what it asks for. */
export function boundedLimits({ category, limits }: PluginManifest, ceiling: Partial<PluginLimits> = {}): PluginLimits {
  const { memoryPages, callMs } = { ...CEILINGS[category], ...ceiling };
  return {
    memoryPages: Math.min(limits.memoryPages ?? LIMITS.pluginMemoryPagesDefault, memoryPages),
    callMs: Math.min(limits.callMs ?? LIMITS.pluginCallMsDefault, callMs),
  };
}

export function exportFaults({ exports, functions, types, hasStart }: WasmModule, { abi }: PluginManifest): string[] {
  const faults: string[] = [];
  if (hasStart) faults.push("has a start function, which would run too early; export it as _initialize");
  for (const [name, why] of Object.entries(FORBIDDEN_EXPORTS)) {
    if (exports.some((each) => each.name === name)) faults.push(`exports ${name}: ${why}`);
  }
  const { from, to } = RENAMED.reactorExport;
  if (exports.some(({ name }) => name === from) && exports.some(({ name }) => name === to)) {
    faults.push(`exports both ${from} and ${to}`);
  }
  if (!exports.some(({ name, kind }) => name === "memory" && kind === "memory")) {
    faults.push("does not export its memory");
  }
  if (abi === "extism") return faults;
  const other = exports.map(({ name }) => /^axiom_abi_(\d+)$/.exec(name)?.[1]).find((version) =>
    version && version !== "1"
  );
  for (const name of [ABI_MARKER, ...VERBS]) {
    const found = exports.find((each) => each.name === name);
    if (found === undefined) {
      const known = name === ABI_MARKER && other !== undefined
        ? `: it speaks ABI ${other}, and this program ABI 1`
        : "";
      faults.push(`does not export ${name}${known}`);
    } else if (found.kind !== "function" || !isType(types[functions[found.index]], 0, 1)) {
      faults.push(`exports ${name} as something else than a function () -> i32`);
    }
  }
  return faults;
}

export function importFaults({ imports, types }: WasmModule, manifest: PluginManifest): string[] {
  const faults = imports.map(({ module, name, type }) => importFault(module, name, types[type], manifest));
  return [...new Set(faults.filter((fault) => fault !== undefined))];
}

function importFault(
  module: string,
  name: string,
  type: FunctionType,
  { abi, capabilities }: PluginManifest,
): string | undefined {
  if (module === RENAMED.wasiModule.from) return undefined; // answered by stubs that can do nothing
  if (module === EXTISM_MODULE) {
    if (abi !== "extism") return `imports ${name} of ${module}, which only abi extism may`;
    return STOCK.has(name) ? undefined : `imports ${name} of ${module}, which has no such function`;
  }
  const capability = capabilityOfModule(module);
  if (capability !== undefined && !capabilities.some((each) => each.name === capability)) {
    return `imports ${module} and does not declare the capability ${capability}`;
  }
  const offered = Object.hasOwn(OFFERED, module) ? OFFERED[module] : undefined;
  if (offered === undefined && capability === undefined) {
    return !HOST_MODULE.test(module)
      ? `imports ${name} of ${module}: nothing outside of axiom:host is given to a plugin`
      : `imports ${name} of ${module}, which this program does not offer`;
  }
  if (offered === undefined) return undefined;
  if (!Object.hasOwn(offered, name)) return `imports ${name} of ${module}, which has no such function`;
  const [parameters, results] = offered[name];
  if (isType(type, parameters, results)) return undefined;
  return `imports ${name} of ${module} with another signature than ${parameters} × i32 -> ${results} × i32`;
}

function isType({ parameters, results }: FunctionType, parameterCount: number, resultCount: number): boolean {
  return parameters.length === parameterCount && results.length === resultCount &&
    [...parameters, ...results].every((type) => type === I32);
}

export function sizeFaults({ memories, tables }: WasmModule, { memoryPages }: PluginLimits): string[] {
  const faults: string[] = [];
  if (memories.length !== 1) faults.push("has no memory of its own");
  else if (memories[0].minimum > memoryPages) {
    faults.push(
      `needs ${memories[0].minimum} pages of memory to start, and gets ${memoryPages}: see limits.memory_pages`,
    );
  }
  const entries = tables.reduce((sum, { minimum }) => sum + minimum, 0);
  if (entries > LIMITS.pluginTableEntriesMax) {
    faults.push(`has tables of ${entries} entries, ${LIMITS.pluginTableEntriesMax} are allowed`);
  }
  return faults;
}

/** Tables lie outside of the memory that is capped, so what they can grow to is shared out here. */
export function tablesWithin(tables: readonly WasmTable[]): WasmTable[] {
  const taken = tables.reduce((sum, { minimum }) => sum + minimum, 0);
  const each = Math.floor((LIMITS.pluginTableEntriesMax - taken) / Math.max(1, tables.length));
  return tables.map((table) => ({ ...table, maximum: Math.min(table.maximum ?? Infinity, table.minimum + each) }));
}
