import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Column, renderTable } from "./table.ts";
import { displayWidth } from "./width.ts";

const columns: Column[] = [
  { title: "ID" },
  { title: "Size", align: "right" },
  { title: "Paths", shrinks: true },
];

Deno.test("renderTable() aligns columns", async (t) => {
  const cases = [
    { name: "no rows", rows: [], expected: ["ID  Size  Paths"] },
    {
      name: "numbers to the right, no spaces at the end",
      rows: [["1a2b", "5 B", "/etc"], ["3c", "1.5 GiB", "/home"]],
      expected: ["ID       Size  Paths", "1a2b      5 B  /etc", "3c    1.5 GiB  /home"],
    },
    {
      name: "several lines in a cell",
      rows: [["1a", "5 B", ["/etc", "/home"]], ["2b", "6 B", []]],
      expected: ["ID  Size  Paths", "1a   5 B  /etc", "          /home", "2b   6 B"],
    },
    {
      name: "wide characters and combining marks",
      rows: [["漢", "1", "x"], ["e\u0301", "2", "y"]],
      expected: ["ID  Size  Paths", "漢     1  x", "e\u0301      2  y"],
    },
    {
      name: "control characters, line ends and bytes that are not UTF-8",
      rows: [["a\nb", "\x1b[31m", "\udcff"]],
      expected: ["ID          Size  Paths", "a\\x0ab  \\x1b[31m  \\xff"],
    },
    {
      name: "what shrinks gives way to the terminal",
      columnsMax: 33,
      rows: [["1a2b3c4d", "1.5 GiB", "/home/user/very/long/path"]],
      expected: ["ID           Size  Paths", "1a2b3c4d  1.5 GiB  /hom…long/path"],
    },
    {
      name: "but not to nothing",
      columnsMax: 10,
      rows: [["1a2b3c4d", "1.5 GiB", "/home/user/very/long/path"]],
      expected: ["ID           Size  Paths", "1a2b3c4d  1.5 GiB  /ho…ong/path"],
    },
  ];
  for (const { name, rows, expected, columnsMax } of cases) {
    await t.step(name, () => equal(renderTable(columns, rows, columnsMax), expected.join("\n")));
  }
});

Deno.test("renderTable() keeps every column at one place", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "漢", "é", "😀", "x"), minLength: 1, maxLength: 12 });
  fc.assert(fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 }), (rows) => {
    const lines = renderTable([{ title: "A" }, { title: "B" }], rows).split("\n");
    const places = lines.map((line) => displayWidth(line.slice(0, line.search(/\S+$/))));
    return new Set(places).size === 1;
  }));
});
