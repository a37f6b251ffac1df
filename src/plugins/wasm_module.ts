/**
 * The parts of a WASM module that admission judges, read from its bytes: WebAssembly Core 2.0, section 5.5. What is not
 * read here (code, data, elements, globals) stays as it is; the engine validates it.
 *
 * Threads, 64-bit memories, garbage-collected types, exceptions and imported memories are refused: each is a way around
 * the one memory whose maximum the host sets.
 */
import { LIMITS } from "../base/limits.ts";
import { WasmFault, WasmReader } from "./wasm_reader.ts";

export interface WasmSection {
  readonly id: number;
  /** Of a custom section. */
  readonly name?: string;
  /** Where the section begins, with its id. */
  readonly start: number;
  /** Where its content begins; of a custom section, after the name. */
  readonly body: number;
  readonly end: number;
}

export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

export const EXPORT_KINDS = ["function", "table", "memory", "global"] as const;

export interface WasmExport {
  readonly name: string;
  readonly kind: typeof EXPORT_KINDS[number];
  readonly index: number;
}

/** Pages of a memory, entries of a table. */
export interface WasmLimits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

export interface WasmTable extends WasmLimits {
  readonly element: number;
}

export interface WasmModule {
  readonly sections: readonly WasmSection[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly WasmImport[];
  /** Type of each function, those that are imported first. */
  readonly functions: readonly number[];
  readonly tables: readonly WasmTable[];
  readonly memories: readonly WasmLimits[];
  readonly exports: readonly WasmExport[];
  readonly hasStart: boolean;
}

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  export: 7,
  start: 8,
} as const;

/** Ids in the order in which sections stand; the data count (12) comes before the code. */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const EXCEPTION_TAGS = 13;
const FUNCTION_TYPE = 0x60;
/** i32, i64, f32, f64, v128, funcref, externref. */
const VALUE_TYPES = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f];
const REFERENCE_TYPES = [0x70, 0x6f];
const LIMITS_SHARED = 2, LIMITS_64 = 4, LIMITS_PAGE_SIZE = 8;

/** Throws {@linkcode WasmFault} for what is no module, or one of a kind that is not taken. */
export function readWasm(data: Uint8Array): WasmModule {
  const sections = readSections(data);
  const read = <T>(id: number, item: (reader: WasmReader) => T, countMax: number, what: string): T[] => {
    const section = sections.find((each) => each.id === id);
    if (section === undefined) return [];
    const reader = new WasmReader(data, section.body, section.end);
    const items = Array.from({ length: reader.count(countMax, what) }, () => item(reader));
    if (!reader.isDone) reader.fail(`its list of ${what} is shorter than announced`);
    return items;
  };
  const itemsMax = LIMITS.pluginModuleItemsMax;
  const types = read(SECTION.type, readFunctionType, itemsMax, "types");
  const imports = read(SECTION.import, readImport, itemsMax, "imports");
  const functions = read(SECTION.function, (reader) => reader.u32(), itemsMax, "functions");
  const module: WasmModule = {
    sections,
    types,
    imports,
    functions: [...imports.map(({ type }) => type), ...functions],
    tables: read(SECTION.table, readTable, LIMITS.pluginTablesMax, "tables"),
    memories: read(SECTION.memory, readMemory, 1, "memories"),
    exports: read(SECTION.export, readExport, itemsMax, "exports"),
    hasStart: sections.some(({ id }) => id === SECTION.start),
  };
  checkIndexes(module);
  return module;
}

/** Contents of the custom sections of that name. */
export function customSections(module: WasmModule, data: Uint8Array, name: string): Uint8Array[] {
  return module.sections.filter((section) => section.name === name).map(({ body, end }) => data.subarray(body, end));
}

function readSections(data: Uint8Array): WasmSection[] {
  const reader = new WasmReader(data);
  if (data.length < 8 || reader.word() !== 0x6d736100) {
    throw new WasmFault("is no WASM module", "Name the .wasm file of a plugin");
  }
  const version = reader.word();
  if (version !== 1) {
    throw new WasmFault(
      version === 0x1000d ? "is a WASM component, not a module" : `is WASM of the unknown version ${version}`,
    );
  }
  const sections: WasmSection[] = [];
  let last = -1;
  while (!reader.isDone) {
    const start = reader.at, id = reader.byte();
    const content = reader.part(reader.u32());
    if (id === SECTION.custom) {
      const name = content.text();
      sections.push({ id, name, start, body: content.at, end: content.end });
      continue;
    }
    const place = ORDER.indexOf(id);
    if (id === EXCEPTION_TAGS) throw new WasmFault("uses WASM exceptions, which are not supported");
    if (place < 0) throw new WasmFault(`has a section of the unknown kind ${id}`);
    if (place === last) throw new WasmFault(`has section ${id} twice`);
    if (place < last) throw new WasmFault(`has section ${id} in the wrong place`);
    last = place;
    sections.push({ id, start, body: content.at, end: content.end });
  }
  return sections;
}

function readFunctionType(reader: WasmReader): FunctionType {
  const form = reader.byte();
  if (form !== FUNCTION_TYPE) throw new WasmFault("uses garbage-collected types, which are not supported");
  return { parameters: readValueTypes(reader), results: readValueTypes(reader) };
}

function readValueTypes(reader: WasmReader): number[] {
  return Array.from({ length: reader.count(1000, "parameters") }, () => {
    const type = reader.byte();
    if (!VALUE_TYPES.includes(type)) {
      throw new WasmFault(`uses the value type 0x${type.toString(16)}, which is not supported`);
    }
    return type;
  });
}

function readImport(reader: WasmReader): WasmImport {
  const module = reader.text(), name = reader.text();
  const kind = reader.byte();
  if (kind === 0) return { module, name, type: reader.u32() };
  const what = ["function", "table", "memory", "global"][kind] ?? `thing of the kind ${kind}`;
  throw new WasmFault(`imports the ${what} ${module} ${name}, where only functions can be imported`);
}

function readTable(reader: WasmReader): WasmTable {
  const element = reader.byte();
  if (!REFERENCE_TYPES.includes(element)) throw new WasmFault("has a table of a kind that is not supported");
  return { element, ...readLimits(reader, "table") };
}

function readMemory(reader: WasmReader): WasmLimits {
  return readLimits(reader, "memory");
}

function readLimits(reader: WasmReader, what: string): WasmLimits {
  const flags = reader.byte();
  if ((flags & LIMITS_SHARED) !== 0) throw new WasmFault(`has a shared ${what}: threads are not supported`);
  if ((flags & LIMITS_64) !== 0) throw new WasmFault(`has a 64-bit ${what}, which is not supported`);
  if ((flags & LIMITS_PAGE_SIZE) !== 0) {
    throw new WasmFault(`has a ${what} with pages of its own size, which is not supported`);
  }
  if (flags > 1) reader.fail(`its ${what} has unknown flags`);
  const minimum = reader.u32();
  const maximum = flags === 1 ? reader.u32() : undefined;
  if (maximum !== undefined && maximum < minimum) {
    throw new WasmFault(`has a ${what} whose maximum, ${maximum}, is below its minimum, ${minimum}`);
  }
  return { minimum, maximum };
}

function readExport(reader: WasmReader): WasmExport {
  const name = reader.text();
  const kind = EXPORT_KINDS[reader.byte()];
  if (kind === undefined) reader.fail(`the export ${name} is of an unknown kind`);
  return { name, kind, index: reader.u32() };
}

function checkIndexes({ types, functions, tables, memories, exports }: WasmModule): void {
  const wrong = functions.find((type) => type >= types.length);
  if (wrong !== undefined) throw new WasmFault(`has a function of type ${wrong}, and ${types.length} types`);
  const counts = { function: functions.length, table: tables.length, memory: memories.length, global: Infinity };
  const names = new Set<string>();
  for (const { name, kind, index } of exports) {
    if (index >= counts[kind]) throw new WasmFault(`exports ${name}, the ${kind} ${index}, and has ${counts[kind]}`);
    if (names.has(name)) throw new WasmFault(`exports ${name} twice`);
    names.add(name);
  }
}
