import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

// Snapshots from one full one to the next.
const EACH: i64 = 7;

export function initialize(): i32 {
  return 0;
}

export function execute(): i32 {
  if (axiom.operation() != axiom.PLAN) return axiom.UNSUPPORTED;
  const header = axiom.header();
  const sinceFull = header.has("since_full") ? header.integer("since_full") : -1;
  const mode = sinceFull < 0 || sinceFull + 1 >= EACH ? "full" : "incremental";
  axiom.setResult('{"mode":"' + mode + '","parent":null}');
  return 0;
}
