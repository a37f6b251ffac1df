import { strictEqual as equal } from "node:assert/strict";
import { isRange, satisfies, VERSION_PATTERN } from "./semver.ts";

Deno.test("satisfies() reads ranges as npm does", async (t) => {
  const cases: [range: string, inside: string[], outside: string[]][] = [
    ["*", ["0.0.1", "9.9.9"], ["1.0.0-a"]],
    ["", ["1.0.0"], []],
    ["1.2.3", ["1.2.3", "1.2.3+build"], ["1.2.4", "1.2.3-a"]],
    ["=1.2.3", ["1.2.3"], ["1.2.2"]],
    ["1", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.9", "2.0.0-a"]],
    ["1.2.x", ["1.2.0", "1.2.9"], ["1.3.0"]],
    ["^1.2", ["1.2.0", "1.9.0"], ["1.1.9", "2.0.0", "2.0.0-rc.1"]],
    ["^0.2.3", ["0.2.3", "0.2.9"], ["0.2.2", "0.3.0"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4"]],
    ["^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]],
    ["^0", ["0.0.0", "0.9.9"], ["1.0.0"]],
    ["~1.2.3", ["1.2.3", "1.2.9"], ["1.2.2", "1.3.0"]],
    ["~1.2", ["1.2.0"], ["1.3.0"]],
    ["~1", ["1.0.0", "1.9.0"], ["2.0.0"]],
    [">=1 <2", ["1.0.0", "1.5.0"], ["0.9.9", "2.0.0", "2.0.0-a"]],
    [">= 1.2 < 1.4", ["1.2.0", "1.3.9"], ["1.4.0"]],
    [">1", ["2.0.0"], ["1.9.9", "1.0.0"]],
    [">1.2.3", ["1.2.4"], ["1.2.3"]],
    ["<=1.2", ["1.2.9", "0.1.0"], ["1.3.0"]],
    ["<=1.2.3", ["1.2.3"], ["1.2.4"]],
    ["^1 || ^3", ["1.1.0", "3.1.0"], ["2.0.0"]],
    ["^1.0.0-beta.2", ["1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "1.1.0"], ["1.0.0-beta.1", "1.1.0-beta.3", "2.0.0"]],
  ];
  for (const [range, inside, outside] of cases) {
    await t.step(range, () => {
      for (const version of inside) equal(satisfies(version, range), true, version);
      for (const version of outside) equal(satisfies(version, range), false, version);
    });
  }
});

Deno.test("what is no version or no range is neither", () => {
  for (const text of ["1.2", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", "1.2.3 ", "", "1.2.3\n"]) {
    equal(new RegExp(VERSION_PATTERN).test(text), false, text);
  }
  for (const text of ["one", "1.2.3.4", ">*", "1.x.3", "^", ">=1 &&", "1 | 2", "1.2-a", "x".repeat(300)]) {
    equal(isRange(text), false, text);
  }
});
