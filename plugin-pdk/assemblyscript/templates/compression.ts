import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

export function initialize(): i32 {
  return 0;
}

export function execute(): i32 {
  const operation = axiom.operation();
  if (operation == axiom.ENCODE) return encode(axiom.readAll());
  if (operation == axiom.DECODE) return decode(axiom.readAll(), <i32> axiom.header().integer("plain_length"));
  return axiom.UNSUPPORTED;
}

// Copies: here the bytes become fewer.
function encode(plain: Uint8Array): i32 {
  axiom.write(plain);
  return 0;
}

function decode(stored: Uint8Array, plainLength: i32): i32 {
  if (stored.length != plainLength) return axiom.fail(axiom.CORRUPT_DATA, "it does not hold what it should");
  axiom.write(stored);
  return 0;
}
