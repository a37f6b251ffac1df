/** A filter of hand-made code: it leaves out what has a name that ends in `~`, and files that begin with `~`. */
import type { Bytes } from "../base/bytes.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { op, pluginModule, type PluginParts, READ, WRITE } from "./wasm_fixture.ts";

export const FILTER_ID = "filter_toy";

const AT = 65536, ROOM = 16 << 20, TILDE = 0x7e;
const pathLength = [op.local_get(0), op.const(28), op.i32_add, op.i32_load];

/** Locals: 0 an entry, 1 the end of the input, 2 the end of the entry's path. */
const EXECUTE: PluginParts["execute"] = [
  ...[op.const(AT), op.local_tee(0), op.const(ROOM), READ, op.local_get(0), op.i32_add, op.local_set(1)],
  ...[op.block, op.loop, op.local_get(0), op.local_get(1), op.i32_lt_u, op.i32_eqz, op.br_if(1)],
  ...[op.local_get(0), op.const(32), op.i32_add, ...pathLength, op.i32_add, op.local_set(2)],
  ...[op.const(0), op.local_get(2), op.const(1), op.i32_sub, op.i32_load8_u, op.const(TILDE), op.i32_ne],
  // Behind the path is the file's first byte, or the length of the next entry, whose first byte is another one in the tests.
  ...[op.local_get(2), op.i32_load8_u, op.const(TILDE), op.i32_ne, op.i32_and, op.i32_store8],
  ...[op.const(0), op.const(1), WRITE, op.drop],
  ...[op.local_get(0), op.local_get(0), op.i32_load, op.i32_add, op.const(4), op.i32_add, op.local_set(0)],
  ...[op.br(0), op.end, op.end, op.const(0)],
];

export function toyFilter(version = "1.0.0", execute = EXECUTE): Bytes {
  const about = {
    plugin_id: FILTER_ID,
    version,
    category: "filter",
    format_id: undefined,
    config_schema: undefined,
    limits: { memory_pages: 300, call_ms: 500 },
  };
  return pluginModule({ execute, memory: { minimum: 280 }, sections: [manifestSection(about)] });
}
