/** A cipher of hand-made code, whole or with a fault, for tests. */
import { OP, op, READ, type WasmFunction, WRITE } from "./wasm_fixture.ts";

const INPUT = 4096;

/** Locals: 0 end of the input, 1 where the text begins, 2 place, 3 sum over all bytes before 0. */
const SUM: WasmFunction["code"] = [
  op.const(INPUT),
  op.local_set(2),
  op.const(7),
  op.local_set(3),
  op.loop,
  op.local_get(3),
  op.const(31),
  op.i32_mul,
  op.local_get(2),
  op.i32_load8_u,
  op.i32_add,
  op.local_set(3),
  op.local_get(2),
  op.const(1),
  op.i32_add,
  op.local_tee(2),
  op.local_get(0),
  op.i32_lt_u,
  op.br_if(0),
  op.end,
];

/** Every byte of the text with one of the key and one of the nonce. */
const xor = (keyAt: number, nonceAt: number): WasmFunction["code"] => [
  op.local_get(1),
  op.local_set(2),
  op.block,
  op.loop,
  op.local_get(2),
  op.local_get(0),
  op.i32_lt_u,
  op.i32_eqz,
  op.br_if(1),
  op.local_get(2),
  op.local_get(2),
  op.i32_load8_u,
  op.const(keyAt),
  op.i32_load8_u,
  op.i32_xor,
  op.const(nonceAt),
  op.i32_load8_u,
  op.i32_xor,
  op.i32_store8,
  op.local_get(2),
  op.const(1),
  op.i32_add,
  op.local_set(2),
  op.br(0),
  op.end,
  op.end,
];

/** What to leave out of {@linkcode toyCipher}. */
export interface ToyFaults {
  readonly showsPlain?: boolean;
  readonly ignoresNonce?: boolean;
  readonly ignoresTag?: boolean;
  /** What it does with more than 1 MiB, which no probe gives it. */
  readonly large?: WasmFunction["code"];
}

/** Hides nothing from anybody, but keeps the rules of a cipher: nonce of 8 bytes, tag of 4. */
export function toyCipher(
  { showsPlain, ignoresNonce, ignoresTag, large = [] }: ToyFaults = {},
): WasmFunction["code"] {
  const key = INPUT + 4, nonce = INPUT + 36;
  const crypt = showsPlain ? [] : xor(key, ignoresNonce ? key + 1 : nonce);
  return [
    op.const(INPUT),
    op.const(INPUT),
    op.const(200 * 65536),
    READ,
    op.i32_add,
    op.local_set(0),
    op.const(INPUT + (1 << 20)),
    op.local_get(0),
    op.i32_lt_u,
    op.if,
    ...large,
    op.end,
    op.const(INPUT),
    op.i32_load,
    op.const(INPUT + 44),
    op.i32_add,
    op.local_set(1),
    OP,
    op.const(3),
    op.i32_eq,
    op.if,
    ...crypt,
    ...SUM,
    op.local_get(0),
    op.local_get(3),
    op.i32_store,
    op.local_get(1),
    op.local_get(0),
    op.local_get(1),
    op.i32_sub,
    op.const(4),
    op.i32_add,
    WRITE,
    op.return,
    op.end,
    OP,
    op.const(4),
    op.i32_ne,
    op.if,
    op.const(2),
    op.return,
    op.end,
    op.local_get(0),
    op.const(4),
    op.i32_sub,
    op.local_set(0),
    ...SUM,
    op.local_get(0),
    op.i32_load,
    op.local_get(3),
    op.i32_ne,
    op.const(ignoresTag ? 0 : 1),
    op.i32_and,
    op.if,
    op.const(4), // auth
    op.return,
    op.end,
    ...crypt,
    op.local_get(1),
    op.local_get(0),
    op.local_get(1),
    op.i32_sub,
    WRITE,
  ];
}
