import {
  deepStrictEqual as deepEqual,
  notDeepStrictEqual as notDeepEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { parseDataSelection, type SelectablePack, selectPacks } from "./data_selection.ts";

function packsOf(sizes: readonly number[]): SelectablePack[] {
  return sizes.map((storedBytes, i) => ({ name: createHash("sha256").update(`pack ${i}`).digest("hex"), storedBytes }));
}

const MIB = 1024 * 1024;
const packs = packsOf(Array.from({ length: 200 }, (_, i) => (i % 7 + 1) * MIB));

Deno.test("parseDataSelection() takes parts, percentages and sizes", () => {
  const cases: [string, unknown][] = [
    ["1/1", { kind: "part", part: 1, of: 1 }],
    [" 3/7 ", { kind: "part", part: 3, of: 7 }],
    ["2.5%", { kind: "percent", percent: 2.5, seed: "s" }],
    ["100 %", { kind: "percent", percent: 100, seed: "s" }],
    ["10GiB", { kind: "bytes", bytes: 10 * 1024 * MIB, seed: "s" }],
    ["4096", { kind: "bytes", bytes: 4096, seed: "s" }],
  ];
  for (const [text, selection] of cases) deepEqual(parseDataSelection(text, "s"), selection, text);
});

Deno.test("parseDataSelection() takes nothing else", () => {
  const texts = [
    "",
    "0/3",
    "4/3",
    "1/0",
    "-1/3",
    "1/70000",
    "1/3/5",
    "0%",
    "101%",
    "-5%",
    "5 percent",
    "0",
    "10GB",
    "all",
  ];
  for (const text of texts) equal(parseDataSelection(text, "s"), undefined, text);
});

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
  for (const text of ["1/2", "50%", "1GiB"]) deepEqual(selectPacks([], parseDataSelection(text, "s")!), []);
  deepEqual(selectPacks([], { kind: "all" }), []);
});
