import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import type { SandboxWorker } from "./broker.ts";
import { startSandboxWorker } from "./broker.ts";
import { InstancePool, type PoolSettings } from "./instance_pool.ts";
import { PluginFailure } from "./plugin_failure.ts";
import { COPY, ifNextIs, ifReadIs, LOOP_FOR_EVER, op, pluginModule, type PluginParts, WRITE } from "./wasm_fixture.ts";

const plugin = { pluginId: "compression_test", version: "1.2.3", sha256: "ab".repeat(32) };

async function withPool(
  parts: PluginParts,
  use: (pool: InstancePool, started: () => number) => Promise<void>,
  more: Partial<PoolSettings> = {},
): Promise<void> {
  let started = 0;
  const pool = new InstancePool({
    plugin,
    code: pluginModule(parts),
    granted: [],
    memoryPages: 16,
    loadMs: 60_000,
    callMs: 60_000,
    cancelMs: 0,
    idleMs: 60_000,
    threadEndMs: 60_000,
    instancesMax: 2,
    configuration: {},
    clock: systemClock,
    startWorker: () => {
      started++;
      return startSandboxWorker();
    },
    ...more,
  });
  try {
    await use(pool, () => started);
  } finally {
    await pool.close();
  }
}

const encode = (input: Bytes) => ({ verb: "execute", operation: "encode", input, outputBytesMax: 1 << 20 }) as const;

/** Loops for an input that starts with `!`, traps for `?`; else counts its calls in the first byte of the output. */
const MOODY: PluginParts = {
  execute: [
    ...ifNextIs("!", LOOP_FOR_EVER.slice(0, 3)),
    ...ifReadIs("?", [op.unreachable]),
    op.global_get(0),
    op.const(1),
    op.i32_add,
    op.global_set(0),
    op.const(0),
    op.global_get(0),
    op.i32_store8,
    op.const(0),
    op.const(1),
    WRITE,
    op.drop,
    ...COPY,
    op.const(0),
  ],
};

Deno.test("many callers share a bounded number of instances and each gets its own answer", async () => {
  await withPool({ execute: [...COPY, op.const(0)] }, async (pool, started) => {
    const texts = Array.from({ length: 100 }, (_, i) => `call ${i}`);
    const answers = await Promise.all(texts.map((text, i) => pool.call(encode(utf8(text)), { caller: i % 7 })));
    deepEqual(answers.map(({ output }) => fromUtf8(output)), texts);
    equal(started() <= 2, true);
    deepEqual({ ...pool.counts, idle: 0 }, { busy: 0, idle: 0, waiting: 0, dying: 0 });
  });
});

Deno.test("nothing of a call that trapped is there in the next one", async () => {
  const failures: string[] = [];
  await withPool(MOODY, async (pool, started) => {
    const first = async () => (await pool.call(encode(utf8("a")))).output[0];
    deepEqual([await first(), await first()], [1, 2]);
    await rejects(pool.call(encode(utf8("?"))), PluginFailure);
    equal(await first(), 1);
    equal(started(), 2);
    deepEqual(failures, ["trap"]);
  }, { instancesMax: 1, onFailure: ({ failure }) => failures.push(failure) });
});

Deno.test("an endless loop is stopped at its deadline and the pool goes on with a fresh instance", async () => {
  await withPool(MOODY, async (pool) => {
    const [endless, other] = await Promise.allSettled([pool.call(encode(utf8("!"))), pool.call(encode(utf8("b")))]);
    equal(endless.status === "rejected" && (endless.reason as PluginFailure).failure, "deadline");
    equal(other.status, "fulfilled");
    equal((await pool.call(encode(utf8("c")))).output.length, 1);
    equal(pool.counts.dying, 1);
  }, { callMs: 2000 });
});

Deno.test("no more threads than places are left behind by endless loops", async () => {
  const answered = { type: "done", output: new Uint8Array(0), result: undefined, memoryBytes: 0, log: [] };
  let looping = 0;
  /** Answers everything but `execute`. */
  const startWorker = (): SandboxWorker => {
    const worker: SandboxWorker = {
      onmessage: null,
      onerror: null,
      terminate() {},
      postMessage(message) {
        if (message.type === "call" && message.verb === "execute") looping++;
        else queueMicrotask(() => worker.onmessage!({ data: answered } as MessageEvent));
      },
    };
    return worker;
  };
  await withPool({}, async (pool) => {
    const leaving = new AbortController();
    const calls = Array.from({ length: 4 }, (_, i) => {
      return pool.call(encode(utf8("x")), { signal: i === 3 ? leaving.signal : undefined });
    });
    const ends = calls.map((call) => call.then(() => "done", (error: AxiomError) => error.kind));
    deepEqual(await Promise.all(ends.slice(0, 2)), ["plugin_failed", "plugin_failed"]);
    deepEqual([looping, { ...pool.counts }], [2, { busy: 0, idle: 0, waiting: 2, dying: 2 }]);
    leaving.abort();
    equal(await ends[3], "interrupted");
    deepEqual({ ...pool.counts }, { busy: 0, idle: 0, waiting: 1, dying: 2 });
    equal(await ends[2], "plugin_failed");
    equal(looping, 3);
  }, { startWorker, callMs: 1, threadEndMs: 1000 });
});

Deno.test("callers are served in turn", async () => {
  await withPool({ execute: [...COPY, op.const(0)] }, async (pool) => {
    const order: string[] = [];
    const call = (caller: string) => pool.call(encode(utf8(caller)), { caller }).then(() => order.push(caller));
    const many = Array.from({ length: 6 }, () => call("greedy"));
    await Promise.all([...many, call("modest")]);
    equal(order.indexOf("modest") <= 2, true, order.join(" "));
  }, { instancesMax: 1 });
});

Deno.test("a plugin that does not initialize fails its callers and not the pool", async () => {
  await withPool({ initialize: [op.const(9)] }, async (pool) => {
    for (const _ of [1, 2]) {
      await rejects(pool.call(encode(utf8("a"))), /Cannot run initialize of compression_test 1\.2\.3 .*permanent/);
    }
    deepEqual(pool.counts, { busy: 0, idle: 0, waiting: 0, dying: 0 });
  });
});

Deno.test("bytes that do not compile are refused", async () => {
  await withPool({}, async (pool) => {
    await rejects(pool.call(encode(utf8("a"))), (error) => error instanceof AxiomError && error.exitCode === 14);
  }, { code: utf8("not a module") });
});

Deno.test("an instance that nobody calls is ended", async () => {
  await withPool({}, async (pool, started) => {
    await pool.call(encode(utf8("a")));
    while (pool.counts.idle > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await pool.call(encode(utf8("a")));
    equal(started(), 2);
  }, { idleMs: 1 });
});

Deno.test("an instance whose worker dies while it rests is replaced", async () => {
  const workers: SandboxWorker[] = [];
  const startWorker = () => {
    workers.push(startSandboxWorker());
    return workers.at(-1)!;
  };
  await withPool({ execute: [...COPY, op.const(0)] }, async (pool) => {
    await pool.call(encode(utf8("a")));
    workers[0].onerror!(new ErrorEvent("error", { message: "gone", cancelable: true }));
    equal(fromUtf8((await pool.call(encode(utf8("b")))).output), "b");
    equal(workers.length, 2);
  }, { startWorker });
});

Deno.test("a pool that closes lets its callers finish and takes no new ones", async () => {
  await withPool({ execute: [...COPY, op.const(0)] }, async (pool) => {
    const calls = Array.from({ length: 10 }, (_, i) => pool.call(encode(utf8(`${i}`))));
    const closed = pool.close();
    await rejects(pool.call(encode(utf8("late"))), /was unloaded/);
    equal((await Promise.all(calls)).length, 10);
    await closed;
    deepEqual(pool.counts, { busy: 0, idle: 0, waiting: 0, dying: 0 });
  });
});
