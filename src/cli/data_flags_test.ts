import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import { type DataChoice, dataSelection } from "./data_flags.ts";

const random = (length: number) => new Uint8Array(length);

Deno.test("dataSelection() refuses what says two things, or nothing", async (t) => {
  const percent = { kind: "percent", percent: 5 } as const, part = { kind: "part", part: 1, parts: 7 } as const;
  const cases: { name: string; choice: DataChoice; seed?: string; expected: unknown }[] = [
    { name: "nothing", choice: { readData: false }, expected: undefined },
    { name: "all", choice: { readData: true }, expected: { kind: "all" } },
    { name: "a part", choice: { readData: false, readDataSubset: part }, expected: { kind: "part", part: 1, of: 7 } },
    {
      name: "a share that was drawn before",
      choice: { readData: false, readDataSubset: percent },
      seed: "ab",
      expected: { kind: "percent", percent: 5, seed: "ab" },
    },
    { name: "both", choice: { readData: true, readDataSubset: part }, expected: /all data and only a part/ },
    { name: "a seed alone", choice: { readData: false }, seed: "ab", expected: /Cannot use --seed/ },
    { name: "a seed of all", choice: { readData: true }, seed: "ab", expected: /Cannot use --seed/ },
    {
      name: "a seed of a part",
      choice: { readData: false, readDataSubset: part },
      seed: "ab",
      expected: /Cannot use --seed/,
    },
  ];
  for (const { name, choice, seed, expected } of cases) {
    await t.step(name, () => {
      const call = () => dataSelection(choice, seed, random);
      if (expected instanceof RegExp) throws(call, { kind: "usage", message: expected });
      else deepEqual(call(), expected);
    });
  }
});
