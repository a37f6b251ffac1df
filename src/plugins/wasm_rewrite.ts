/** Writes sections of a module anew. What is not named keeps its bytes. */
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import {
  EXPORT_KINDS,
  SECTION,
  type WasmExport,
  type WasmImport,
  type WasmLimits,
  type WasmModule,
  type WasmSection,
  type WasmTable,
} from "./wasm_module.ts";

export interface WasmChanges {
  readonly imports?: readonly WasmImport[];
  readonly exports?: readonly WasmExport[];
  readonly memories?: readonly WasmLimits[];
  readonly tables?: readonly WasmTable[];
  /** Whether a custom section stays. */
  keep(name: string): boolean;
}

/** `data` with lists of the same length in place of those that are given; `module` is what was read from it. */
export function rewriteWasm(data: Uint8Array, module: WasmModule, changes: WasmChanges): Bytes {
  const replaced: Readonly<Record<number, Uint8Array | undefined>> = {
    [SECTION.import]: changes.imports && list(changes.imports, importBytes),
    [SECTION.table]: changes.tables &&
      list(changes.tables, (table) => [Uint8Array.of(table.element), limitBytes(table)]),
    [SECTION.memory]: changes.memories && list(changes.memories, (memory) => [limitBytes(memory)]),
    [SECTION.export]: changes.exports && list(changes.exports, exportBytes),
  };
  const parts: Uint8Array[] = [data.subarray(0, 8)];
  for (const { id, name, start, end } of module.sections) {
    if (name !== undefined && !changes.keep(name)) continue;
    const content = replaced[id];
    parts.push(...(content === undefined ? [data.subarray(start, end)] : section(id, content)));
  }
  return concat(parts);
}

/** `data` with one custom section of that name, in front of all others; any that it had are gone. */
export function withCustomSection(
  data: Uint8Array,
  sections: readonly WasmSection[],
  name: string,
  content: Uint8Array,
): Bytes {
  const others = sections.filter((each) => each.name !== name).map(({ start, end }) => data.subarray(start, end));
  return concat([data.subarray(0, 8), ...section(SECTION.custom, concat([text(name), content])), ...others]);
}

function section(id: number, content: Uint8Array): Uint8Array[] {
  return [Uint8Array.of(id), u32(content.length), content];
}

function list<T>(items: readonly T[], bytes: (item: T) => readonly Uint8Array[]): Bytes {
  return concat([u32(items.length), ...items.flatMap((item) => bytes(item))]);
}

function importBytes({ module, name, type }: WasmImport): Uint8Array[] {
  return [text(module), text(name), Uint8Array.of(0), u32(type)];
}

function exportBytes({ name, kind, index }: WasmExport): Uint8Array[] {
  return [text(name), Uint8Array.of(EXPORT_KINDS.indexOf(kind)), u32(index)];
}

function limitBytes({ minimum, maximum }: WasmLimits): Bytes {
  return maximum === undefined
    ? concat([Uint8Array.of(0), u32(minimum)])
    : concat([Uint8Array.of(1), u32(minimum), u32(maximum)]);
}

function text(value: string): Bytes {
  const data = utf8(value);
  return concat([u32(data.length), data]);
}

/** LEB128. */
export function u32(value: number): Bytes {
  const bytes: number[] = [];
  for (let rest = value;; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
