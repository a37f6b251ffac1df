/**
 * A plugin of hand-made code that leaves all thinking to a server: it posts what it was called with, and gives back what it
 * gets.
 *
 * ```text
 * request    operation u32 | length of the header u32 | header | input
 * response   error class u32, or one of PostmanEnd | length of the result u32 | result | output
 * ```
 */
import { type Bytes, concat, fromUtf8, utf8, viewOf } from "../base/bytes.ts";
import { CALL_MODULE, ERROR_CLASSES, type Operation, OPERATIONS } from "./abi.ts";
import { moduleOfCapability } from "./capabilities.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { I32, OP, op, pluginModule, type PluginParts, READ, WRITE } from "./wasm_fixture.ts";

const AT = 1 << 20, ROOM = 96 << 20, HEADER_ROOM = 65536;
const HTTP = moduleOfCapability("net.http");
const SEND = op.call(4), NEXT = op.call(5), PARAMS = op.call(6), RESULT = op.call(7);
const TRANSIENT = ERROR_CLASSES.indexOf("transient");
const LOOPS = 98, TRAPS = 99;
const two = [I32, I32];

/** Locals: 0 length of the header, 1 end of what is there, 2 a length. */
function postman(port: number, path: string, offline: Code): PluginParts {
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
      ...[op.local_tee(2), op.if, ...offline, op.return, op.end, op.const(AT), op.local_set(1)],
      ...[op.block, op.loop, op.local_get(1), op.const(1 << 20), NEXT, op.local_tee(2), op.i32_eqz, op.br_if(1)],
      ...[op.local_get(1), op.local_get(2), op.i32_add, op.local_set(1), op.br(0), op.end, op.end],
      ...[op.local_get(1), op.const(AT), op.i32_eq, op.if, op.const(TRANSIENT), op.return, op.end],
      ...[op.const(AT), op.i32_load, op.const(TRAPS), op.i32_eq, op.if, op.unreachable, op.end],
      ...[op.const(AT), op.i32_load, op.const(LOOPS), op.i32_eq, op.if, op.loop, op.br(0), op.end, op.end],
      ...[op.const(AT), op.i32_load, op.local_tee(2), op.if, op.local_get(2), op.return, op.end],
      ...[op.const(AT + 4), op.i32_load, op.local_tee(0), op.if, op.const(AT + 8), op.local_get(0), RESULT, op.drop],
      ...[op.end, op.const(AT + 8), op.local_get(0), op.i32_add, op.local_tee(2)],
      ...[op.local_get(1), op.local_get(2), op.i32_sub, WRITE],
    ],
  };
}

type Code = NonNullable<PluginParts["execute"]>;

/**
 * @param manifest Other keys than those of a codec, such as `plugin_id` and `category`
 * @param offline What it answers where nobody answers it; what it was told by default
 */
export function postmanPlugin(
  port: number,
  path: string,
  manifest: Record<string, unknown>,
  offline: Code = [op.local_get(2)],
): Bytes {
  const about = {
    format_id: undefined,
    limits: { memory_pages: 1700, call_ms: 20_000 },
    config_schema: {
      type: "object",
      additionalProperties: false,
      properties: { url: { type: "string", default: "" } },
    },
    capabilities: [{ name: "net.http", methods: ["POST"], hosts: [`127.0.0.1:${port}`], reason: "it works there" }],
    ...manifest,
  };
  return pluginModule({ ...postman(port, path, offline), sections: [manifestSection(about)] });
}

export interface Posted {
  /** Path of the request, by which a server tells generations apart. */
  readonly path: string;
  readonly operation: Operation;
  // deno-lint-ignore no-explicit-any
  readonly header: Record<string, any>;
  readonly input: Bytes;
}

export interface PostmanAnswer {
  /** An error class, how the plugin ends, or a status of HTTP in place of everything. */
  readonly failure?: Exclude<typeof ERROR_CLASSES[number], "ok"> | "traps" | "loops" | number;
  /** JSON, or text that is none. */
  readonly result?: unknown;
  readonly output?: Bytes;
}

export interface PostmanServer extends AsyncDisposable {
  readonly port: number;
}

export function postmanServer(answerTo: (posted: Posted) => PostmanAnswer | Promise<PostmanAnswer>): PostmanServer {
  const names = new Map<number, Operation>(
    Object.entries(OPERATIONS).map(([name, number]) => [number, name as Operation]),
  );
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const body = await request.bytes(), view = viewOf(body), end = 8 + view.getUint32(4, true);
    const header = JSON.parse(fromUtf8(body.subarray(8, end)));
    const posted = { path: new URL(request.url).pathname, header, input: body.slice(end) };
    const answer = await answerTo({ ...posted, operation: names.get(view.getUint32(0, true))! });
    if (typeof answer.failure === "number") return new Response(null, { status: answer.failure });
    return new Response(bytesOf(answer));
  });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

function bytesOf({ failure, result, output = new Uint8Array(0) }: PostmanAnswer): Bytes {
  const text = result === undefined ? "" : typeof result === "string" ? result : JSON.stringify(result);
  const head = new Uint8Array(8), view = viewOf(head);
  const ends: Record<string, number> = { traps: TRAPS, loops: LOOPS };
  const number = ends[failure ?? ""] ?? ERROR_CLASSES.indexOf(failure as typeof ERROR_CLASSES[number] ?? "ok");
  view.setUint32(0, number, true);
  view.setUint32(4, utf8(text).length, true);
  return concat([head, utf8(text), output]);
}
