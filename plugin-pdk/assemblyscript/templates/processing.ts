import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

export function initialize(): i32 {
  return 0;
}

export function execute(): i32 {
  if (axiom.operation() != axiom.RUN) return axiom.UNSUPPORTED;
  // `event`, `status` and `message` say what happened: here is what you make of it.
  const length = String.UTF8.byteLength(axiom.header().string("message"));
  axiom.setResult('{"status":"SUCCESS","metrics":{"message_bytes":' + length.toString() + "}}");
  return 0;
}
