import { deepStrictEqual as deepEqual, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { LiveStages } from "../stages/live_stages.ts";
import { builtInStages } from "../stages/registry.ts";
import { StageLink } from "../stages/stage_link.ts";
import type { FromWorker, ToWorker } from "../stages/worker_protocol.ts";
import { admit } from "./admission.ts";
import { builtInPlugins } from "./built_ins.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { PluginRegistry } from "./plugin_registry.ts";
import { wasmSource } from "./plugin_source.ts";
import { PluginStages } from "./plugin_stages.ts";
import { pluginModule, tagged } from "./wasm_fixture.ts";

const ID = "compression_test";

function source(tag: number, more: Record<string, unknown> = {}) {
  const admitted = admit(
    pluginModule({ execute: tagged(tag), sections: [manifestSection({ version: `1.0.${tag}`, ...more })] }),
  );
  return wasmSource(admitted, { granted: [], configuration: {}, instancesMax: 1, clock: systemClock });
}

type Told = Extract<ToWorker, { type: "stages" | "stage_answer" }>;

/** A worker's stages beside the host that offers them, with messages that take their time. */
async function linked(
  use: (parts: { registry: PluginRegistry; host: PluginStages; worker: LiveStages; close(): void }) => Promise<void>,
): Promise<void> {
  const registry = new PluginRegistry({ clock: systemClock }), main = builtInStages();
  for (const each of builtInPlugins(main)) registry.introduce(each);
  const host = new PluginStages(registry, main);
  const worker: LiveStages = new LiveStages(builtInStages(), (message, transfer) => {
    const copy = structuredClone(message, { transfer });
    queueMicrotask(() => link.receive(copy as Parameters<typeof link.receive>[0] & FromWorker));
  });
  const told = (message: Told) =>
    message.type === "stages" ? worker.become(message.version, message.offers) : worker.answer(message.number, message);
  const link: StageLink = new StageLink(host, (message, transfer = []) => {
    const copy = structuredClone(message, { transfer });
    queueMicrotask(() => told(copy as Told));
  });
  try {
    await use({ registry, host, worker, close: () => link.close() });
  } finally {
    link.close();
    await registry.close();
  }
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
const statesOf = (registry: PluginRegistry) =>
  registry.list().find(({ source }) => source.plugin.pluginId === ID)!.generations.map(({ state }) => state);

Deno.test("a frame keeps the generation with which it began, and the next one has the new", () =>
  linked(async ({ registry, worker }) => {
    await registry.replace(source(0x10), "load");
    await turn();
    const frame = worker.use();
    await registry.replace(source(0x11));
    await turn();
    deepEqual(statesOf(registry), ["draining", "canary"]);
    const plain = utf8("plain"), codec = frame.registry.codec(ID);
    const encoded = await codec.encode(plain, 1);
    equal(encoded[0], 0x10);
    deepEqual(await codec.trial!.decode(encoded, plain.length), plain);
    const next = worker.use();
    equal((await next.registry.codec(ID).encode(plain, 1))[0], 0x11);
    next.release();
    frame.release();
    await turn();
    await registry.settled();
    deepEqual(statesOf(registry), ["retired", "canary"]);
  }));

Deno.test("of many generations that served a job, few are kept", () =>
  linked(async ({ registry, worker }) => {
    for (let tag = 0; tag < 12; tag++) {
      await registry.replace(source(0x10 + tag), "replace");
      await turn();
      const frame = worker.use();
      equal((await frame.registry.codec(ID).encode(utf8("x"), 1))[0], 0x10 + tag);
      frame.release();
    }
    await turn();
    await registry.settled();
    const states = statesOf(registry), draining = 1; // until after the switch
    equal(states.length <= LIMITS.pluginGenerationsKept + draining + 1, true, states.join(" "));
  }));

Deno.test("what a generation of another format wrote is read as long as that is kept", () =>
  linked(async ({ registry, worker, host }) => {
    await registry.replace(source(0x10, { format_id: "old-1" }), "load");
    await turn();
    const plain = utf8("plain");
    const before = worker.use();
    const encoded = await before.registry.codec(ID).encode(plain, 1);
    before.release();
    await registry.replace(source(0x20, { format_id: "new-1" }));
    await turn();
    const now = worker.use();
    equal(now.registry.codec(ID).formatId, "new-1");
    deepEqual(await now.registry.codecForFormat("old-1").decode(encoded, plain.length), plain);
    deepEqual(await host.stages.codecForFormat("old-1").decode(encoded, plain.length), plain);
    now.release();
  }));

Deno.test("a job goes on with what was unloaded until it ends", () =>
  linked(async ({ registry, worker, host, close }) => {
    await registry.replace(source(0x10), "load");
    await turn();
    registry.unload(ID);
    await turn();
    const use = worker.use();
    equal((await use.registry.codec(ID).encode(utf8("x"), 1))[0], 0x10);
    use.release();
    await registry.replace(source(0x11), "load");
    await turn();
    const next = worker.use();
    equal((await next.registry.codec(ID).encode(utf8("x"), 1))[0], 0x11);
    next.release();
    registry.unload(ID);
    close();
    await registry.settled();
    throws(() => registry.lease(ID), (error) => isKind(error, "plugin_missing"));
    throws(() => host.stages.codec(ID), (error) => isKind(error, "usage"));
  }));

Deno.test("an answer that was wrong brings the generation before back, for the same frame", () =>
  linked(async ({ registry, worker }) => {
    await registry.replace(source(0x10), "load");
    await registry.replace(source(0x11));
    await turn();
    const bad = worker.use();
    await bad.registry.codec(ID).trial!.refuse("it decodes to other chunks");
    const again = worker.use();
    equal((await again.registry.codec(ID).encode(utf8("x"), 1))[0], 0x10);
    again.release();
    await rejects(async () => await bad.registry.codec(ID).encode(utf8("x"), 1), /generation is gone/);
    bad.release();
    deepEqual(statesOf(registry), ["active", "quarantined"]);
  }));

Deno.test("a plugin takes the place of a built-in codec of its id, and damaged data is told from its own faults", () =>
  linked(async ({ registry, worker }) => {
    const zstd = { plugin_id: "compression_zstd", format_id: "test-1" };
    await registry.replace(source(0x10, zstd));
    await turn();
    const use = worker.use();
    equal((await use.registry.codec("compression_zstd").encode(utf8("x"), 1))[0], 0x10);
    equal(use.registry.codecForFormat("zstd-1").decoder, "built-in");
    await rejects(
      async () => await use.registry.codecForFormat("test-1").decode(utf8("?x"), 1),
      (error) => isKind(error, "data_damaged"),
    );
    use.release();
    registry.unload("compression_zstd");
    await turn();
    const after = worker.use();
    equal(after.registry.codec("compression_zstd").decoder, "built-in");
    after.release();
  }));
