import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { EntryRun, mergeRuns } from "./entry_run.ts";

/** An entry that is told by the last word of its prefix alone. */
function wordsOf(value: number): Uint32Array {
  return Uint32Array.of(value >>> 16, 0, 0, value, 1, 2, 3, 4);
}

function runOf(values: readonly number[]): EntryRun {
  const run = new EntryRun();
  for (const value of values) run.append(wordsOf(value), 0);
  run.trim();
  return run;
}

function valuesOf(run: EntryRun): number[] {
  return Array.from({ length: run.count }, (_, i) => run.block(i)[run.at(i) + 3]);
}

function range(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
}

Deno.test("mergeRuns() takes each entry once, in order, at any length and in any range", async (t) => {
  const cases = [
    { name: "two empty runs", a: [], b: [] },
    { name: "one empty run", a: range(0, 3000), b: [] },
    { name: "a block each", a: range(0, 4096, 2), b: range(1, 4096, 2) },
    { name: "one more than a block", a: range(0, 2049), b: range(0, 2049) },
    { name: "one after the other", a: range(0, 3000), b: range(3000, 12_000) },
    { name: "one before the other", a: range(9000, 19_000), b: range(0, 2047) },
    { name: "one within the other", a: range(0, 10_000, 2), b: range(4000, 5000) },
    { name: "blocks that end together", a: range(0, 8192), b: range(0, 8192, 2) },
  ];
  for (const { name, a, b } of cases) {
    await t.step(name, () => {
      const expected = [...new Set([...a, ...b])].sort((x, y) => x - y);
      for (const [left, right] of [[a, b], [b, a]]) {
        const merged = mergeRuns(runOf(left), runOf(right));
        deepEqual(valuesOf(merged), expected);
        equal(merged.memoryBytes, 32 * expected.length);
      }
    });
  }
});

Deno.test("lowerBound() counts the entries below a prefix, whatever their spread", () => {
  const values = fc.uniqueArray(fc.oneof(fc.nat(50), fc.nat(2 ** 31 - 1), fc.integer({ min: 1000, max: 1100 })));
  fc.assert(fc.property(values, fc.nat(2 ** 31 - 1), (values, key) => {
    const sorted = values.sort((a, b) => a - b);
    const run = runOf(sorted);
    for (const wanted of [key, ...sorted, ...sorted.map((value) => value + 1)]) {
      const below = run.lowerBound(wordsOf(wanted));
      equal(below, sorted.filter((value) => value < wanted).length);
      ok(below === run.count || run.matches(below, wordsOf(wanted)) === sorted.includes(wanted));
    }
  }));
});
