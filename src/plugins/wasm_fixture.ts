/** A small assembler for the modules that tests need; a compiler may be absent. */
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { ABI_MARKER, CALL_MODULE, IO_MODULE } from "./abi.ts";

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;

export function leb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value === 0 ? low : low | 0x80);
  } while (value !== 0);
  return bytes;
}

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    if ((value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
const name = (text: string) => [...leb(utf8(text).length), ...utf8(text)];
const section = (id: number, content: readonly number[]) =>
  content.length === 0 ? [] : [id, ...leb(content.length), ...content];

/** Instructions by their names in the text format, with `_` for dots. */
export const op = {
  unreachable: [0x00],
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  else: [0x05],
  end: [0x0b],
  br: (depth: number) => [0x0c, ...leb(depth)],
  br_if: (depth: number) => [0x0d, ...leb(depth)],
  return: [0x0f],
  call: (index: number) => [0x10, ...leb(index)],
  drop: [0x1a],
  local_get: (index: number) => [0x20, ...leb(index)],
  local_set: (index: number) => [0x21, ...leb(index)],
  local_tee: (index: number) => [0x22, ...leb(index)],
  global_get: (index: number) => [0x23, ...leb(index)],
  global_set: (index: number) => [0x24, ...leb(index)],
  i32_load: [0x28, 2, 0],
  i32_load8_u: [0x2d, 0, 0],
  i32_store: [0x36, 2, 0],
  i64_store: [0x37, 3, 0],
  i32_store8: [0x3a, 0, 0],
  memory_grow: [0x40, 0],
  const: (value: number) => [0x41, ...signedLeb(value)],
  i32_eqz: [0x45],
  i32_eq: [0x46],
  i32_ne: [0x47],
  i32_lt_u: [0x49],
  i32_add: [0x6a],
  i32_sub: [0x6b],
  i32_mul: [0x6c],
  i32_and: [0x71],
  i32_xor: [0x73],
  f64_convert_i32_s: [0xb7],
};

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface WasmFunction {
  readonly exported?: string;
  readonly locals?: number;
  /** Without the last `end`; the function is `() -> i32`. */
  readonly code: readonly (readonly number[])[];
}

export interface WasmModule {
  readonly imports?: readonly WasmImport[];
  readonly functions: readonly WasmFunction[];
  /** In pages. */
  readonly memory?: { readonly minimum: number; readonly maximum?: number };
  /** Mutable i32, all 0. */
  readonly globals?: number;
  /** At address 0. */
  readonly data?: Uint8Array;
  readonly sections?: readonly { readonly name: string; readonly content: Uint8Array }[];
}

export function assemble(module: WasmModule): Bytes {
  const { imports = [], functions, memory = { minimum: 1 }, globals = 0, data, sections = [] } = module;
  const types = [...imports, ...functions.map(() => ({ parameters: [], results: [I32] }))];
  const limits = memory.maximum === undefined
    ? [0, ...leb(memory.minimum)]
    : [1, ...leb(memory.minimum), ...leb(memory.maximum)];
  const exported = functions.flatMap((each, i) =>
    each.exported === undefined ? [] : [[...name(each.exported), 0, ...leb(imports.length + i)]]
  );
  const bodies = functions.map(({ locals = 0, code }) => {
    const body = [...(locals === 0 ? [0] : [1, ...leb(locals), I32]), ...code.flat(), ...op.end];
    return [...leb(body.length), ...body];
  });
  return concat([
    new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    ...[
      section(
        1,
        vector(types.map((t) => [0x60, ...vector(t.parameters.map((p) => [p])), ...vector(t.results.map((r) => [r]))])),
      ),
      section(2, vector(imports.map((each, i) => [...name(each.module), ...name(each.name), 0, ...leb(i)]))),
      section(3, vector(functions.map((_, i) => leb(imports.length + i)))),
      section(5, vector([limits])),
      section(6, globals === 0 ? [] : vector(Array.from({ length: globals }, () => [I32, 1, 0x41, 0, 0x0b]))),
      section(7, vector([[...name("memory"), 2, 0], ...exported])),
      section(10, vector(bodies)),
      section(11, data === undefined ? [] : vector([[0, 0x41, 0, 0x0b, ...leb(data.length), ...data]])),
      ...sections.map((each) => section(0, [...name(each.name), ...each.content])),
    ].map((bytes) => new Uint8Array(bytes)),
  ]);
}

const RETURN_0: WasmFunction["code"] = [op.const(0)];

/** Places of the imports that {@linkcode pluginModule} always has. */
export const READ = op.call(0);
export const WRITE = op.call(1);
export const OP = op.call(2);
export const FAIL = op.call(3);
/** Of the first import that a test adds. */
export const ADDED = op.call(4);

export interface PluginParts {
  readonly execute?: WasmFunction["code"];
  readonly initialize?: WasmFunction["code"];
  readonly validate?: WasmFunction["code"];
  readonly teardown?: WasmFunction["code"];
  readonly imports?: readonly WasmImport[];
  /** More exported functions. */
  readonly more?: Readonly<Record<string, WasmFunction["code"]>>;
  readonly without?: readonly string[];
  readonly data?: Uint8Array;
  readonly memory?: WasmModule["memory"];
  readonly sections?: WasmModule["sections"];
}

/** A module of ABI 1; every verb that is not given answers 0. Each function has four locals, the module four globals. */
export function pluginModule(parts: PluginParts): Bytes {
  const { execute = RETURN_0, initialize = RETURN_0, validate = RETURN_0, teardown = RETURN_0, without = [] } = parts;
  const exports = { [ABI_MARKER]: RETURN_0, initialize, validate, execute, teardown, ...parts.more };
  return assemble({
    imports: [
      { module: IO_MODULE, name: "read", parameters: [I32, I32], results: [I32] },
      { module: IO_MODULE, name: "write", parameters: [I32, I32], results: [I32] },
      { module: CALL_MODULE, name: "op", parameters: [], results: [I32] },
      { module: CALL_MODULE, name: "fail", parameters: [I32, I32, I32], results: [I32] },
      ...(parts.imports ?? []),
    ],
    functions: Object.entries(exports).filter(([exported]) => !without.includes(exported)).map(([exported, code]) => ({
      exported,
      code,
      locals: 4,
    })),
    globals: 4,
    memory: parts.memory ?? { minimum: 2 },
    data: parts.data,
    sections: parts.sections,
  });
}

/** Copies what is left of the input to the output, by way of a buffer that begins with the second page. */
export const copyBy = (bufferBytes: number): WasmFunction["code"] => [
  op.block,
  op.loop,
  op.const(65536),
  op.const(bufferBytes),
  READ,
  op.local_tee(0),
  op.i32_eqz,
  op.br_if(1),
  op.const(65536),
  op.local_get(0),
  WRITE,
  op.drop,
  op.br(0),
  op.end,
  op.end,
];

export const COPY = copyBy(65536);

/** Runs `code` if the next byte of the input is this character, which is read. */
export const ifNextIs = (character: string, code: WasmFunction["code"]): WasmFunction["code"] => [
  op.const(0),
  op.const(1),
  READ,
  op.drop,
  ...ifReadIs(character, code),
];

/** The same for the byte that was read last by {@linkcode ifNextIs}. */
export const ifReadIs = (character: string, code: WasmFunction["code"]): WasmFunction["code"] => [
  op.const(0),
  op.i32_load8_u,
  op.const(character.charCodeAt(0)),
  op.i32_eq,
  op.if,
  ...code,
  op.end,
];

/** Gives the first 64 KiB of its memory again and again. */
export const WRITE_FOR_EVER: WasmFunction["code"] = [
  op.loop,
  op.const(0),
  op.const(65536),
  WRITE,
  op.drop,
  op.br(0),
  op.end,
  op.const(0),
];

/** Gives more than there is. */
export const WRITE_OUTSIDE: WasmFunction["code"] = [op.const(-1), op.const(-1), WRITE];

export const LOOP_FOR_EVER: WasmFunction["code"] = [op.loop, op.br(0), op.end, op.const(0)];

/** Grows until nothing more is to be had, then traps. */
export const EAT_MEMORY: WasmFunction["code"] = [
  op.loop,
  op.const(1),
  op.memory_grow,
  op.const(-1),
  op.i32_ne,
  op.br_if(0),
  op.end,
  op.unreachable,
];

/**
 * One byte before the data, which decode wants to see: a codec whose two directions differ.
 *
 * @param tag One reads what others wrote whose tag is of the same sixteen, so that versions can be told apart
 */
export const tagged = (tag: number): WasmFunction["code"] => [
  OP,
  op.const(1),
  op.i32_eq,
  op.if,
  op.const(0),
  op.const(tag),
  op.i32_store8,
  op.const(0),
  op.const(1),
  WRITE,
  op.drop,
  op.else,
  OP,
  op.const(2),
  op.i32_ne,
  op.if,
  op.const(2), // unsupported
  op.return,
  op.end,
  op.const(0),
  op.const(1),
  READ,
  op.i32_eqz,
  op.if,
  op.const(3), // corrupt_data
  op.return,
  op.end,
  op.const(0),
  op.i32_load8_u,
  op.const(0xf0),
  op.i32_and,
  op.const(tag & 0xf0),
  op.i32_ne,
  op.if,
  op.const(3),
  op.return,
  op.end,
  op.end,
  ...COPY,
  op.const(0),
];

export const TAGGED = tagged(0x41);
