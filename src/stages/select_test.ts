import { deepStrictEqual as deepEqual, match, strictEqual as equal, throws } from "node:assert/strict";
import { concat, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { flagPatterns, parsePatternFile } from "./pattern_list.ts";
import { CACHE_TAG, makeSelectors, type SelectionOptions } from "./select.ts";

const NONE: SelectionOptions = {
  patterns: [],
  tags: [],
  excludeCaches: false,
  largerThanBytes: undefined,
  oneFileSystem: false,
};
const SOURCE = { path: "/src", device: "1" };

const selectorOf = (options: Partial<SelectionOptions>, source = SOURCE) =>
  makeSelectors({ ...NONE, ...options }, [source])[0];
const ALL = { content: "all" } as const;

Deno.test("a selector without rules keeps everything", () => {
  const selector = selectorOf({});
  for (const name of ["a", " a", "a\nb", "\\", "!", "#", "\udcff", "...", "-", "*", "[", "a/", "__proto__"]) {
    deepEqual(selector.selectEntry(name, "file", 2 ** 50, "9"), { keep: true, descend: true }, name);
  }
});

Deno.test("selectEntry() leaves out by pattern and by size, and says why", () => {
  const selector = selectorOf({ patterns: flagPatterns(["*.o", "x/", "#1"], "--exclude"), largerThanBytes: 100 });
  const left = (path: string, type: "file" | "dir" | "symlink", sizeBytes = 0) => {
    const decision = selector.selectEntry(path, type, sizeBytes, "1");
    return decision.keep ? undefined : `${decision.reason}: ${decision.by}`;
  };
  equal(left("d/a.o", "file"), "pattern: *.o (--exclude)");
  equal(left("x", "dir"), "pattern: x/ (--exclude)");
  equal(left("x", "symlink"), undefined, "a link to a folder is no folder");
  equal(left("#1", "file"), "pattern: \\#1 (--exclude)", "in a flag, # begins no comment");
  equal(left("a", "file", 100), undefined);
  equal(left("a", "file", 101), "size: 101 bytes");
  equal(left("a", "dir", 4096), undefined, "folders have no size of their own");
});

Deno.test("selectEntry() keeps a folder in which another file system begins, empty", () => {
  const selector = selectorOf({ oneFileSystem: true });
  deepEqual(selector.selectEntry("mnt", "dir", 0, "2"), { keep: true, descend: false });
  deepEqual(selector.selectEntry("mnt", "dir", 0, "1"), { keep: true, descend: true });
  deepEqual(
    selector.selectEntry("file", "file", 0, "2"),
    { keep: true, descend: true },
    "overlays show files with other devices",
  );
  deepEqual(selectorOf({}).selectEntry("mnt", "dir", 0, "2"), { keep: true, descend: true });
});

Deno.test("failure 30: sources that were named are kept, whatever the rules say", () => {
  const selector = selectorOf({
    patterns: flagPatterns(["src", "/src", "*"], "--exclude"),
    tags: [{ name: ".nobackup" }],
    oneFileSystem: true,
  });
  deepEqual(selector.selectEntry("", "dir", 0, "2"), { keep: true, descend: true });
  deepEqual(selector.selectFolder("", [".nobackup", "a"], () => undefined), ALL);
  deepEqual(selector.selectFolder("sub", [".nobackup", "a"], () => undefined), { content: "tag", name: ".nobackup" });
});

Deno.test("selectFolder() keeps the tag alone of a folder that is tagged", async (t) => {
  const signature = utf8(CACHE_TAG.header!);
  equal(signature.length, 43);
  const files: Record<string, Uint8Array> = {
    "CACHEDIR.TAG": concat([signature, utf8("\n# by a program")]),
    ".skip": utf8("yes"),
  };
  const read = (name: string, bytesMax: number): Uint8Array | undefined => files[name]?.subarray(0, bytesMax);
  const folder = (options: Partial<SelectionOptions>, names: string[], readFirst = read) =>
    selectorOf(options).selectFolder("sub", names, readFirst);
  const caches = { excludeCaches: true };
  const names = ["a", "CACHEDIR.TAG", "b", ".skip"];
  const tagged = { content: "tag", name: "CACHEDIR.TAG" };
  await t.step("a cache", () => deepEqual(folder(caches, names), tagged));
  await t.step("a cache, when nobody asked", () => deepEqual(folder({}, names), ALL));
  await t.step("no tag", () => deepEqual(folder(caches, ["a", "cachedir.tag"]), ALL));
  await t.step(
    "a signature that is wrong",
    () => deepEqual(folder(caches, names, () => signature.map((byte) => byte ^ 1)), ALL),
  );
  await t.step("a signature cut off", () => deepEqual(folder(caches, names, () => signature.subarray(0, 42)), ALL));
  await t.step("a tag that cannot be read", () => deepEqual(folder(caches, names, () => undefined), ALL));
  await t.step("asks for no more than the header", () => {
    const asked: [string, number][] = [];
    folder(caches, names, (name, bytesMax) => void asked.push([name, bytesMax]));
    deepEqual(asked, [["CACHEDIR.TAG", 43]]);
  });
  const skip = (header?: string) =>
    folder({ tags: [{ name: ".skip", ...(header === undefined ? {} : { header }) }] }, names);
  await t.step("a tag by name", () => deepEqual(skip(), { content: "tag", name: ".skip" }));
  await t.step("a tag by its beginning", () => deepEqual(skip("ye"), { content: "tag", name: ".skip" }));
  await t.step("a tag with another beginning", () => deepEqual(skip("no"), ALL));
  await t.step("a tag longer than the file", () => deepEqual(skip("yes!"), ALL));
});

Deno.test("selectors of several sources each see patterns from the root of the file system", () => {
  const patterns = flagPatterns(["/home/ann/.cache", "/etc/ssl", "/tmp"], "--exclude");
  const sources = ["/home/ann", "/etc"].map((path) => ({ path, device: "1" }));
  const [home, etc] = makeSelectors({ ...NONE, patterns }, sources);
  const keeps = (selector: typeof home, path: string) => selector.selectEntry(path, "dir", 0, "1").keep;
  deepEqual([".cache", "x/.cache", "etc/ssl", "tmp"].map((path) => keeps(home, path)), [false, true, true, false]);
  deepEqual(["ssl", "x/ssl", "home/ann/.cache", "tmp"].map((path) => keeps(etc, path)), [false, true, true, false]);
});

Deno.test("(15) of a source whose device is not known nothing is another file system, and of what is around it all else is", () => {
  const sources = [{ path: "/src", device: "1" }, { path: "/src/mnt/late", device: undefined }];
  const [outer, late] = makeSelectors({ ...NONE, oneFileSystem: true }, sources);
  const descends = (selector: typeof outer, path: string, device: string) => {
    const decision = selector.selectEntry(path, "dir", 0, device);
    return decision.keep && decision.descend;
  };
  deepEqual(
    ["sub", "mnt/late", "mnt/late/sub", "mnt/later", "proc"].map((path) => descends(outer, path, "2")),
    [false, true, true, false, false],
  );
  deepEqual([descends(outer, "sub", "1"), descends(late, "sub", "2")], [true, true]);
});

Deno.test("failure 30: a source inside another one is kept with what leads to it, and nothing else of what is left out", () => {
  const options = {
    ...NONE,
    patterns: flagPatterns(["cache", "*.o"], "--exclude"),
    tags: [{ name: ".skip" }],
    oneFileSystem: true,
  };
  const sources = [["/src", "1"], ["/src/cache/x/keep.o", "1"], ["/src/tagged/y", "1"], ["/src/mnt/z", "2"]];
  const selector = makeSelectors(options, sources.map(([path, device]) => ({ path, device })))[0];
  const keeps = (path: string, type: "file" | "dir", device = "1") => {
    const decision = selector.selectEntry(path, type, 0, device);
    return decision.keep && decision.descend;
  };
  deepEqual([keeps("cache", "dir"), keeps("cache/a", "file"), keeps("cache/b", "dir"), keeps("cache/x", "dir")], [
    true,
    false,
    false,
    true,
  ]);
  deepEqual([keeps("cache/x/a", "file"), keeps("cache/x/keep.o", "file"), keeps("a.o", "file")], [false, true, false]);
  deepEqual(selector.selectFolder("tagged", [".skip", "y", "z"], () => undefined), ALL);
  deepEqual([keeps("tagged/y", "dir"), keeps("tagged/z", "dir"), keeps("tagged/.skip", "file")], [true, false, false]);
  deepEqual(
    selector.selectFolder("tagged/y", [".skip", "y"], () => undefined),
    ALL,
    "its own tag does not count either",
  );
  deepEqual([
    keeps("mnt", "dir", "3"),
    keeps("mnt/a", "dir", "3"),
    keeps("mnt/z", "dir", "2"),
    keeps("mnt/z/a", "dir", "2"),
  ], [true, false, true, true]);
  deepEqual([keeps("mnt/z/a.o", "file", "2"), keeps("other", "dir", "3")], [false, false]);
});

Deno.test("parsePatternFile() reads lines with their numbers", () => {
  const data = concat([utf8("\ufeff# comment\r\n\r\n*.o\r\n \n!keep.o\n\\#x\n x\n"), Uint8Array.of(0xff, 0x2a)]);
  deepEqual(parsePatternFile(data, "ex"), [
    { text: "*.o", ignoreCase: false, origin: "ex:3" },
    { text: "!keep.o", ignoreCase: false, origin: "ex:5" },
    { text: "\\#x", ignoreCase: false, origin: "ex:6" },
    { text: " x", ignoreCase: false, origin: "ex:7" },
    { text: "\udcff*", ignoreCase: false, origin: "ex:8" },
  ]);
  deepEqual(parsePatternFile(utf8(""), "ex"), []);
});

Deno.test("patterns that never match are refused with their place", async (t) => {
  const cases: [name: string, act: () => unknown, message: RegExp][] = [
    [
      "in a flag",
      () => flagPatterns(["ok", "a["], "--exclude"),
      /^Cannot use the pattern "a\[" of --exclude: its "\[" is never closed/,
    ],
    ["an empty flag", () => flagPatterns([""], "--iexclude"), /of --iexclude: it is empty/],
    [
      "in a file",
      () => parsePatternFile(utf8("a\n\nb\\\n"), "ex"),
      /^Cannot read the patterns of ex:3: "b\\": it ends in a single backslash/,
    ],
    ["a NUL", () => parsePatternFile(utf8("a\nb\0c\n"), "ex"), /ex:2: the line contains a NUL/],
    ["UTF-16", () => parsePatternFile(Uint8Array.of(0xff, 0xfe, 0x61, 0), "ex"), /of ex: it is UTF-16/],
    ["control characters", () => flagPatterns(["\x1b[31m["], "--exclude"), /"\\x1b\[31m\["/],
  ];
  for (const [name, act, message] of cases) {
    await t.step(name, () =>
      throws(act, (error) => {
        equal(error instanceof AxiomError && error.kind, "usage");
        match((error as AxiomError).message, message);
        return (error as AxiomError).hint !== undefined;
      }));
  }
});
