import {
  deepStrictEqual as deepEqual,
  notDeepStrictEqual as notDeepEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type DataSelection, type SelectablePack, selectPacks } from "./data_selection.ts";

function packsOf(sizes: readonly number[]): SelectablePack[] {
  return sizes.map((storedBytes, i) => ({ name: createHash("sha256").update(`pack ${i}`).digest("hex"), storedBytes }));
}

const MIB = 1024 * 1024;
const packs = packsOf(Array.from({ length: 200 }, (_, i) => (i % 7 + 1) * MIB));

Deno.test("selectPacks() gives every pack to exactly one part, always the same", () => {
  for (const count of [1, 2, 7, 100]) {
    const parts = Array.from({ length: count }, (_, i) => selectPacks(packs, { kind: "part", part: i + 1, of: count }));
    deepEqual(parts.flat().map(({ name }) => name).sort(), packs.map(({ name }) => name).sort());
    const later = selectPacks([...packs, ...packsOf([])].reverse(), { kind: "part", part: 1, of: count });
    deepEqual(later, parts[0]);
  }
});

Deno.test("selectPacks() draws the same sample for the same seed, as large as asked for and no more than a pack larger", () => {
  const all = packs.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const bytesOf = (chosen: readonly SelectablePack[]) => chosen.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  fc.assert(fc.property(fc.string(), fc.double({ min: 0.001, max: 100, noNaN: true }), (seed, percent) => {
    const chosen = selectPacks(packs, { kind: "percent", percent, seed });
    deepEqual(selectPacks(packs.toReversed(), { kind: "percent", percent, seed }), chosen);
    const wanted = all * percent / 100;
    ok(bytesOf(chosen) >= wanted && bytesOf(chosen) < wanted + 7 * MIB, `${bytesOf(chosen)} of ${wanted}`);
  }));
  const one = selectPacks(packs, { kind: "bytes", bytes: 1, seed: "a" });
  equal(one.length, 1);
  notDeepEqual(
    selectPacks(packs, { kind: "bytes", bytes: 50 * MIB, seed: "b" }),
    selectPacks(packs, { kind: "bytes", bytes: 50 * MIB, seed: "a" }),
  );
  equal(selectPacks(packs, { kind: "bytes", bytes: 2 * all, seed: "a" }).length, packs.length);
});

Deno.test("samples of many seeds reach every pack", () => {
  const reached = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    for (const { name } of selectPacks(packs, { kind: "percent", percent: 10, seed: String(seed) })) reached.add(name);
  }
  equal(reached.size, packs.length);
});

Deno.test("selectPacks() of no packs is none", () => {
  const selections: DataSelection[] = [
    { kind: "part", part: 1, of: 2 },
    { kind: "percent", percent: 50, seed: "s" },
    { kind: "bytes", bytes: MIB, seed: "s" },
  ];
  for (const selection of selections) deepEqual(selectPacks([], selection), []);
  deepEqual(selectPacks([], { kind: "all" }), []);
});
