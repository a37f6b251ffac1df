/** Plugins that do with a capability what their input says, and show what came of it. */
import { type Bytes, concat, fromUtf8, utf8, viewOf } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { admit } from "../admission.ts";
import type { Capability, CapabilityName } from "../capabilities.ts";
import { moduleOfCapability } from "../capabilities.ts";
import type { HostServices } from "../capability_service.ts";
import type { InstancePool } from "../instance_pool.ts";
import { openPlugin, type OpenSettings } from "../open_plugin.ts";
import { manifestSection } from "../plugin_fixture.ts";
import { I32, op, pluginModule, type PluginParts, READ, type WasmFunction, WRITE } from "../wasm_fixture.ts";

const IN = 0x10000, ROOM = 4 << 20, OUT = IN + ROOM;
const SEND = op.call(4), RESPONSE = op.call(5), NEXT = op.call(6);

const parameters = (count: number) => Array(count).fill(I32);
const write = (from: number, length: WasmFunction["code"]) => [op.const(from), ...length, WRITE, op.drop];
const takeInput = [op.const(IN), op.const(ROOM), READ, op.local_set(0)];

/** input: length of the request u32 | request | body → output: class i32 | length u32 | response | what follows */
function courier(name: CapabilityName): PluginParts {
  const module = moduleOfCapability(name), hasBody = name === "net.http";
  const body = [op.const(IN + 4), op.local_get(1), op.i32_add].concat([op.local_get(0), op.const(4), op.i32_sub]);
  return {
    imports: [
      { module, name: "send", parameters: parameters(hasBody ? 4 : 2), results: [I32] },
      { module, name: "response", parameters: parameters(2), results: [I32] },
      { module, name: "read", parameters: parameters(2), results: [I32] },
    ],
    execute: [
      ...takeInput,
      ...[op.const(IN), op.i32_load, op.local_set(1)],
      ...[op.const(0), op.const(IN + 4), op.local_get(1)],
      ...(hasBody ? [...body, op.local_get(1), op.i32_sub] : []),
      ...[SEND, op.i32_store, ...write(0, [op.const(4)])],
      ...[op.const(0), op.const(OUT), op.const(ROOM), RESPONSE, op.local_tee(2), op.i32_store],
      ...[...write(0, [op.const(4)]), ...write(OUT, [op.local_get(2)])],
      ...[op.block, op.loop, op.const(OUT), op.const(ROOM), NEXT, op.local_tee(2), op.i32_eqz, op.br_if(1)],
      ...[...write(OUT, [op.local_get(2)]), op.br(0), op.end, op.end, op.const(0)],
    ],
  };
}

const KV = moduleOfCapability("kv");
const KEY = [op.const(IN + 2), op.const(IN + 1), op.i32_load8_u];
const VALUE = [op.const(IN + 2), ...KEY.slice(1), op.i32_add];
const isOp = (number: number) => [op.const(IN), op.i32_load8_u, op.const(number), op.i32_eq, op.if];
const restLength = [op.local_get(0), op.const(2), op.i32_sub, ...KEY.slice(1), op.i32_sub];

/** input: 1 get, 2 set, 3 delete, 4 keys u8 | length of the key u8 | key | value → output: answer i32 | value */
const NOTES: PluginParts = {
  imports: [
    { module: KV, name: "get", parameters: parameters(4), results: [I32] },
    { module: KV, name: "set", parameters: parameters(4), results: [I32] },
    { module: KV, name: "delete", parameters: parameters(2), results: [I32] },
    { module: KV, name: "keys", parameters: parameters(2), results: [I32] },
  ],
  execute: [
    ...takeInput,
    ...[...isOp(1), op.const(0), ...KEY, op.const(OUT), op.const(ROOM), op.call(4), op.i32_store, op.end],
    ...[...isOp(2), op.const(0), ...KEY, ...VALUE, ...restLength, op.call(5), op.i32_store, op.end],
    ...[...isOp(3), op.const(0), ...KEY, op.call(6), op.i32_store, op.end],
    ...[...isOp(4), op.const(0), op.const(OUT), op.const(ROOM), op.call(7), op.i32_store, op.end],
    ...write(0, [op.const(4)]),
    ...[op.const(IN), op.i32_load8_u, op.const(1), op.i32_eq, op.const(IN), op.i32_load8_u, op.const(4), op.i32_eq],
    ...[op.i32_add, op.const(0), op.i32_load, op.const(-1), op.i32_ne, op.i32_and, op.if],
    ...[...write(OUT, [op.const(0), op.i32_load]), op.end],
    op.const(0),
  ],
};

/** A processing plugin with one capability, in a pool of its own. */
export async function withCourier<T>(
  capability: Capability,
  services: HostServices | undefined,
  use: (pool: InstancePool) => Promise<T>,
  more: { grants?: readonly Capability[]; instancesMax?: number; callMs?: number; parts?: PluginParts } = {},
): Promise<T> {
  const parts = more.parts ?? (capability.name === "kv" ? NOTES : courier(capability.name));
  const about = {
    plugin_id: "processing_courier",
    category: "processing",
    format_id: undefined,
    config_schema: undefined,
    limits: { memory_pages: 300 },
    capabilities: [capability],
  };
  const admitted = admit(pluginModule({ ...parts, memory: { minimum: 200 }, sections: [manifestSection(about)] }));
  const settings: OpenSettings = {
    granted: more.grants ?? [capability],
    configuration: {},
    instancesMax: more.instancesMax ?? 1,
    clock: systemClock,
    services,
    callMs: more.callMs ?? 60_000,
  };
  const pool = openPlugin(admitted, settings);
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

const call = (input: Bytes) => ({ verb: "execute", operation: "run", input, outputBytesMax: 100 << 20 }) as const;

export interface Delivery {
  /** 0, or an error class. */
  readonly class: number;
  // deno-lint-ignore no-explicit-any
  readonly response: any;
  readonly body: Bytes;
}

export async function deliver(
  pool: InstancePool,
  request: unknown,
  body: Bytes = new Uint8Array(0),
  signal?: AbortSignal,
): Promise<Delivery> {
  const text = utf8(JSON.stringify(request)), length = new Uint8Array(4);
  viewOf(length).setUint32(0, text.length, true);
  const { output } = await pool.call(call(concat([length, text, body])), { signal });
  const view = viewOf(output), end = 8 + view.getUint32(4, true);
  const response = JSON.parse(fromUtf8(output.subarray(8, end)));
  return { class: view.getInt32(0, true), response, body: output.slice(end) };
}

const KV_OPS = { get: 1, set: 2, delete: 3, keys: 4 };

export async function note(
  pool: InstancePool,
  operation: keyof typeof KV_OPS,
  key = "",
  value: Bytes = new Uint8Array(0),
): Promise<{ answer: number; value: Bytes }> {
  const name = utf8(key), input = concat([new Uint8Array([KV_OPS[operation], name.length]), name, value]);
  const { output } = await pool.call(call(input));
  return { answer: viewOf(output).getInt32(0, true), value: output.slice(4) };
}
