import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { utf8, viewOf } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import type { PluginAnswer } from "./broker.ts";
import { type CapabilityName, moduleOfCapability } from "./capabilities.ts";
import { withCourier } from "./services/courier_fixture.ts";
import { ADDED, F64, I32, I64, op, type PluginParts, WRITE } from "./wasm_fixture.ts";

function run(name: CapabilityName, parts: PluginParts, isGranted = true): Promise<PluginAnswer> {
  const use = (pool: { call(call: object): Promise<PluginAnswer> }) =>
    pool.call({ verb: "execute", operation: "run", outputBytesMax: 1000 });
  return withCourier({ name }, undefined, use, { parts, grants: isGranted ? [{ name }] : [] });
}

const imported = (name: CapabilityName, func: string, parameters: number[], results: number[]) => [
  { module: moduleOfCapability(name), name: func, parameters, results },
];
const writeFrom0 = (length: number) => [op.const(0), op.const(length), WRITE, op.drop, op.const(0)];

Deno.test("a plugin with the clock knows the time, and how much of it passed", async () => {
  const tell = [op.const(0), ADDED, op.i64_store, ...writeFrom0(8)];
  const now = imported("clock", "now", [], [I64]), monotonic = imported("clock", "monotonic", [], [I64]);
  const { output } = await run("clock", { execute: tell, imports: now });
  const apartNs = viewOf(output).getBigInt64(0, true) - BigInt(systemClock.nowNs());
  ok(apartNs < 60_000_000_000n && apartNs > -60_000_000_000n, `${apartNs}`);
  const later = await run("clock", { execute: tell, imports: monotonic });
  ok(viewOf(later.output).getBigInt64(0, true) > 0n);
});

Deno.test("a plugin with random numbers gets other ones each time, however many", async () => {
  const execute = [op.const(65536), op.const(65536 * 3 + 1), ADDED, op.drop, op.const(65536), op.const(64), WRITE];
  const imports = imported("random", "fill", [I32, I32], [I32]);
  const [one, other] = [await run("random", { execute, imports }), await run("random", { execute, imports })];
  equal(new Set([...one.output]).size > 20, true);
  equal(one.output.every((byte, i) => byte === other.output[i]), false);
});

Deno.test("a plugin's numbers come with its answer, the last one of each name", async () => {
  const report = (value: number) => [op.const(0), op.const(4), op.const(value), op.f64_convert_i32_s, ADDED, op.drop];
  const imports = imported("metric", "report", [I32, I32, F64], [I32]);
  const parts = { execute: [...report(7), ...report(-9), op.const(0)], imports, data: utf8("rows and more") };
  deepEqual((await run("metric", parts)).metrics, [{ name: "rows", value: -9 }]);
  await rejects(run("metric", { ...parts, data: utf8("r\nws") }), /abi: it named a metric/);
});

Deno.test("what was not granted ends the call and names the capability", async (t) => {
  const cases: [CapabilityName, string, number[], number[]][] = [
    ["clock", "now", [], [I64]],
    ["random", "fill", [I32, I32], [I32]],
    ["kv", "keys", [I32, I32], [I32]],
    ["net.http", "response", [I32, I32], [I32]],
    ["repo", "response", [I32, I32], [I32]],
    ["files", "read", [I32, I32], [I32]],
  ];
  for (const [name, func, parameters, results] of cases) {
    await t.step(name, async () => {
      const execute = [...parameters.map(() => op.const(0)), ADDED, op.drop, op.const(0)];
      const called = run(name, { execute, imports: imported(name, func, parameters, results) }, false);
      await rejects(called, new RegExp(`capability_denied: it called ${func} of axiom:host/.*, and ${name} was not`));
    });
  }
});
