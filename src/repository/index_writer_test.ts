import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { IndexBuilder } from "../model/index_builder.ts";
import { decodeIndexObject } from "../model/index_object.ts";
import { indexKey } from "../model/object_keys.ts";
import { ForwardingStore } from "../storage/forwarding.ts";
import { memoryStore } from "../storage/memory.ts";
import { seededRandom, steppingClock } from "../../tests/fixtures/fixed.ts";
import { createKeys } from "./create_keys.ts";
import { indexNameOf, putIndexObject, withFreeName } from "./index_writer.ts";
import { ObjectSealer } from "./object_sealer.ts";

const random = seededRandom("index writer");

function payload(): Uint8Array<ArrayBuffer> {
  const builder = new IndexBuilder();
  builder.addPack({ name: "a".repeat(64), salt: random(32), epoch: 1, storedBytes: 9000, tableBytes: 4096, kinds: 1 });
  return builder.encode();
}

async function sealer(): Promise<ObjectSealer> {
  const secret = { kind: "key_file" as const, bytes: random(64) };
  const { keys } = await createKeys(memoryStore(), { secret, random, clock: steppingClock() });
  return new ObjectSealer(keys, random);
}

Deno.test("putIndexObject() leaves an equal object alone and heals a damaged one", async () => {
  const [store, seal, data] = [memoryStore(), await sealer(), payload()];
  const key = indexKey(await putIndexObject(store, seal, data));
  const first = await store.get(key, "all");
  await putIndexObject(store, seal, data);
  deepEqual(await store.get(key, "all"), first);
  await store.remove(key);
  await store.put(key, first.slice(0, 100));
  await putIndexObject(store, seal, data);
  deepEqual(await seal.open("index", key, await store.get(key, "all")), data);
});

Deno.test("(6) putIndexObject() puts again what another client replaced between two calls", async () => {
  const [inner, seal, data] = [memoryStore(), await sealer(), payload()];
  const key = indexKey(await putIndexObject(inner, seal, data));
  let removals = 0;
  const store = new class extends ForwardingStore {
    override async get(...[key, range, signal]: Parameters<ForwardingStore["get"]>) {
      if (removals++ === 0) await inner.remove(key);
      return await super.get(key, range, signal);
    }
  }(inner);
  await putIndexObject(store, seal, data);
  deepEqual(await seal.open("index", key, await inner.get(key, "all")), data);
  const haunted = new class extends ForwardingStore {
    override async put(...[key, stored, signal]: Parameters<ForwardingStore["put"]>) {
      await inner.remove(key);
      await inner.put(key, new Uint8Array(3));
      await super.put(key, stored, signal);
    }
    override async get(...[key, range, signal]: Parameters<ForwardingStore["get"]>) {
      await inner.remove(key);
      return await super.get(key, range, signal);
    }
  }(inner);
  await rejects(putIndexObject(haunted, seal, data), { kind: "object_exists" });
});

Deno.test("withFreeName() changes the name of an object only where that is taken, and what it says never", () => {
  const data = payload();
  const name = indexNameOf(data);
  deepEqual(withFreeName(data, new Set(["b".repeat(64)]), random), data);
  const other = withFreeName(data, new Set([name]), random);
  equal(indexNameOf(other) === name, false);
  deepEqual(decodeIndexObject(other, "test").packs, decodeIndexObject(data, "test").packs);
  equal(decodeIndexObject(other, "test").supersedes.length, 1);
});
