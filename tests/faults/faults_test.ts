import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { allOf, fails } from "../contract/object_store.ts";
import { flipBit, swapObjects, truncateObject } from "./damage.ts";
import { type CrashPoint, everyCrash } from "./every_crash.ts";
import { type CrashEffect, faultyStore, SimulatedCrash } from "./faulty_store.ts";

Deno.test("a crash happens before, in or after a call, and nothing works after it", async () => {
  const cases: [CrashEffect, string | undefined][] = [["none", undefined], ["torn", "01234"], ["whole", "0123456789"]];
  for (const [effect, left] of cases) {
    for (const how of ["put", "commit"] as const) {
      const inner = memoryStore();
      const store = faultyStore(inner, { crash: { atCall: how === "put" ? 2 : 3, effect } });
      await store.put("index/before", utf8("x"));
      if (how === "put") await rejects(store.put("index/a", utf8("0123456789")), SimulatedCrash);
      else {
        const writer = await store.create();
        await writer.write(utf8("0123456789"));
        await rejects(writer.commit("index/a"), SimulatedCrash);
        await rejects(writer.commit("index/b"), SimulatedCrash);
      }
      ok(store.crashed);
      const calls = [store.get("index/before", "all"), store.stat("index/before"), store.remove("index/before")];
      for (const call of [...calls, store.create(), allOf(store, ""), store.put("index/c", utf8("x"))]) {
        await rejects(call, SimulatedCrash);
      }
      const expected = new Map([["index/before", utf8("x")]]);
      if (left !== undefined) expected.set("index/a", utf8(left));
      deepEqual(inner.snapshot(), expected, `${how}, ${effect}`);
    }
  }
});

Deno.test("what a writer was given is lost in a crash before commit", async () => {
  const inner = memoryStore();
  const store = faultyStore(inner, { crash: { atCall: 2, effect: "whole" } });
  const writer = await store.create();
  await writer.write(utf8("a"));
  await rejects(writer.write(utf8("b")), SimulatedCrash);
  await writer.abort();
  equal(inner.snapshot().size, 0);
});

Deno.test("(11) a store that fills up fails at the byte that no longer fits", async () => {
  const store = faultyStore(memoryStore(), { fullAfterBytes: 10 });
  await store.put("index/a", new Uint8Array(6));
  await fails(store.put("index/b", new Uint8Array(5)), "storage_full");
  const writer = await store.create();
  await writer.write(new Uint8Array(4));
  await fails(writer.write(new Uint8Array(1)), "storage_full");
});

Deno.test("a flipped bit shows in one get and no other", async () => {
  const store = faultyStore(memoryStore(), { flip: { atGet: 2, bit: 17 } });
  await store.put("index/a", utf8("abc"));
  deepEqual(await store.get("index/a", "all"), utf8("abc"));
  deepEqual(await store.get("index/a", "all"), utf8("aba"));
  deepEqual(await store.get("index/a", "all"), utf8("abc"));
});

Deno.test("(28) a frozen listing shows the past of others and what this client did", async () => {
  const inner = memoryStore();
  await inner.put("index/old", utf8("x"));
  await inner.put("index/gone", utf8("x"));
  const store = faultyStore(inner);
  await store.freezeListings();
  await inner.put("index/new", utf8("x"));
  await inner.remove("index/gone");
  await store.put("index/mine", utf8("xy"));
  deepEqual(await allOf(store, ""), { "index/old": 1, "index/gone": 1, "index/mine": 2 });
  await store.remove("index/old");
  deepEqual(await allOf(store, ""), { "index/gone": 1, "index/mine": 2 });
  store.thawListings();
  deepEqual(await allOf(store, ""), { "index/new": 1, "index/mine": 2 });
});

Deno.test("each page of a listing is a call", async () => {
  const inner = memoryStore();
  for (let i = 0; i < 7; i++) await inner.put(`index/${i}`, utf8("x"));
  const store = faultyStore(inner, { listPageEntries: 3 });
  equal(Object.keys(await allOf(store, "index/")).length, 7);
  deepEqual(store.calls, Array.from({ length: 3 }, () => ({ call: "list", key: "index/" })));
});

Deno.test("(1) everyCrash() crashes at each call in each way, and ends with the operation", async () => {
  const points: string[] = [];
  const before = new Map([["index/old", utf8("old")]]);
  const tried = await everyCrash({
    before,
    async run(store) {
      await store.put("index/a", utf8("aaaa"));
      const writer = await store.create();
      await writer.write(utf8("bbbb"));
      await writer.commit("index/b");
      await store.remove("index/old").catch(() => {});
    },
    examine(store, { atCall, call, effect, endedWell }: CrashPoint) {
      points.push(`${atCall} ${call.call} ${effect} ${endedWell} ${[...store.snapshot().keys()].sort()}`);
      return Promise.resolve();
    },
  });
  equal(tried, 10);
  deepEqual(points, [
    "1 put none false index/old",
    "2 write none false index/a,index/old",
    "3 commit none false index/a,index/old",
    "4 remove none true index/a,index/b,index/old",
    "1 put whole false index/a,index/old",
    "2 write whole false index/a,index/old",
    "3 commit whole false index/a,index/b,index/old",
    "4 remove whole true index/a,index/b",
    "1 put torn false index/a,index/old",
    "3 commit torn false index/a,index/b,index/old",
  ]);
});

Deno.test("everyCrash() says where an examination failed, and passes on what fails without a crash", async () => {
  const run = (store: ReturnType<typeof faultyStore>) => store.put("index/a", utf8("a"));
  const examine = () => Promise.reject(new Error("lost"));
  await rejects(everyCrash({ before: new Map(), run, examine }), /crash at call 1, put index\/a \(none\): Error: lost/);
  const broken = () => Promise.reject(new Error("bug"));
  await rejects(everyCrash({ before: new Map(), run: broken, examine }), /bug/);
});

Deno.test("damage is done as told", async () => {
  const store = memoryStore();
  await store.put("index/a", utf8("abc"));
  await store.put("index/b", utf8("xyz"));
  await swapObjects(store, "index/a", "index/b");
  await truncateObject(store, "index/a", 2);
  await flipBit(store, "index/b", 8);
  deepEqual(store.snapshot(), new Map([["index/a", utf8("xy")], ["index/b", utf8("acc")]]));
});
