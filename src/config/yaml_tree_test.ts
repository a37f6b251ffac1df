import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { concat, utf8 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { readYaml, type Tree } from "./yaml_tree.ts";

/** Without places. */
function plain(tree: Tree): unknown {
  if (tree.kind === "nothing") return null;
  if (tree.kind === "text") return tree.text;
  if (tree.kind === "list") return tree.items.map(plain);
  return tree.entries.map(({ key, value }) => [key, plain(value)]);
}

Deno.test("readYaml() keeps scalars as text", async (t) => {
  const cases: [name: string, text: string, expected: unknown][] = [
    ["empty file", "", null],
    ["only comments", "# nothing\n\n", null],
    ["numbers, booleans and dates", "a: 007\nb: yes\nc: 2026-01-01\nd: 1.50", [["a", "007"], ["b", "yes"], [
      "c",
      "2026-01-01",
    ], ["d", "1.50"]]],
    ["nothing in three ways", "a:\nb: ~\nc: null\nd: ''\ne: 'null'", [
      ["a", null],
      ["b", null],
      ["c", null],
      ["d", ""],
      ["e", "null"],
    ]],
    ["CRLF", "a: 1\r\nb:\r\n  - x\r\n", [["a", "1"], ["b", ["x"]]]],
    ["byte order mark", "\ufeffa: 1", [["a", "1"]]],
    ["block text", "a: |\n  x\n  y\n", [["a", "x\ny\n"]]],
    ["names of Object", "__proto__: 1\nconstructor: 2", [["__proto__", "1"], ["constructor", "2"]]],
    ["aliases", "a: &x [1, 2]\nb: *x", [["a", ["1", "2"]], ["b", ["1", "2"]]]],
    ["an anchor that is given twice", "a: &x 1\nb: *x\nc: &x 2\nd: *x", [["a", "1"], ["b", "1"], ["c", "2"], [
      "d",
      "2",
    ]]],
    ["standard tags", "a: !!str 1", [["a", "1"]]],
    ["a name beyond ASCII", "a: 日本 é 😀", [["a", "日本 é 😀"]]],
  ];
  for (const [name, text, expected] of cases) {
    await t.step(name, () => {
      const { tree, issues } = readYaml(utf8(text), "f");
      deepEqual(issues, []);
      deepEqual(plain(tree), expected);
    });
  }
});

Deno.test("readYaml() knows the place of everything", () => {
  const { tree } = readYaml(utf8("\ufeffa:\r\n  - x\r\n  - 'y'\r\nb: &n {c: 1}\r\nd: *n\r\n"), "f");
  ok(tree.kind === "map");
  const [a, b, d] = tree.entries;
  deepEqual([a.at, a.value.at], ["f:1:1", "f:2:3"]);
  deepEqual(a.value.kind === "list" && a.value.items.map(({ at }) => at), ["f:2:5", "f:3:5"]);
  deepEqual(b.value.kind === "map" && [b.value.at, b.value.entries[0].at, b.value.entries[0].value.at], [
    "f:4:7",
    "f:4:8",
    "f:4:11",
  ]);
  deepEqual(
    d.value.kind === "map" && d.value.entries[0].value.at,
    "f:5:4",
    "what an alias brings is where the alias stands",
  );
});

Deno.test("readYaml() reports what it cannot take, with the place", async (t) => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n` +
    [..."bcdefghi"].map((name, i) => `${name}: &${name} [${Array(10).fill(`*${"abcdefghi"[i]}`).join(", ")}]\n`).join(
      "",
    );
  const cases: [name: string, data: string | Uint8Array, origin: string, message: RegExp][] = [
    ["a key given twice", "a: 1\nb: 2\na: 3\n", "f:3:1", /each key once, found "a" again, first at f:1:1/],
    ["a key given twice inside", "x:\n  a: 1\n  a: 1\n", "f:3:3", /each key once/],
    ["a tab", "a:\n\tb: 1\n", "f:2:1", /expected spaces .* found a tab/],
    ["a pattern without quotes", "exclude:\n  - *.tmp\n", "f:2:5", /found "\*\.tmp", an alias of nothing/],
    ["a file that is no YAML, perhaps a secret", "*secret", "f:1:1", /expected a value, found an alias of nothing/],
    ["another one", "%secret", "f:1:8", /Missing directives-end indicator/],
    ["an alias before its anchor", "a: *x\nb: &x 1\n", "f:1:4", /alias of nothing/],
    ["a negated pattern without quotes", "exclude:\n  - !keep\n", "f:2:5", /YAML tag/],
    ["an object of another language", "a: !!js/function 'x'\n", "f:1:4", /YAML tag/],
    ["two colons", "a: b: c\n", "f:1:4", /second ":"/],
    ["a second document", "a: 1\n---\nb: 2\n", "f:2:1", /second document/],
    ["a text that does not end", 'a: "x\n', "f:2:1", /not YAML: Missing closing/],
    ["a broken indent", "a:\n  b: 1\n c: 2\n", "f:3:1", /not YAML/],
    ["a list as key", "[a, b]: 1\n", "f:1:1", /name before the colon/],
    ["no key", ": 1\n", "f:1:1", /name before the colon/],
    ["an alias bomb", bomb, "f:5:", /at most 100000 values/],
    ["an alias of itself", "a: &a [*a]\n", "f:1:8", /at most 32 levels/],
    ["many levels", "[".repeat(100) + "]".repeat(100), "f:1:34", /at most 32 levels/],
    ["levels without end", "[".repeat(100_000), "f:1:", /at most 32 levels|not YAML/],
    ["not UTF-8", concat([utf8("a: 1\nb: é"), Uint8Array.of(0xff)]), "f:2:5", /expected UTF-8, found the byte 0xff/],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x61, 0), "f", /UTF-16/],
    ["too large", new Uint8Array(LIMITS.configFileBytesMax + 1).fill(0x20), "f", /at most \d+ bytes/],
  ];
  for (const [name, data, origin, message] of cases) {
    await t.step(name, () => {
      const { issues } = readYaml(typeof data === "string" ? utf8(data) : data, "f");
      equal(issues[0]?.origin.startsWith(origin), true, `${issues[0]?.origin}: ${issues[0]?.message}`);
      match(issues[0].message, message);
      ok(issues.every((issue) => !issue.message.includes("secret")));
      ok(issues.length <= LIMITS.configErrorsMax);
    });
  }
});
