/** What plugins cost: rows of `deno task bench --only plugins`, each beside its target. */
import { V8_FLAGS } from "../../.ci/compile.ts";
import { type Bytes, concat, KIB, MIB } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { admit, type AdmittedPlugin } from "../../src/plugins/admission.ts";
import { CallState } from "../../src/plugins/call_state.ts";
import { hostImports } from "../../src/plugins/host_imports.ts";
import type { InstancePool } from "../../src/plugins/instance_pool.ts";
import { openPlugin } from "../../src/plugins/open_plugin.ts";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { PluginRegistry } from "../../src/plugins/plugin_registry.ts";
import { copyBy, op, pluginModule, type WasmFunction } from "../../src/plugins/wasm_fixture.ts";
import { NodeZstd } from "../../src/stages/zstd.ts";
import { residentBytes, type SwappedMemory, taggedSource } from "./many_swaps.ts";
import { median } from "./measure.ts";

const FRAME_BYTES = 2.5 * MIB;
const IN_FLIGHT = 2;
const root = new URL("../../", import.meta.url);

export interface PluginRow {
  what: string;
  here: string;
  target: string;
}

export async function pluginRows(): Promise<PluginRow[]> {
  const lz4 = admit(await Deno.readFile(new URL("plugins/compression_lz4/compression_lz4.wasm", root)));
  return [
    ...await codecRows(lz4),
    await identityRow(),
    await swapRow(),
    await loadRow(),
    await idleRow(),
    await manySwapsRow(),
  ];
}

/** Frames of source code: what compresses well, no two alike. */
async function sampleFrames(count: number): Promise<Bytes[]> {
  const files: Bytes[] = [];
  for (const folder of ["src/plugins", "src/operations", "src/repository"]) {
    for await (const { name } of Deno.readDir(new URL(folder, root))) {
      if (name.endsWith(".ts")) files.push(await Deno.readFile(new URL(`${folder}/${name}`, root)));
    }
  }
  return Array.from({ length: count }, (_, i) => {
    const turned = [...files.slice(i % files.length), ...files.slice(0, i % files.length)];
    const all = concat(turned);
    return concat(Array.from({ length: Math.ceil(FRAME_BYTES / all.length) }, () => all)).slice(0, FRAME_BYTES);
  });
}

/** Bytes per second of `work` over all frames, the best of three rounds; each frame is a copy that may be taken away. */
async function throughput(frames: readonly Bytes[], inFlight: number, work: (frame: Bytes) => unknown) {
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const copies = frames.map((frame) => frame.slice());
    const started = performance.now();
    const lane = async () => {
      for (let frame = copies.pop(); frame !== undefined; frame = copies.pop()) await work(frame);
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    best = Math.max(best, bytes / (performance.now() - started) * 1000);
  }
  return best;
}

function perSecond(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB/s`;
}

function encodeCall(frame: Bytes) {
  const outputBytesMax = frame.length + frame.length / 8 + 64 * KIB;
  const parameters = { level: 0, plain_length: frame.length };
  return {
    verb: "execute",
    operation: "encode",
    parameters,
    input: frame,
    isInputGiven: true,
    outputBytesMax,
  } as const;
}

async function using<T>(plugin: AdmittedPlugin, use: (pool: InstancePool) => Promise<T>, instancesMax = 1): Promise<T> {
  const pool = openPlugin(plugin, { granted: [], configuration: {}, instancesMax, clock: systemClock });
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

/** The same module in this thread, without worker, broker and SDK. */
async function direct({ code }: AdmittedPlugin): Promise<(frame: Bytes) => Bytes> {
  const call = (frame: Bytes, operation?: "encode") => {
    const { parameters, outputBytesMax } = encodeCall(frame);
    return new CallState({ operation, header: JSON.stringify(parameters), input: frame, outputBytesMax });
  };
  const guest = { call: call(new Uint8Array(0)), line: undefined, memory: memoryOfNothing, isCancelled: () => false };
  const module = await WebAssembly.compile(code);
  const { exports } = await WebAssembly.instantiate(module, hostImports(module, [], guest));
  guest.memory = () => new Uint8Array((exports.memory as WebAssembly.Memory).buffer as ArrayBuffer);
  (exports.initialize as () => number)();
  return (frame) => {
    guest.call = call(frame, "encode");
    if ((exports.execute as () => number)() !== 0) throw new Error("The codec failed when called directly");
    return guest.call.output;
  };
}

function memoryOfNothing(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(0);
}

async function codecRows(plugin: AdmittedPlugin): Promise<PluginRow[]> {
  const frames = await sampleFrames(48);
  const alone = await throughput(frames, 1, await direct(plugin));
  const piped = await using(plugin, (pool) => throughput(frames, IN_FLIGHT, (frame) => pool.call(encodeCall(frame))));
  const zstd = new NodeZstd(await import("node:zlib") as unknown as NodeZstd["zlib"]);
  const native = await throughput(frames, 1, (frame) => zstd.compress(frame, 1));
  const { pluginId } = plugin.manifest;
  return [{
    what: `${pluginId} as a plugin, one instance, beside the same WASM called directly`,
    here: `${perSecond(piped)}, directly ${perSecond(alone)}: ${(piped / alone).toFixed(2)} (zstd 1, native: ${
      perSecond(native)
    })`,
    target: "≥ 0.7",
  }];
}

/** A codec that does nothing. */
const IDENTITY = [...copyBy(4 * MIB), op.const(0)];

async function identityRow(): Promise<PluginRow> {
  const plugin = admit(pluginModule({
    execute: IDENTITY,
    memory: { minimum: 66 },
    sections: [manifestSection({ limits: { memory_pages: 80, call_ms: 5000 } })],
  }));
  const frames = await sampleFrames(64);
  const speed = await using(plugin, (pool) => throughput(frames, IN_FLIGHT, (frame) => pool.call(encodeCall(frame))));
  return {
    what: "bytes through a plugin that copies, one instance, frames of 2.5 MiB",
    here: perSecond(speed),
    target: "≥ 1024 MiB/s",
  };
}

const FRAME_OF_SWAPS = 256 * KIB;

/** Calls one after another until told to stop; each is milliseconds and when it ended. */
async function callOn(registry: PluginRegistry, isOver: () => boolean, calls: { ms: number; at: number }[]) {
  const frame = new Uint8Array(FRAME_OF_SWAPS);
  while (!isOver()) {
    const started = performance.now();
    const lease = registry.lease("compression_test");
    try {
      await lease.call({ ...encodeCall(frame), isInputGiven: false });
    } finally {
      lease.release();
    }
    calls.push({ ms: performance.now() - started, at: performance.now() });
  }
}

async function swapRow(): Promise<PluginRow> {
  const registry = new PluginRegistry({ clock: systemClock });
  registry.introduce(taggedSource(0));
  const calls: { ms: number; at: number }[] = [], swaps: number[] = [];
  let isOver = false;
  const callers = Promise.all(Array.from({ length: 4 }, () => callOn(registry, () => isOver, calls)));
  await delay(1000);
  const quietEnd = performance.now();
  for (let swap = 1; swap <= 20; swap++) {
    const started = performance.now();
    await registry.replace(taggedSource(swap));
    swaps.push(performance.now() - started);
    await delay(50);
  }
  isOver = true;
  await callers;
  await registry.close();
  const slowest = (these: typeof calls) => Math.max(...these.map(({ ms }) => ms));
  const before = slowest(calls.filter(({ at }) => at < quietEnd)),
    during = slowest(calls.filter(({ at }) => at >= quietEnd));
  return {
    what: `20 swaps under ${calls.length} calls of 4 callers, none failed`,
    here: `median ${median(swaps).toFixed(0)} ms, longest ${Math.max(...swaps).toFixed(0)} ms; slowest call ${
      during.toFixed(0)
    } ms, ${before.toFixed(0)} ms without swaps`,
    target: "≤ 100 ms; ≤ 100 ms more",
  };
}

/** 1 MB of code. */
async function loadRow(): Promise<PluginRow> {
  const filler: WasmFunction["code"] = Array.from({ length: 2000 }, (_, i) => [...op.const(i), ...op.drop]);
  const more = Object.fromEntries(Array.from({ length: 190 }, (_, i) => [`filler_${i}`, [...filler, op.const(0)]]));
  const bytes = pluginModule({ more, sections: [manifestSection()] });
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    await using(admit(bytes), (pool) => pool.call({ verb: "validate" }));
    times.push(performance.now() - started);
  }
  return {
    what: `a module of ${(bytes.length / 1e6).toFixed(2)} MB from its bytes to its first answer`,
    here: `${median(times).toFixed(0)} ms`,
    target: "≤ 150 ms",
  };
}

const INSTANCES = 4;

/** Instances that have answered `validate` and then wait. */
async function idleRow(): Promise<PluginRow> {
  const plugin = admit(pluginModule({ sections: [manifestSection()] }));
  const before = residentBytes();
  const each = await using(plugin, async (pool) => {
    await Promise.all(Array.from({ length: INSTANCES }, () => pool.call({ verb: "validate" })));
    await delay(200);
    return (residentBytes() - before) / pool.counts.idle;
  }, INSTANCES);
  return { what: "memory of an idle instance", here: `${(each / 1e6).toFixed(1)} MB`, target: "≤ 25 MB" };
}

/** In a process of its own, in which nothing else leaves memory behind. */
async function manySwapsRow(): Promise<PluginRow> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", V8_FLAGS, new URL("many_swaps.ts", import.meta.url).pathname],
    stderr: "inherit",
  }).output();
  const { after200, after1000 } = JSON.parse(new TextDecoder().decode(stdout)) as SwappedMemory;
  return {
    what: "memory after 1,000 swaps, beside that after 200",
    here: `${(after1000 / 1e6).toFixed(0)} MB, ${(after200 / 1e6).toFixed(0)} MB: ${
      (after1000 / after200).toFixed(2)
    } ×`,
    target: "≤ 1.2 ×",
  };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function pluginTable(rows: readonly PluginRow[]): string {
  return [
    "| plugins | here | at least |",
    "| --- | --- | --- |",
    ...rows.map(({ what, here, target }) => `| ${what} | ${here} | ${target} |`),
  ].join("\n");
}
