import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { faultyStore } from "../../tests/faults/faulty_store.ts";
import { allOf, fails } from "../../tests/contract/object_store.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { RetryPolicy } from "../resilience/retry.ts";
import { ForwardingStore } from "./forwarding.ts";
import { memoryStore } from "./memory.ts";
import { meteredStore } from "./metered.ts";
import type { ObjectInfo } from "./object_store.ts";
import { readOnlyStore } from "./read_only.ts";
import { repairerOf, replaceDamaged } from "./repairer.ts";
import { retryingStore } from "./retrying.ts";
import { throttledStore } from "./throttled.ts";

const POLICY: RetryPolicy = { attemptsMax: 4, delayMs: 1, delayMsMax: 1, deadlineMs: 1000 };

/** Time passes only in `sleep`. */
function fakeClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 0,
    nowNs: () => "0",
    monotonicMs: () => clock.nowMs,
    sleep: (ms: number) => {
      clock.nowMs += ms;
      return Promise.resolve();
    },
  };
  return clock;
}

const environment = () => ({ clock: fakeClock(), random: (length: number) => new Uint8Array(length) });

Deno.test("(34) the retrying store gets over a busy store, at every call", async () => {
  const inner = memoryStore();
  await inner.put("index/a", utf8("a"));
  await inner.put("damaged-one", utf8("a"));
  for (let fromCall = 1; fromCall <= 7; fromCall++) {
    const faulty = faultyStore(inner, { busy: { fromCall, times: 3 } });
    const store = retryingStore(faulty, POLICY, environment());
    await store.put("index/a", utf8("a"));
    const writer = await store.create();
    if (fromCall !== 2) await writer.write(utf8("b"));
    else {
      await fails(writer.write(utf8("b")), "storage_busy"); // what arrived is unknown
      for (let i = 0; i < 2; i++) await fails(writer.write(utf8("b")), "storage_busy");
      await writer.write(utf8("b"));
    }
    await writer.commit("index/b");
    deepEqual(await store.get("index/b", "all"), utf8("b"));
    deepEqual(await store.stat("index/b"), { sizeBytes: 1 });
    deepEqual(await allOf(store, "index/"), { "index/a": 1, "index/b": 1 });
    await store.remove("index/b");
    equal(faulty.calls.length, 10, `from call ${fromCall}`);
  }
});

Deno.test("the retrying store gives up in the end, and at once where a retry is no use", async () => {
  const store = retryingStore(faultyStore(memoryStore(), { busy: { fromCall: 1, times: 99 } }), POLICY, environment());
  await fails(store.put("index/a", utf8("a")), "storage_busy", /4 attempts/);
  const faulty = faultyStore(memoryStore());
  await fails(retryingStore(faulty, POLICY, environment()).get("index/none", "all"), "object_missing");
  equal(faulty.calls.length, 1);
});

Deno.test("(33) the retrying store takes its own object, stored although the answer was lost, for success", async () => {
  const inner = memoryStore();
  class LostAnswer extends ForwardingStore {
    lost = 0;
    override async put(key: string, data: Uint8Array<ArrayBuffer>): Promise<void> {
      await super.put(key, data);
      if (this.lost++ === 0) throw new AxiomError("storage_busy", "Cannot store: timed out");
    }
  }
  await retryingStore(new LostAnswer(inner), POLICY, environment()).put("index/a", utf8("a"));
  deepEqual(inner.snapshot(), new Map([["index/a", utf8("a")]]));
});

Deno.test("the retrying store goes on with a listing that broke off, each object once", async () => {
  class Breaking extends ForwardingStore {
    left = 3;
    override async *list(prefix: string): AsyncGenerator<ObjectInfo, void, void> {
      let count = 0;
      for await (const info of super.list(prefix)) {
        yield info;
        if (++count === 4 - this.left && this.left-- > 0) throw new AxiomError("storage_busy", "Cannot list: reset");
      }
    }
  }
  const inner = memoryStore();
  for (let i = 0; i < 9; i++) await inner.put(`index/${i}`, utf8("x"));
  const found = await allOf(retryingStore(new Breaking(inner), POLICY, environment()), "index/");
  equal(Object.keys(found).length, 9);
});

Deno.test("the read-only store refuses every change, loudly, and reads", async () => {
  const inner = memoryStore();
  await inner.put("index/a", utf8("abc"));
  const store = readOnlyStore(inner);
  await fails(store.put("index/b", utf8("x")), "storage_denied", /Cannot store index\/b: memory: was opened read-only/);
  await fails(store.put("index/a", utf8("abc")), "storage_denied");
  await fails(store.create(), "storage_denied");
  await fails(store.remove("index/a"), "storage_denied");
  await fails(repairerOf(store)!.setAside("index/a"), "storage_denied");
  await fails(replaceDamaged(store, "index/a", utf8("x")), "storage_denied");
  deepEqual(await store.get("index/a", { offset: 1, length: 2 }), utf8("bc"));
  deepEqual(await store.stat("index/a"), { sizeBytes: 3 });
  deepEqual(await allOf(store, ""), { "index/a": 3 });
});

Deno.test("the metered store counts calls, bytes, errors and time", async () => {
  const clock = fakeClock();
  class Slow extends ForwardingStore {
    override async put(key: string, data: Uint8Array<ArrayBuffer>): Promise<void> {
      clock.nowMs += 5;
      await super.put(key, data);
    }
  }
  const store = meteredStore(new Slow(memoryStore()), clock);
  await store.put("index/a", utf8("abc"));
  await fails(store.put("index/a", utf8("other")), "object_exists");
  const writer = await store.create();
  await writer.write(utf8("12345"));
  await writer.write(utf8("6"));
  await writer.commit("index/b");
  await store.get("index/b", { offset: 1, length: 4 });
  await fails(store.get("index/none", "all"), "object_missing");
  await store.stat("index/a");
  await allOf(store, "");
  await store.remove("index/a");
  await repairerOf(store)!.setAside("index/b");
  const { put, create, write, commit, get, stat, list, remove, setAside } = store.meter;
  deepEqual(put, { calls: 2, errors: 1, bytes: 3, busyMs: 10 });
  deepEqual(write, { calls: 2, errors: 0, bytes: 6, busyMs: 0 });
  deepEqual(get, { calls: 2, errors: 1, bytes: 4, busyMs: 0 });
  for (const meter of [create, commit, stat, list, remove, setAside]) {
    deepEqual(meter, { calls: 1, errors: 0, bytes: 0, busyMs: 0 });
  }
});

Deno.test("the metered store counts a listing that fails", async () => {
  const store = meteredStore(faultyStore(memoryStore(), { busy: { fromCall: 1, times: 1 } }), fakeClock());
  await fails(allOf(store, ""), "storage_busy");
  deepEqual(store.meter.list, { calls: 1, errors: 1, bytes: 0, busyMs: 0 });
});

Deno.test("the throttled store keeps the rates of both directions apart", async () => {
  const clock = fakeClock();
  const store = throttledStore(memoryStore(), { uploadKibPerSecond: 100, downloadKibPerSecond: 50 }, clock);
  const seconds = async (work: () => Promise<unknown>) => {
    const startMs = clock.nowMs;
    await work();
    return (clock.nowMs - startMs) / 1000;
  };
  const data = new Uint8Array(100 * 1024);
  const burst = 0.25;
  equal(await seconds(() => store.put("index/a", data)), 1 - burst);
  const writer = await store.create();
  equal(await seconds(() => writer.write(data)), 1);
  equal(await seconds(() => writer.commit("index/b")), 0);
  equal(await seconds(() => store.get("index/a", { offset: 0, length: 50 * 1024 })), 1 - burst);
  equal(await seconds(() => store.get("index/a", "all")), 2);
  equal(await seconds(() => store.stat("index/a")), 0);
});

Deno.test("the throttled store holds up nothing that an interruption is to keep, and ends what has a signal", async () => {
  const interruption = new AbortController();
  const { signal } = interruption;
  const throttle = { uploadKibPerSecond: 1, downloadKibPerSecond: 1, hurry: signal };
  const store = throttledStore(memoryStore(), throttle, systemClock);
  const data = new Uint8Array(1024 * 1024); // a quarter of an hour
  const writer = await store.create();
  const writing = writer.write(data);
  const putting = store.put("index/b", data, signal);
  interruption.abort();
  await writing;
  await writer.write(data);
  await writer.commit("index/a");
  deepEqual(await store.stat("index/a"), { sizeBytes: 2 * data.length });
  await fails(putting, "interrupted");
});

Deno.test("wrappers show what is below: location, traits as they are now, and no repair where there is none", async () => {
  const inner = memoryStore({ location: "memory:x", traits: { staleListingMs: 7, missing: ["x"] } });
  const { put, get, create, stat, list, remove, close } = inner;
  const bare = { location: "bare", traits: inner.traits, put, get, create, stat, list, remove, close };
  for (const wrap of [readOnlyStore, (s: typeof inner) => meteredStore(s, fakeClock())]) {
    equal(wrap(inner).location, "memory:x");
    deepEqual(wrap(inner).traits, { staleListingMs: 7, missing: ["x"] });
    ok(repairerOf(wrap(inner)));
  }
  equal(repairerOf(new ForwardingStore(bare)), undefined);
  const failing = new ForwardingStore({
    ...bare,
    put: () => Promise.reject(new AxiomError("object_exists", "Cannot store x: there")),
  });
  await fails(replaceDamaged(failing, "index/a", utf8("x")), "storage_denied", /cannot move objects/);
  const broken = { ...bare, put: () => Promise.reject(new Error("bug")) };
  await rejects(replaceDamaged(broken, "index/a", utf8("x")), /bug/);
});
