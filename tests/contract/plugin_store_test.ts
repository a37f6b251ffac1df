import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { admit } from "../../src/plugins/admission.ts";
import { openPlugin } from "../../src/plugins/open_plugin.ts";
import { hostServices } from "../../src/plugins/services/host_services.ts";
import { toyStorage, type ToyStorageServer, toyStorageServer } from "../../src/plugins/toy_storage_fixture.ts";
import { type PluginAnswer } from "../../src/plugins/broker.ts";
import { PluginStore } from "../../src/plugins/wasm_storage.ts";
import { allOf, fails, objectStoreContract } from "./object_store.ts";

function storeOf(server: ToyStorageServer, onForeign?: (name: string) => void): PluginStore {
  const admitted = admit(toyStorage(server.port));
  const granted = admitted.manifest.capabilities;
  const services = hostServices({ stateFolder: undefined, clock: systemClock });
  const pool = openPlugin(admitted, { granted, configuration: {}, instancesMax: 2, clock: systemClock, services });
  return new PluginStore({
    location: "storage_toy://somewhere",
    random: systemRandom,
    call: (call, signal) => pool.call(call, { signal }),
    onForeign,
    close: () => pool.close(),
  });
}

objectStoreContract("The store of a plugin", () => {
  const server = toyStorageServer();
  return Promise.resolve({ store: storeOf(server), dispose: async () => await server[Symbol.asyncDispose]() });
});

Deno.test("what a storage plugin answers becomes a failure of the store", async (t) => {
  await using server = toyStorageServer();
  const foreign: string[] = [];
  const store = storeOf(server, (name) => foreign.push(name));
  try {
    const cases = [
      ["transient", "storage_busy", true],
      ["quota", "storage_full", false],
      ["auth", "storage_denied", false],
      ["permanent", "storage_failed", false],
      ["internal", "plugin_failed", false],
    ] as const;
    for (const [failure, kind, isRetriable] of cases) {
      await t.step(failure, async () => {
        server.failures.push(failure);
        const error = await fails(store.put("index/a", utf8("a")), kind, /storage_toy 1\.2\.3 \(sha256/);
        equal(error.retriable, isRetriable);
      });
    }
    await t.step("an object that is shorter than its plugin says is damaged", async () => {
      await store.put("index/a", utf8("12345"));
      await fails(store.get("index/a", { offset: 3, length: 3 }), "data_damaged", /has only 5/);
    });
    await t.step("a name that is none is passed over, a list without sense refused", async () => {
      server.objects.set("index/Not a key", utf8("x"));
      deepEqual(await allOf(store, "index/"), { "index/a": 5 });
      deepEqual(foreign, ["index/Not a key"]);
    });
  } finally {
    await store.close();
  }
});

Deno.test("a list that makes no sense, or has no end, is refused", async (t) => {
  const page = (n: number) => ({ entries: [{ key: "index/a", length: 1 }], cursor: `${n}` });
  const cases: [name: string, result: (n: number) => unknown, why: RegExp][] = [
    ["no object", () => ({ entries: [null] }), /it listed undefined below index\//],
    ["no list", () => ({ entries: {} }), /it did not list index\//],
    ["another folder", () => ({ entries: [{ key: "data/a", length: 1 }] }), /it listed "data\/a" below index\//],
    ["the same cursor again", () => page(0), /goes in a circle/],
    ["the same page with other cursors", page, /goes in a circle/],
    ["empty pages without end", (n) => ({ entries: [], cursor: `${n}` }), /has nothing but empty pages/],
  ];
  for (const [name, result, why] of cases) {
    await t.step(name, async () => {
      let pages = 0;
      const answer = (): PluginAnswer => {
        if (pages > 10_000) throw new Error("it is asked for ever");
        const output = new Uint8Array(0);
        return { output, result: JSON.stringify(result(pages++)), memoryBytes: 0, log: [], metrics: [] };
      };
      const store = new PluginStore({
        location: "storage_toy://somewhere",
        random: systemRandom,
        call: () => Promise.resolve(answer()),
        close: () => Promise.resolve(),
      });
      await fails(allOf(store, "index/"), "plugin_failed", why);
    });
  }
});
