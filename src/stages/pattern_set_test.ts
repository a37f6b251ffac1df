import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import ignore from "ignore";
import { nameMatcher } from "./name_table.ts";
import { PatternSet, relativeTo } from "./pattern_set.ts";

const patterns = (...texts: string[]) => texts.map((text) => ({ text, ignoreCase: false, origin: "test" }));

/** Which of `paths` are left out; a `/` at the end makes a folder. Like the scan, it does not ask below what is left out. */
function leftOut(texts: string[], paths: string[], ignoreCase = false): string[] {
  const set = new PatternSet(patterns(...texts).map((pattern) => ({ ...pattern, ignoreCase })), "/src", ["/src"]);
  return paths.filter((path) => {
    const names = path.split("/").filter((name) => name !== "");
    return names.some((_, i) => set.find(names.slice(0, i + 1).join("/"), i + 1 < names.length || path.endsWith("/")));
  });
}

Deno.test("PatternSet follows gitignore(5)", async (t) => {
  const cases: [name: string, patterns: string[], out: string[], kept: string[]][] = [
    ["a name anywhere", ["a.o"], ["a.o", "x/a.o", "a.o/", "a.o/y"], ["b.o", "a.oo", "xa.o"]],
    ["an extension", ["*.o"], ["a.o", ".o", "x/a.b.o"], ["a.O", "o", "a.o.c"]],
    ["a longer extension", ["*.tar.gz"], ["a.tar.gz", "a.b.tar.gz", ".tar.gz"], ["a.gz", "tar.gz"]],
    ["a folder", ["build/"], ["build/", "x/build/", "build/y"], ["build", "x/build"]],
    ["from the source", ["/build"], ["build", "build/x"], ["x/build"]],
    ["a path", ["doc/*.txt"], ["doc/a.txt"], ["doc/x/a.txt", "x/doc/a.txt"]],
    ["any folders before", ["**/doc/*.txt"], ["doc/a.txt", "x/y/doc/a.txt"], ["doc/x/a.txt"]],
    ["any folders between", ["a/**/b"], ["a/b", "a/x/b", "a/x/y/b"], ["b", "x/a/b"]],
    ["everything below", ["a/**"], ["a/x", "a/x/y", "a/x/"], ["a/", "b/a/x"]],
    ["taken back", ["*.o", "!keep.o"], ["a.o"], ["keep.o", "x/keep.o"]],
    ["taken back, and again left out", ["*.o", "!keep.o", "x/keep.o"], ["a.o", "x/keep.o"], ["keep.o", "y/keep.o"]],
    ["not taken back out of a folder", ["x/", "!x/keep"], ["x/", "x/keep"], ["keep"]],
    ["taken back step by step", ["/a/*", "!/a/b/", "/a/b/*.o"], ["a/x", "a/b/x.o"], ["a/b/", "a/b/x.c"]],
    ["a folder taken back, not its content", ["*.o", "!/a/"], ["a/x.o"], ["a/", "a/y"]],
    ["all but", ["/*", "!/keep"], ["a", "b/x"], ["keep", "keep/x"]],
    ["escaped signs", ["\\!a", "\\#b", "c\\*"], ["!a", "#b", "c*"], ["a", "b", "cx"]],
    ["spaces", ["a b", " c", "d\\ ", "e  "], ["a b", " c", "d ", "e"], ["ab", "c", "d", "e  "]],
    ["brackets", ["[ab].[!c]", "x[[:digit:]]"], ["a.d", "b.x", "x1"], ["c.d", "a.c", "xx"]],
    ["a question mark", ["a?c", "b/?"], ["abc", "b/x"], ["ac", "a/c", "b/xy"]],
    ["a newline in the name", ["*.o", "a/**", "x*y"], ["a\nb.o", "a/\n", "a/\n/x", "x\ny"], ["a\n.oo", "\n"]],
    ["bytes that are not UTF-8", ["\udcff*", "*.\udc80", "x?y"], ["\udcff", "\udcffa", "a.\udc80", "x\udcfey"], [
      "\udcfe",
      "a.\udc81",
    ]],
    ["a backslash in the name", ["a\\\\b", "*.o"], ["a\\b", "\\.o"], ["ab", "\\"]],
    ["dots", ["...", ".?*"], ["...", ".x", "..x", "x/..."], ["x.", "a...b"]],
    ["signs of regular expressions", ["a+b", "(c)", "d{1}", "e|f", "^g$", "h.i"], [
      "a+b",
      "(c)",
      "d{1}",
      "e|f",
      "^g$",
      "h.i",
    ], ["aab", "c", "d", "e", "g", "hxi"]],
    ["names of Object", ["__proto__", "constructor"], ["__proto__", "x/constructor"], ["toString", "hasOwnProperty"]],
    ["letters beyond ASCII", ["é*", "日本"], ["éa", "日本", "x/日本/y"], ["e", "日"]],
  ];
  for (const [name, texts, out, kept] of cases) {
    await t.step(name, () => deepEqual(leftOut(texts, [...out, ...kept]), out));
  }
});

Deno.test("PatternSet folds case where it was asked to", () => {
  const out = ["A.TMP", "Build/", "x/bUILD/", "Doc/a.O", "É1", "ÀB"];
  deepEqual(leftOut(["*.tmp", "build/", "/doc/*.o", "é?", "[à]b"], [...out, "a.tm", "build"], true), out);
  const mixed = new PatternSet([...patterns("*.tmp"), { text: "*.BAK", ignoreCase: true, origin: "i" }], "/", ["/"]);
  equal(mixed.find("a.TMP", false), undefined);
  equal(mixed.find("a.bak", false)?.origin, "i");
});

Deno.test("PatternSet says which pattern left an entry out", () => {
  const set = new PatternSet(patterns("*.o", "x*.o", "!a.o", "/d/*.o", "\\!b"), "/s", ["/s"]);
  equal(set.find("b.o", false)?.text, "*.o");
  equal(set.find("d/a.o", false)?.text, "/d/*.o");
  equal(set.find("!b", false)?.text, "\\!b");
  equal(set.find("a.o", false), undefined);
  equal(set.find("", true), undefined, "the source itself");
});

Deno.test("PatternSet agrees with the library on any patterns and paths", () => {
  const name = fc.stringMatching(/^[abAB.~]{1,3}$/).filter((text) => text !== "." && text !== "..");
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
  const piece = fc.stringMatching(/^([abAB.~?*]|\[ab\]|\[!b\]|\\\*|\\a){1,4}$/);
  const segment = fc.oneof({ weight: 4, arbitrary: piece }, fc.constant("**")).filter((text) =>
    text !== "." && text !== ".."
  );
  const pattern = fc.tuple(
    fc.constantFrom("", "", "!"),
    fc.constantFrom("", "/"),
    fc.array(segment, { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "", "/"),
  )
    .map(([sign, root, segments, end]) => sign + root + segments.join("/") + end);
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 6 }),
      fc.array(path, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (texts, paths, ignoreCase) => {
        const library = ignore({ ignoreCase }).add(texts.map((text) => ({ pattern: text })));
        for (const each of paths) {
          deepEqual(
            leftOut(texts, [each], ignoreCase).length > 0,
            library.ignores(each),
            JSON.stringify([texts, each]),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("relativeTo() takes patterns from the root of the file system where they lead into a source", async (t) => {
  const sources = ["/home/ann", "/etc"];
  const cases: [pattern: string, source: string, expected: string[]][] = [
    ["/home/ann/.cache", "/home/ann", ["/.cache"]],
    ["/home/ann/.cache/", "/home/ann", ["/.cache/"]],
    ["!/home/ann/.cache", "/home/ann", ["!/.cache"]],
    ["/home/*/.cache", "/home/ann", ["/.cache"]],
    ["/home/**/node_modules", "/home/ann", ["/**/node_modules"]],
    ["/home/**/ann/x", "/home/ann", ["/**/ann/x", "/x"]],
    ["/home/ann/**", "/home/ann", ["/**"]],
    ["/home/ann/a/b/*.o", "/home/ann", ["/a/b/*.o"]],
    ["/home/ann/.cache", "/etc", []],
    ["/etc/ssl", "/etc", ["/ssl"]],
    ["/etc/ssl", "/home/ann", []],
    ["/home/bob/.cache", "/home/ann", ["/home/bob/.cache"]],
    ["/home/ann", "/home/ann", ["/home/ann"]],
    ["/home", "/home/ann", ["/home"]],
    ["/build", "/home/ann", ["/build"]],
    ["/*/ann/x", "/home/ann", ["/*/ann/x"]],
    ["**/x", "/home/ann", ["**/x"]],
    ["*.o", "/home/ann", ["*.o"]],
    ["home/ann/x", "/home/ann", ["home/ann/x"]],
    ["/home/annx/y", "/home/ann", ["/home/annx/y"]],
  ];
  for (const [pattern, source, expected] of cases) {
    await t.step(`${pattern} in ${source}`, () => deepEqual(relativeTo(pattern, source, sources).sort(), expected));
  }
  await t.step("the root as source", () => deepEqual(relativeTo("/proc", "/", ["/"]), ["/proc"]));
  await t.step("a source with wildcards in its name", () => {
    deepEqual(relativeTo("/d/\\[x\\]/a", "/d/[x]", ["/d/[x]"]), ["/a"]);
    deepEqual(relativeTo("/d/x/a", "/d/[x]", ["/d/[x]"]), ["/d/x/a"]);
  });
});

Deno.test("nameMatcher() compares one name", () => {
  const cases: [pattern: string, name: string, matches: boolean][] = [
    ["*", ".hidden", true],
    ["**", "a", true],
    ["a*", "a\nb", true],
    ["!a", "!a", true],
    ["#a", "#a", true],
    ["a ", "a ", true],
    ["a ", "a", false],
    ["[a-c]?", "bx", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a", "A", false],
    ["*", "", false],
    ["", "a", false],
    ["?", "\udcff", true],
  ];
  for (const [pattern, name, matches] of cases) equal(nameMatcher(pattern)(name), matches, `${pattern} ${name}`);
});
