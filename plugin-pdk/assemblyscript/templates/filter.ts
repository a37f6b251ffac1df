import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

const FILE: u8 = 1; // 2 folder, 3 symbolic link, 4 other
const PATH_AT = 28; // kind, 3 bytes that are 0, mode, size, time, length of the path

class Entry {
  // The path is in the bytes of the file system; those that are not UTF-8 became replacement characters.
  // `first` are the first bytes of a file, where they were read.
  constructor(readonly kind: u8, readonly size: u64, readonly path: string, readonly first: Uint8Array) {}
}

// Leaves out empty files whose names end in .tmp: here is what you decide by.
function isKept(entry: Entry): bool {
  return !(entry.kind == FILE && entry.size == 0 && entry.path.endsWith(".tmp"));
}

export function initialize(): i32 {
  return 0;
}

export function execute(): i32 {
  if (axiom.operation() != axiom.SELECT) return axiom.UNSUPPORTED;
  const input = axiom.readAll();
  const verdicts = new Uint8Array(input.length / 4 + 1);
  let count = 0;
  for (let at = 0; at < input.length;) {
    const length = input.length - at < 4 ? -1 : load<i32>(input.dataStart + at);
    at += 4;
    if (length < PATH_AT || length > input.length - at) return axiom.fail(axiom.INVALID_INPUT, "an entry is cut off");
    const own = input.dataStart + at;
    const pathLength = load<i32>(own + 24);
    if (pathLength < 0 || pathLength > length - PATH_AT) return axiom.fail(axiom.INVALID_INPUT, "a path is cut off");
    const path = String.UTF8.decodeUnsafe(own + PATH_AT, pathLength);
    const first = input.subarray(at + PATH_AT + pathLength, at + length);
    verdicts[count++] = isKept(new Entry(load<u8>(own), load<u64>(own + 8), path, first)) ? 1 : 0;
    at += length;
  }
  axiom.write(verdicts.subarray(0, count));
  return 0;
}
