/**
 * A storage plugin of hand-made code that leaves all thinking to a server: it posts what it was called with, and gives back
 * what it gets. Real ones speak the protocol of their server.
 *
 * ```text
 * request    operation u32 | length of the header u32 | header | input
 * response   error class u32 | length of the result u32 | result | output
 * ```
 */
import { type Bytes, concat, equalBytes, fromUtf8, utf8, viewOf } from "../base/bytes.ts";
import { CALL_MODULE, ERROR_CLASSES, OPERATIONS } from "./abi.ts";
import { moduleOfCapability } from "./capabilities.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { I32, OP, op, pluginModule, type PluginParts, READ, WRITE } from "./wasm_fixture.ts";

const AT = 1 << 20, ROOM = 96 << 20, HEADER_ROOM = 65536;
const HTTP = moduleOfCapability("net.http");
const SEND = op.call(4), NEXT = op.call(5), PARAMS = op.call(6), RESULT = op.call(7);
const TRANSIENT = ERROR_CLASSES.indexOf("transient");
const two = [I32, I32];

/** Locals: 0 length of the header, 1 end of what is there, 2 a length. */
function postman(port: number, path: string): PluginParts {
  const request = utf8(JSON.stringify({ method: "POST", url: `http://127.0.0.1:${port}${path}` }));
  return {
    data: request,
    memory: { minimum: 1600 },
    imports: [
      { module: HTTP, name: "send", parameters: [...two, ...two], results: [I32] },
      { module: HTTP, name: "read", parameters: two, results: [I32] },
      { module: CALL_MODULE, name: "params", parameters: two, results: [I32] },
      { module: CALL_MODULE, name: "result", parameters: two, results: [I32] },
    ],
    execute: [
      ...[op.const(AT), OP, op.i32_store, op.const(AT + 4), op.const(AT + 8), op.const(HEADER_ROOM), PARAMS],
      ...[op.local_tee(0), op.i32_store, op.const(AT + 8), op.local_get(0), op.i32_add, op.local_tee(1)],
      ...[op.local_get(1), op.const(ROOM), READ, op.i32_add, op.local_set(1)],
      ...[op.const(0), op.const(request.length), op.const(AT), op.local_get(1), op.const(AT), op.i32_sub, SEND],
      ...[op.local_tee(2), op.if, op.local_get(2), op.return, op.end, op.const(AT), op.local_set(1)],
      ...[op.block, op.loop, op.local_get(1), op.const(1 << 20), NEXT, op.local_tee(2), op.i32_eqz, op.br_if(1)],
      ...[op.local_get(1), op.local_get(2), op.i32_add, op.local_set(1), op.br(0), op.end, op.end],
      ...[op.local_get(1), op.const(AT), op.i32_eq, op.if, op.const(TRANSIENT), op.return, op.end],
      ...[op.const(AT), op.i32_load, op.local_tee(2), op.if, op.local_get(2), op.return, op.end],
      ...[op.const(AT + 4), op.i32_load, op.local_tee(0), op.if, op.const(AT + 8), op.local_get(0), RESULT, op.drop],
      ...[op.end, op.const(AT + 8), op.local_get(0), op.i32_add, op.local_tee(2)],
      ...[op.local_get(1), op.local_get(2), op.i32_sub, WRITE],
    ],
  };
}

export const STORAGE_ID = "storage_toy";

/** @param more Other keys of the manifest */
export function toyStorage(port: number, path = "/", more: Record<string, unknown> = {}): Bytes {
  const about = {
    plugin_id: STORAGE_ID,
    category: "storage",
    format_id: undefined,
    limits: { memory_pages: 1700, call_ms: 20_000 },
    config_schema: {
      type: "object",
      additionalProperties: false,
      properties: { url: { type: "string", default: "" } },
    },
    capabilities: [{ name: "net.http", methods: ["POST"], hosts: [`127.0.0.1:${port}`], reason: "it stores there" }],
    ...more,
  };
  return pluginModule({ ...postman(port, path), sections: [manifestSection(about)] });
}

export interface ToyStorageServer extends AsyncDisposable {
  readonly port: number;
  readonly objects: Map<string, Bytes>;
  /** Answers that the next requests get instead: an error class, or a status of HTTP. */
  readonly failures: (typeof ERROR_CLASSES[number] | number)[];
}

export function toyStorageServer(): ToyStorageServer {
  const objects = new Map<string, Bytes>(), failures: ToyStorageServer["failures"] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const body = await request.bytes(), failure = failures.shift();
    if (typeof failure === "number") return new Response(null, { status: failure });
    return new Response(failure === undefined ? answerOf(objects, body) : answer(failure));
  });
  return { port: server.addr.port, objects, failures, [Symbol.asyncDispose]: () => server.shutdown() };
}

function answer(name: typeof ERROR_CLASSES[number], result?: unknown, output = new Uint8Array(0)): Bytes {
  const text = result === undefined ? new Uint8Array(0) : utf8(JSON.stringify(result)), head = new Uint8Array(8);
  viewOf(head).setUint32(0, ERROR_CLASSES.indexOf(name), true);
  viewOf(head).setUint32(4, text.length, true);
  return concat([head, text, output]);
}

function answerOf(objects: Map<string, Bytes>, body: Bytes): Bytes {
  const view = viewOf(body), end = 8 + view.getUint32(4, true);
  const { key, offset, length, prefix, cursor = "", limit } = JSON.parse(fromUtf8(body.subarray(8, end)));
  const input = body.slice(end), object = objects.get(key);
  switch (view.getUint32(0, true)) {
    case OPERATIONS.put:
      if (object !== undefined) return answer(equalBytes(object, input) ? "ok" : "conflict");
      objects.set(key, input);
      return answer("ok");
    case OPERATIONS.get:
      if (object === undefined) return answer("not_found");
      return answer("ok", undefined, offset === undefined ? object : object.slice(offset, offset + length));
    case OPERATIONS.stat:
      return object === undefined ? answer("not_found") : answer("ok", { length: object.length });
    case OPERATIONS.delete:
      objects.delete(key);
      return answer("ok");
    case OPERATIONS.list: {
      const keys = [...objects.keys()].filter((each) => each.startsWith(prefix) && each > cursor).sort();
      const entries = keys.slice(0, limit).map((each) => ({ key: each, length: objects.get(each)!.length }));
      return answer("ok", { entries, ...(keys.length > limit ? { cursor: entries.at(-1)!.key } : {}) });
    }
    default:
      return answer("unsupported");
  }
}
