/** Plugins for processing and notification of hand-made code. */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { CALL_MODULE, ERROR_CLASSES, EXTISM_MODULE, OPERATIONS } from "./abi.ts";
import { moduleOfCapability } from "./capabilities.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { assemble, I32, I64, leb, OP, op, pluginModule, type PluginParts } from "./wasm_fixture.ts";

export const PROCESSING_ID = "processing_toy";

const RESULT = op.call(4), PARAMS = op.call(5), SEND = op.call(6), RESPONSE = op.call(7);
const AT = 65536, ROOM = 2 * 65536;
const two = [I32, I32];

const IMPORTS = [
  { module: CALL_MODULE, name: "result", parameters: two, results: [I32] },
  { module: CALL_MODULE, name: "params", parameters: two, results: [I32] },
];
const runAlone = [
  ...[OP, op.const(OPERATIONS.run), op.i32_ne, op.if],
  ...[op.const(ERROR_CLASSES.indexOf("unsupported")), op.return, op.end],
];

/** Always gives this result, after what `before` does. */
export function answering(result: string, before: PluginParts["execute"] = []): PluginParts {
  const text = utf8(result);
  const execute = [...runAlone, ...before, op.const(0), op.const(text.length), RESULT];
  return { data: text, imports: IMPORTS, memory: { minimum: 4 }, execute };
}

/**
 * Posts the header that it got, then gives this result.
 *
 * @param heeds Whether it fails where the request did, or the answer is no 200
 */
export function posting(url: string, result = '{"status":"SUCCESS"}', heeds = true): PluginParts {
  const http = moduleOfCapability("net.http");
  const request = utf8(JSON.stringify({ method: "POST", url })), text = utf8(result);
  const data = new Uint8Array([...request, ...text]);
  const failed = op.const(ERROR_CLASSES.indexOf("transient"));
  return {
    data,
    memory: { minimum: 6 },
    imports: [
      ...IMPORTS,
      { module: http, name: "send", parameters: [...two, ...two], results: [I32] },
      { module: http, name: "response", parameters: two, results: [I32] },
    ],
    execute: [
      ...runAlone,
      ...[op.const(AT), op.const(ROOM), PARAMS, op.local_set(0)],
      ...[op.const(0), op.const(request.length), op.const(AT), op.local_get(0), SEND, op.local_set(1)],
      ...(heeds ? [op.local_get(1), op.if, op.local_get(1), op.return, op.end] : []),
      // `{"status":2…`: the first digit of the status.
      ...[op.const(AT), op.const(ROOM), RESPONSE, op.drop],
      ...(heeds
        ? [op.const(AT + 10), op.i32_load8_u, op.const(0x32), op.i32_ne, op.if, failed, op.return, op.end]
        : []),
      ...[op.const(request.length), op.const(text.length), RESULT],
    ],
  };
}

function toySection(more: Record<string, unknown>) {
  const own = { plugin_id: PROCESSING_ID, category: "processing", format_id: undefined, config_schema: undefined };
  return manifestSection({ ...own, ...more });
}

/** @param more Other keys of the manifest */
export function toyProcessing(parts: PluginParts, more: Record<string, unknown> = {}): Bytes {
  return pluginModule({ ...parts, sections: [toySection(more)] });
}

/** A module of the stock Extism kit that puts this text out wherever it is called. */
export function stockProcessing(text: string, exported = "execute"): Bytes {
  const kit = (name: string, parameters: number[], results: number[]) => {
    return { module: EXTISM_MODULE, name, parameters, results };
  };
  const load = [op.const(0), [0x29, 3, 0]];
  const at = (offset: number) => [...load, i64(offset), [0x7c]];
  const code = [
    ...[op.const(0), i64(text.length), op.call(0), op.i64_store],
    ...[...utf8(text)].flatMap((byte, i) => [...at(i), op.const(byte), op.call(1)]),
    ...[...load, i64(text.length), op.call(2), op.const(0)],
  ];
  return assemble({
    imports: [kit("alloc", [I64], [I64]), kit("store_u8", [I64, I32], []), kit("output_set", [I64, I64], [])],
    functions: [{ exported, code }],
    sections: [toySection({ engines: { axiom: "*", abi: "extism" } })],
  });
}

/** `i64.const`; the last byte of the number says by its second bit that it is not negative. */
function i64(value: number): number[] {
  const bytes = leb(value);
  return [0x42, ...(bytes.at(-1)! < 0x40 ? bytes : [...bytes.slice(0, -1), bytes.at(-1)! | 0x80, 0])];
}
