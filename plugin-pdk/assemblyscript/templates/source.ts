import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

const NAME = "hello.txt";
const CONTENT = "Hello from a plugin\n";

export function initialize(): i32 {
  return 0;
}

export function execute(): i32 {
  const operation = axiom.operation();
  if (operation == axiom.LIST) {
    axiom.setResult('{"entries":[{"name":"' + NAME + '","length":' + CONTENT.length.toString() + "}]}");
    return 0;
  }
  if (operation == axiom.READ) return readPart(axiom.header());
  return axiom.UNSUPPORTED;
}

function readPart(header: axiom.Header): i32 {
  if (header.string("name") != NAME) return axiom.fail(axiom.NOT_FOUND, "there is no such stream");
  const content = Uint8Array.wrap(String.UTF8.encode(CONTENT));
  const from = min<i64>(header.integer("offset"), content.length);
  const to = min<i64>(from + header.integer("length"), content.length);
  axiom.write(content.subarray(<i32> from, <i32> to));
  return 0;
}
