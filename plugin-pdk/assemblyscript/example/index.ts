// PackBits: n < 128 is followed by n + 1 bytes as they are, n >= 128 by one byte that is there n - 125 times.
import * as axiom from "../axiom";
export { axiom_abi_1, teardown, validate } from "../axiom";

const LITERALS_MAX = 128;
const RUN_MIN = 3;
const RUN_MAX = 130;

export function initialize(): i32 {
  return 0;
}

export function execute(): i32 {
  const operation = axiom.operation();
  if (operation == axiom.ENCODE) return encode(axiom.readAll());
  if (operation != axiom.DECODE) return axiom.UNSUPPORTED;
  return decode(axiom.readAll(), <i32> axiom.header().integer("plain_length"));
}

// How often the byte at `at` stands there, up to RUN_MAX times.
function run(plain: Uint8Array, at: i32): i32 {
  let n = 1;
  while (n < RUN_MAX && at + n < plain.length && plain[at + n] == plain[at]) n++;
  return n;
}

function encode(plain: Uint8Array): i32 {
  const stored = new Uint8Array(plain.length + plain.length / LITERALS_MAX + 2);
  let to = 0;
  for (let at = 0; at < plain.length;) {
    const length = run(plain, at);
    if (length >= RUN_MIN) {
      stored[to++] = <u8> (length + 125);
      stored[to++] = plain[at];
      at += length;
      continue;
    }
    const from = at;
    while (at < plain.length && at - from < LITERALS_MAX && run(plain, at) < RUN_MIN) at++;
    stored[to++] = <u8> (at - from - 1);
    memory.copy(stored.dataStart + to, plain.dataStart + from, at - from);
    to += at - from;
  }
  axiom.write(stored.subarray(0, to));
  return 0;
}

function decode(stored: Uint8Array, plainLength: i32): i32 {
  const plain = new Uint8Array(plainLength);
  let to = 0;
  for (let at = 0; at < stored.length;) {
    const n = <i32> stored[at++];
    const used = n < LITERALS_MAX ? n + 1 : 1;
    const made = n < LITERALS_MAX ? n + 1 : n - 125;
    if (used > stored.length - at) return axiom.fail(axiom.CORRUPT_DATA, "it ends too early");
    if (made > plainLength - to) return axiom.fail(axiom.CORRUPT_DATA, "it holds more than it should");
    if (n < LITERALS_MAX) memory.copy(plain.dataStart + to, stored.dataStart + at, made);
    else memory.fill(plain.dataStart + to, stored[at], made);
    at += used;
    to += made;
  }
  axiom.write(plain.subarray(0, to));
  return 0;
}
