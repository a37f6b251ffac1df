/** Plugins for processing and notification of hand-made code. */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { CALL_MODULE, ERROR_CLASSES, OPERATIONS } from "./abi.ts";
import { moduleOfCapability } from "./capabilities.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { I32, OP, op, pluginModule, type PluginParts } from "./wasm_fixture.ts";

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

/** @param more Other keys of the manifest */
export function toyProcessing(parts: PluginParts, more: Record<string, unknown> = {}): Bytes {
  const about = {
    plugin_id: PROCESSING_ID,
    category: "processing",
    format_id: undefined,
    config_schema: undefined,
    ...more,
  };
  return pluginModule({ ...parts, sections: [manifestSection(about)] });
}
