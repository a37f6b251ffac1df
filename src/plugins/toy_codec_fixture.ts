/** A run-length codec of hand-made code: it makes less of data with runs, and any damage of its tag is found. */
import { OP, op, READ, type WasmFunction, WRITE } from "./wasm_fixture.ts";

const IN = 1 << 20;
const CAPACITY = 8 << 20;
const OUT = IN + CAPACITY;
/** Of 64 KiB, for frames of 4 MiB: what it makes of noise is twice as long. */
export const TOY_CODEC_PAGES = 420;

/** Locals: 0 end of the input, 1 place, 2 count, 3 byte; global 0 is the end of the output. */
const put = (value: WasmFunction["code"]): WasmFunction["code"] => [
  op.global_get(0),
  ...value,
  op.i32_store8,
  op.global_get(0),
  op.const(1),
  op.i32_add,
  op.global_set(0),
];

const START: WasmFunction["code"] = [
  op.const(IN),
  op.const(CAPACITY),
  READ,
  op.const(IN),
  op.i32_add,
  op.local_set(0),
  op.const(OUT),
  op.global_set(0),
];

const isAtEnd: WasmFunction["code"] = [op.local_get(1), op.local_get(0), op.i32_lt_u, op.i32_eqz];

const FINISH: WasmFunction["code"] = [
  op.const(OUT),
  op.global_get(0),
  op.const(OUT),
  op.i32_sub,
  WRITE,
  op.drop,
  op.const(0),
];

/** One more of the run: there is a byte, it is the same, and the count fits into a byte. */
const goesOn: WasmFunction["code"] = [
  op.local_get(1),
  op.local_get(2),
  op.i32_add,
  op.local_get(0),
  op.i32_lt_u,
  op.local_get(2),
  op.const(255),
  op.i32_lt_u,
  op.i32_and,
  op.local_get(1),
  op.local_get(2),
  op.i32_add,
  op.i32_load8_u,
  op.local_get(3),
  op.i32_eq,
  op.i32_and,
];

const encode = (tag: number): WasmFunction["code"] => [
  ...put([op.const(tag)]),
  op.const(IN),
  op.local_set(1),
  op.block,
  op.loop,
  ...isAtEnd,
  op.br_if(1),
  op.local_get(1),
  op.i32_load8_u,
  op.local_set(3),
  op.const(1),
  op.local_set(2),
  op.block,
  op.loop,
  ...goesOn,
  op.i32_eqz,
  op.br_if(1),
  op.local_get(2),
  op.const(1),
  op.i32_add,
  op.local_set(2),
  op.br(0),
  op.end,
  op.end,
  ...put([op.local_get(2)]),
  ...put([op.local_get(3)]),
  op.local_get(1),
  op.local_get(2),
  op.i32_add,
  op.local_set(1),
  op.br(0),
  op.end,
  op.end,
  ...FINISH,
  op.return,
];

const decode = (tag: number): WasmFunction["code"] => [
  op.const(IN),
  op.i32_load8_u,
  op.const(0xf0),
  op.i32_and,
  op.const(tag & 0xf0),
  op.i32_ne,
  op.if,
  op.const(3), // corrupt_data
  op.return,
  op.end,
  op.const(IN + 1),
  op.local_set(1),
  op.block,
  op.loop,
  ...isAtEnd,
  op.br_if(1),
  op.local_get(1),
  op.i32_load8_u,
  op.local_set(2),
  op.local_get(1),
  op.const(1),
  op.i32_add,
  op.i32_load8_u,
  op.local_set(3),
  op.block,
  op.loop,
  op.local_get(2),
  op.i32_eqz,
  op.br_if(1),
  ...put([op.local_get(3)]),
  op.local_get(2),
  op.const(1),
  op.i32_sub,
  op.local_set(2),
  op.br(0),
  op.end,
  op.end,
  op.local_get(1),
  op.const(2),
  op.i32_add,
  op.local_set(1),
  op.br(0),
  op.end,
  op.end,
  ...FINISH,
];

/**
 * @param tag Its first byte; one reads what others wrote whose tag is of the same sixteen
 * @param large What it does with an input of more than 1 MiB, which no probe gives it
 */
export const runLengthCodec = (tag: number, large: WasmFunction["code"] = []): WasmFunction["code"] => [
  ...START,
  op.const(2 * IN),
  op.local_get(0),
  op.i32_lt_u,
  op.if,
  ...large,
  op.end,
  OP,
  op.const(1),
  op.i32_eq,
  op.if,
  ...encode(tag),
  op.end,
  OP,
  op.const(2),
  op.i32_ne,
  op.if,
  op.const(2), // unsupported
  op.return,
  op.end,
  ...decode(tag),
];
