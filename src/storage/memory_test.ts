import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { allOf, fails } from "../../tests/contract/object_store.ts";
import { utf8 } from "../base/bytes.ts";
import { memoryStore } from "./memory.ts";

Deno.test("snapshot() and restore() copy deeply", async () => {
  const store = memoryStore();
  await store.put("index/a", utf8("a"));
  const state = store.snapshot();
  await store.put("index/b", utf8("b"));
  await store.remove("index/a");
  deepEqual(await allOf(store, ""), { "index/b": 1 });
  store.restore(state);
  state.get("index/a")!.fill(0);
  state.clear();
  deepEqual(await store.get("index/a", "all"), utf8("a"));
  deepEqual(await allOf(store, ""), { "index/a": 1 });
  store.snapshot().get("index/a")!.fill(0);
  deepEqual(await store.get("index/a", "all"), utf8("a"));
});

Deno.test("(13) a full memory store refuses more, and takes it after a removal", async () => {
  const store = memoryStore({ capacityBytes: 10 });
  await store.put("index/a", new Uint8Array(6));
  await fails(store.put("index/b", new Uint8Array(5)), "storage_full");
  await store.put("index/a", new Uint8Array(6));
  await store.put("index/c", new Uint8Array(4));
  await store.remove("index/a");
  await store.put("index/b", new Uint8Array(5));
});

Deno.test("it has the location and the traits that it is given", () => {
  const store = memoryStore({ location: "memory:x", traits: { staleListingMs: 5 } });
  equal(store.location, "memory:x");
  deepEqual(store.traits, { staleListingMs: 5, missing: [] });
});
