import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { displayWidth, padded, shortened } from "./width.ts";

Deno.test("displayWidth() counts columns of a terminal", async (t) => {
  const cases = [
    { text: "", width: 0 },
    { text: "abc", width: 3 },
    { text: "Größe", width: 5 },
    { text: "e\u0301", width: 1 },
    { text: "a\u0300\u0301\u0302b", width: 2 },
    { text: "漢字", width: 4 },
    { text: "한글", width: 4 },
    { text: "ｱｲ", width: 2 },
    { text: "Ａ", width: 2 },
    { text: "😀", width: 2 },
    { text: "👨‍👩‍👧", width: 2 },
    { text: "🇩🇪", width: 2 },
    { text: "❤️", width: 2 },
    { text: "…", width: 1 },
    { text: "a\u200bb", width: 2 },
    { text: "Ω漢", width: 3 },
  ];
  for (const { text, width } of cases) await t.step(JSON.stringify(text), () => equal(displayWidth(text), width));
});

Deno.test("shortened() keeps the beginning and more of the end", async (t) => {
  const cases = [
    { text: "abc", columns: 3, expected: "abc" },
    { text: "abcdefghij", columns: 7, expected: "ab…ghij" },
    { text: "/home/user/documents/letter.txt", columns: 16, expected: "/home…letter.txt" },
    { text: "漢字漢字漢字", columns: 7, expected: "漢…漢字" },
    { text: "abc", columns: 1, expected: "…" },
    { text: "abc", columns: 0, expected: "" },
    { text: "e\u0301e\u0301e\u0301", columns: 3, expected: "e\u0301e\u0301e\u0301" },
  ];
  for (const { text, columns, expected } of cases) {
    await t.step(`${text} in ${columns}`, () => equal(shortened(text, columns), expected));
  }
});

Deno.test("shortened() and padded() never miss the width that they are given", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "ü", "漢", "😀", "e\u0301", "/", " "), maxLength: 40 });
  fc.assert(fc.property(text, fc.integer({ min: 0, max: 30 }), (some, columns) => {
    const short = shortened(some, columns);
    if (displayWidth(short) > columns) return false;
    if (displayWidth(some) <= columns && short !== some) return false;
    return displayWidth(padded(short, columns)) === columns &&
      displayWidth(padded(short, columns, "right")) === columns;
  }));
});

Deno.test("padded() aligns by width, not by length", () => {
  deepEqual(["漢", "e\u0301", "abcd"].map((text) => padded(text, 3)), ["漢 ", "e\u0301  ", "abcd"]);
  equal(padded("漢", 3, "right"), " 漢");
});
