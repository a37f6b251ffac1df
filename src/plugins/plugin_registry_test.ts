import { deepStrictEqual as deepEqual, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { admit } from "./admission.ts";
import { manifestSection } from "./plugin_fixture.ts";
import type { PluginEvent } from "./plugin_events.ts";
import { PluginRegistry } from "./plugin_registry.ts";
import { wasmSource } from "./plugin_source.ts";
import { ifNextIs, LOOP_FOR_EVER, op, pluginModule, type PluginParts, tagged } from "./wasm_fixture.ts";

const ID = "compression_test";

function source(parts: PluginParts, version = "1.0.0", more: Record<string, unknown> = {}, instancesMax = 2) {
  const admitted = admit(pluginModule({ ...parts, sections: [manifestSection({ version, ...more })] }));
  return wasmSource(admitted, { granted: [], configuration: {}, instancesMax, clock: systemClock });
}

/** Of which every answer begins with its own byte, though each reads what the others wrote. */
const version = (n: number) => source({ execute: tagged(0x10 + n % 16) }, `1.0.${n}`);

async function withRegistry(use: (registry: PluginRegistry, events: PluginEvent[]) => Promise<void>): Promise<void> {
  const events: PluginEvent[] = [];
  const registry = new PluginRegistry({ clock: systemClock, onEvent: (event) => void events.push(event) });
  try {
    await use(registry, events);
  } finally {
    await registry.close();
  }
}

const switches = (events: readonly PluginEvent[]) =>
  events.flatMap((each) => each.type === "switched" ? [[each.cause, each.from?.number, each.to?.number]] : []);

const statesOf = (registry: PluginRegistry) => registry.list()[0].generations.map(({ state }) => state);

Deno.test("swaps under load: no call is lost or fails, and each answer is of the generation that its caller holds", async () => {
  const swaps = 20;
  await withRegistry(async (registry, events) => {
    await registry.replace(version(0), "load");
    let isOver = false, calls = 0;
    const served = new Set<number>();
    const caller = async (own: number) => {
      for (let i = 0; !isOver; i++) {
        const lease = registry.lease(ID), plain = utf8(`caller ${own}, call ${i}`);
        try {
          const encoded = await lease.run(() => lease.open.codec!.encode(plain.slice(), 1));
          equal(encoded[0], 0x10 + (lease.generation - 1) % 16);
          deepEqual(await lease.run(() => lease.open.codec!.decode(encoded.slice(), plain.length)), plain);
          served.add(lease.generation);
          calls++;
        } finally {
          lease.release();
        }
      }
    };
    const callers = Array.from({ length: 6 }, (_, own) => caller(own));
    for (let n = 1; n <= swaps; n++) {
      const generation = await registry.replace(version(n));
      const lease = registry.lease(ID);
      equal(lease.generation, generation.number);
      lease.release();
      const until = calls + 12;
      while (calls < until) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    isOver = true;
    await Promise.all(callers);
    await registry.settled();
    equal(served.size, swaps + 1);
    deepEqual(switches(events).map(([, from]) => from), [undefined, ...Array.from({ length: swaps }, (_, i) => i + 1)]);
    deepEqual(new Set(statesOf(registry)), new Set(["retired", "canary"]));
  });
});

Deno.test("a generation that is used again while it drains has not settled before its first calls end", async () => {
  await withRegistry(async (registry) => {
    registry.introduce(source({ execute: LOOP_FOR_EVER }, "1.0.0", { limits: { call_ms: 500 } }));
    const lease = registry.lease(ID);
    let isOver = false;
    const call = Promise.resolve(lease.open.codec!.encode(utf8("endless"), 1)).catch(() => isOver = true);
    lease.release();
    registry.unload(ID);
    registry.leaseOf(ID, lease.generation)!.release();
    await registry.settled();
    equal(isOver, true);
    await call;
  });
});

Deno.test("what may not be called is nothing to go back to: one fault on trial does not end the only one that may", async () => {
  await withRegistry(async (registry) => {
    await registry.replace(version(0), "load");
    await registry.replace(version(1));
    registry.refuse(
      ID,
      ({ plugin }) => plugin.version !== "1.0.0",
      () => new AxiomError("plugin_refused", "taken back"),
    );
    const lease = registry.lease(ID);
    lease.fault("late");
    lease.release();
    equal(registry.list()[0].current?.plugin.version, "1.0.1");
    throws(() => registry.rollBack(ID), { kind: "plugin_missing" });
  });
});

Deno.test("a call in flight finishes on the old generation, which ends after it", async () => {
  await withRegistry(async (registry) => {
    await registry.replace(version(0), "load");
    const lease = registry.lease(ID);
    await registry.replace(version(1));
    deepEqual(statesOf(registry), ["draining", "canary"]);
    const encoded = await lease.run(() => lease.open.codec!.encode(utf8("late"), 1));
    equal(encoded[0], 0x10);
    lease.release();
    await registry.settled();
    deepEqual(statesOf(registry), ["retired", "canary"]);
  });
});

Deno.test("what cannot take over is rejected, and the old generation goes on", async (t) => {
  const cases = [
    { name: "does not validate", next: () => source({ validate: [op.const(11)] }), text: /internal/ },
    { name: "loses data", next: () => source({ execute: [op.const(0)] }), text: /instead of|other bytes/ },
    {
      name: "does not read what the old one wrote",
      next: () => source({ execute: tagged(0x20) }, "2.0.0"),
      text: /cannot decode .* that 1.0.0 encoded/,
    },
    { name: "traps", next: () => source({ execute: [op.unreachable] }), text: /trap/ },
  ];
  for (const { name, next, text } of cases) {
    await t.step(name, () =>
      withRegistry(async (registry) => {
        await registry.replace(version(0), "load");
        await rejects(async () => await registry.replace(next()), text);
        deepEqual(statesOf(registry), ["canary", "rejected"]);
        const lease = registry.lease(ID);
        equal((await lease.open.codec!.encode(utf8("x"), 1))[0], 0x10);
        lease.release();
      }));
  }
});

Deno.test("one that no longer works can be replaced", async () => {
  await withRegistry(async (registry) => {
    registry.introduce(source({ execute: [op.unreachable] }));
    await registry.replace(version(1));
    deepEqual(statesOf(registry).at(-1), "canary");
    const lease = registry.lease(ID);
    equal((await lease.open.codec!.encode(utf8("x"), 1))[0], 0x11);
    lease.release();
  });
});

/** Traps for an input that begins with `!`. */
const MOODY: PluginParts = { execute: [...ifNextIs("!", [op.unreachable]), op.const(0)] };
const processing = { category: "processing", format_id: undefined, config_schema: undefined };

Deno.test("a fault on trial brings the old generation back, with the evidence", async () => {
  await withRegistry(async (registry, events) => {
    await registry.replace(source({}, "1.0.0", processing), "load");
    await registry.replace(source(MOODY, "2.0.0", processing));
    const lease = registry.lease(ID);
    const call = (text: string) => lease.call({ verb: "execute", operation: "run", input: utf8(text) });
    await call("fine");
    await rejects(() => call("!"), /trap/);
    lease.release();
    const now = registry.lease(ID);
    equal(now.generation, 1);
    await now.call({ verb: "execute", operation: "run", input: utf8("!") });
    now.release();
    deepEqual(switches(events).at(-1), ["quarantine", 2, 1]);
    const last = events.findLast((event) => event.type === "switched")!;
    equal(/trap/.test(last.reason!) && last.reason!.includes("compression_test 2.0.0"), true, last.reason);
    throws(() => registry.rollBack(ID), (error) => isKind(error, "plugin_missing"));
  });
});

Deno.test("one that stands alone is in quarantine after three faults, and says so", async () => {
  await withRegistry(async (registry) => {
    await registry.replace(source(MOODY, "1.0.0", processing), "load");
    for (let i = 0; i < 3; i++) {
      const lease = registry.lease(ID);
      await rejects(() => lease.call({ verb: "execute", operation: "run", input: utf8("!") }), /trap/);
      lease.release();
    }
    throws(() => registry.lease(ID), /quarantine.*trap/);
  });
});

Deno.test("a rollback is at once, and again", async () => {
  await withRegistry(async (registry) => {
    await registry.replace(version(0), "load");
    await registry.replace(version(1));
    for (const expected of [1, 2]) {
      equal(registry.rollBack(ID).number, expected);
      const lease = registry.lease(ID);
      equal((await lease.open.codec!.encode(utf8("x"), 1))[0], 0x10 + expected - 1);
      lease.release();
    }
  });
});
