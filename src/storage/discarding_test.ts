import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { fails } from "../../tests/contract/object_store.ts";
import { utf8 } from "../base/bytes.ts";
import { discardingStore } from "./discarding.ts";
import { memoryStore } from "./memory.ts";
import { repairerOf } from "./repairer.ts";

Deno.test("a discarding store reads what is there, and every change succeeds and changes nothing", async () => {
  const inner = memoryStore();
  await inner.put("index/a", utf8("a"));
  const before = inner.snapshot();
  const store = discardingStore(inner);
  await store.put("index/a", utf8("other"));
  await store.put("index/b", utf8("b"));
  const writer = await store.create();
  await writer.write(utf8("c"));
  await writer.commit("packs/c");
  await writer.abort();
  await store.remove("index/a");
  equal(repairerOf(store), undefined, "it would say that something was moved");
  await store.close();
  deepEqual(inner.snapshot(), before);
  deepEqual(await store.get("index/a", "all"), utf8("a"));
  ok(await store.stat("index/a"));
  await fails(store.get("index/b", "all"), "object_missing");
});
