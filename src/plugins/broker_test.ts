import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { type Bytes, fromUtf8, MIB, utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { EXTISM_MODULE, IO_MODULE, RENAMED } from "./abi.ts";
import { type InstanceSettings, type PluginCall, PluginInstance } from "./broker.ts";
import { moduleOfCapability } from "./capabilities.ts";
import { PluginFailure } from "./plugin_failure.ts";
import {
  ADDED,
  assemble,
  COPY,
  EAT_MEMORY,
  FAIL,
  I32,
  I64,
  LOOP_FOR_EVER,
  op,
  pluginModule,
  type PluginParts,
  READ,
  TAGGED,
  WRITE,
  WRITE_FOR_EVER,
  WRITE_OUTSIDE,
} from "./wasm_fixture.ts";

const plugin = { pluginId: "compression_test", version: "1.2.3", sha256: "ab".repeat(32) };
const IDENTITY: PluginParts = { execute: [...COPY, op.const(0)] };

async function settingsOf(code: Bytes, more: Partial<InstanceSettings> = {}): Promise<InstanceSettings> {
  return {
    plugin,
    module: await WebAssembly.compile(code),
    granted: [],
    memoryPages: 16,
    loadMs: 60_000,
    callMs: 60_000,
    cancelMs: 0,
    clock: systemClock,
    ...more,
  };
}

async function withInstance(
  parts: PluginParts,
  use: (instance: PluginInstance) => Promise<void>,
  more: Partial<InstanceSettings> = {},
): Promise<void> {
  const instance = await PluginInstance.start(await settingsOf(pluginModule(parts), more));
  try {
    await use(instance);
  } finally {
    instance.end();
  }
}

const LEFT = { module: IO_MODULE, name: "left", parameters: [], results: [I32] };

const encode = (input: Bytes, outputBytesMax = 64 * MIB): PluginCall => ({
  verb: "execute",
  operation: "encode",
  input,
  outputBytesMax,
});

function failing(failure: string, text: RegExp) {
  return (error: unknown) => {
    equal(error instanceof PluginFailure, true, String(error));
    equal((error as PluginFailure).failure, failure, String(error));
    equal((error as PluginFailure).exitCode, 14);
    equal(text.test((error as PluginFailure).message), true, (error as PluginFailure).message);
    equal((error as PluginFailure).message.includes("compression_test 1.2.3 (sha256 abababababab)"), true);
    return true;
  };
}

Deno.test("a plugin knows how much of its input is left", async () => {
  const tell = [op.const(0), ADDED, op.i32_store, op.const(0), op.const(4), WRITE, op.drop];
  const take = [op.const(16), op.const(3), READ, op.drop];
  const execute = [...tell, ...take, ...tell, ...take, ...tell, op.const(0)];
  await withInstance({ execute, imports: [LEFT] }, async (instance) => {
    const { output } = await instance.call(encode(new Uint8Array(5)));
    deepEqual([...output].filter((_, i) => i % 4 === 0), [5, 2, 0]);
  });
});

Deno.test("a plugin answers calls of any size, one after the other", async () => {
  await withInstance(IDENTITY, async (instance) => {
    for (const length of [0, 1, 65536, 65537, 3 * MIB + 7, 5]) {
      const input = new Uint8Array(length).map((_, i) => (i * 31) & 0xff);
      const { output } = await instance.call(encode(input));
      equal(output.length, length);
      equal(output.every((byte, i) => byte === input[i]), true);
      equal(input.length, length, "the caller keeps its input");
    }
    equal(instance.isUsable, true);
  });
});

const oneImport = (module: string, name: string, parameters = 3): PluginParts["imports"] => [
  { module, name, parameters: Array(parameters).fill(I32), results: [I32] },
];
const three = [op.const(1), op.const(0), op.const(5)];

const FAULTS: { name: string; parts: PluginParts; failure: string; text: RegExp; isSpent: boolean; outMax?: number }[] =
  [
    { name: "traps", parts: { execute: [op.unreachable] }, failure: "trap", text: /unreachable/, isSpent: true },
    {
      name: "takes all of its memory",
      parts: { execute: EAT_MEMORY, memory: { minimum: 2, maximum: 16 } },
      failure: "memory",
      text: /1048576 bytes/,
      isSpent: true,
    },
    {
      name: "calls itself without end",
      parts: { execute: [op.call(7)] },
      failure: "trap",
      text: /call stack/,
      isSpent: true,
    },
    {
      name: "writes more than is wanted",
      parts: { execute: WRITE_FOR_EVER },
      failure: "quota",
      text: /at most 100000 are wanted/,
      isSpent: true,
      outMax: 100_000,
    },
    {
      name: "lies about lengths",
      parts: { execute: WRITE_OUTSIDE },
      failure: "abi",
      text: /of a memory of 131072/,
      isSpent: true,
    },
    {
      name: "calls what it was not granted",
      parts: { execute: [...three, ADDED], imports: oneImport("axiom:host/kv@1", "get") },
      failure: "capability_denied",
      text: /get of axiom:host\/kv@1/,
      isSpent: true,
    },
    {
      name: "calls what there is not",
      parts: { execute: [...three, ADDED], imports: oneImport("axiom:host/call@1", "sing") },
      failure: "abi",
      text: /sing of axiom:host\/call@1/,
      isSpent: true,
    },
    {
      name: "has no such verb",
      parts: { without: ["execute"] },
      failure: "abi",
      text: /export execute/,
      isSpent: true,
    },
    { name: "answers a class", parts: { execute: [op.const(3)] }, failure: "corrupt_data", text: /3/, isSpent: false },
    {
      name: "says that it was cancelled when nobody left",
      parts: { execute: [op.const(10)] },
      failure: "cancelled",
      text: /10/,
      isSpent: false,
    },
    { name: "answers nonsense", parts: { execute: [op.const(77)] }, failure: "internal", text: /77/, isSpent: false },
    {
      name: "says why",
      parts: { execute: [op.const(8), op.const(0), op.const(5), FAIL], data: utf8("full!") },
      failure: "quota",
      text: /full!/,
      isSpent: false,
    },
  ];

for (const { name, parts, failure, text, isSpent, outMax = 1000 } of FAULTS) {
  Deno.test(`a plugin that ${name} is told as ${failure}${isSpent ? " and used no more" : ""}`, async () => {
    await withInstance(parts, async (instance) => {
      await rejects(instance.call(encode(utf8("abc"), outMax)), failing(failure, text));
      equal(instance.isUsable, !isSpent);
    });
  });
}

Deno.test("a plugin that loops for ever is stopped at its deadline", async () => {
  const parts = { execute: LOOP_FOR_EVER };
  await withInstance(parts, async (instance) => {
    await rejects(instance.call(encode(utf8("abc"))), failing("deadline", /within 50 ms/));
    equal(instance.isUsable, false);
    equal(instance.wasKilledBusy, true);
  }, { callMs: 50 });
});

Deno.test("a plugin that never comes up is stopped at the deadline of loading", async () => {
  const code = pluginModule({ more: { [RENAMED.reactorExport.to]: LOOP_FOR_EVER } });
  await rejects(
    settingsOf(code, { loadMs: 500 }).then((settings) => PluginInstance.start(settings)),
    failing("deadline", /load/),
  );
});

Deno.test("a call is given up when its caller leaves", async () => {
  await withInstance({ execute: LOOP_FOR_EVER }, async (instance) => {
    const leaving = new AbortController();
    const call = instance.call(encode(utf8("abc")), leaving.signal);
    leaving.abort();
    await rejects(call, (error) => error instanceof AxiomError && error.kind === "interrupted");
    equal(instance.isUsable, false);
  });
});

Deno.test("a plugin's log is kept where it may log", async () => {
  const parts: PluginParts = {
    execute: [...three, ADDED, op.drop, op.const(11)],
    imports: oneImport(moduleOfCapability("log"), "log"),
    data: utf8("hello"),
  };
  await withInstance(parts, async (instance) => {
    await rejects(instance.call(encode(utf8(""))), (error) => {
      equal(JSON.stringify((error as PluginFailure).log), '[{"level":"warning","message":"hello"}]');
      return true;
    });
  }, { granted: [moduleOfCapability("log")] });
});

const env = (name: string, parameters: number[], results: number[]) => {
  return { module: EXTISM_MODULE, name, parameters, results };
};

/** Of the stock kit: gives as many zeros as it got bytes, or sets an error. */
const STOCK = assemble({
  imports: [
    env("input_length", [], [I64]),
    env("alloc", [I64], [I64]),
    env("output_set", [I64, I64], []),
    env("error_set", [I64], []),
  ],
  functions: [
    { exported: "zeros", code: [op.call(0), op.call(1), op.call(0), op.call(2), op.const(0)] },
    { exported: "execute", code: [op.call(0), op.call(1), op.call(0), op.call(2), op.const(0)] },
    { exported: "fails", code: [op.call(0), op.call(1), op.call(3), op.const(1)] },
  ],
});

Deno.test("what a plugin wrote to its standard error before it trapped is in the message", async () => {
  const text = utf8("out of \0memory\n"); // in two pieces: 7 bytes, and 7 after the zero
  const vectors = new Uint8Array(64);
  vectors.set(text, 32);
  new Uint32Array(vectors.buffer).set([32, 7, 40, 7]);
  const parts: PluginParts = {
    execute: [op.const(2), op.const(0), op.const(2), op.const(60), ADDED, op.drop, op.unreachable],
    imports: [{ module: RENAMED.wasiModule.to, name: "fd_write", parameters: Array(4).fill(I32), results: [I32] }],
    data: vectors,
  };
  await withInstance(parts, async (instance) => {
    await rejects(instance.call(encode(utf8(""))), failing("trap", /unreachable, after it said “out of memory”$/));
  });
});

Deno.test("a module of the stock kit is called by its exports", async () => {
  const instance = await PluginInstance.start(await settingsOf(STOCK));
  const call = { input: utf8("four"), outputBytesMax: 100 };
  try {
    equal((await instance.call({ verb: "initialize" })).output.length, 0);
    equal((await instance.call({ verb: "stock:zeros", ...call })).output.length, 4);
    const header = '{"operation":"run","a":1}';
    const execute = { verb: "execute", operation: "run", parameters: { a: 1 }, ...call } as const;
    equal((await instance.call(execute)).output.length, 4 + header.length + 4);
    await rejects(instance.call({ verb: "stock:fails", ...call }), failing("permanent", /Cannot run fails of/));
    equal(instance.isUsable, true);
    await rejects(instance.call({ verb: "stock:sings", ...call }), failing("abi", /no export sings/));
  } finally {
    instance.end();
  }
});

Deno.test("decode is another operation than encode", async () => {
  await withInstance({ execute: TAGGED }, async (instance) => {
    const { output } = await instance.call(encode(utf8("abc")));
    equal(fromUtf8(output), "Aabc");
    const call = { verb: "execute", operation: "decode", outputBytesMax: 3 } as const;
    equal(fromUtf8((await instance.call({ ...call, input: output })).output), "abc");
    await rejects(instance.call({ ...call, input: utf8("?abc") }), failing("corrupt_data", /3/));
  });
});
