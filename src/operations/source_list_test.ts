import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { concat, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { encodeName } from "../base/names.ts";
import { type FileStat, type FileSystem, SystemError } from "../platform/file_system.ts";
import { parseSourceList, parseSourceListRaw, resolveSources } from "./source_list.ts";

/** Files and folders by absolute path, a `/` at the end for a folder, a `!` for one that cannot be listed. */
function tree(...paths: string[]): Pick<FileSystem, "lstat" | "readNames"> {
  const kinds = new Map<string, "file" | "dir" | "locked">([["/", "dir"]]);
  for (const path of paths) {
    const names = path.replace(/[/!]$/, "").split("/").slice(1);
    for (let i = 1; i < names.length; i++) kinds.set(`/${names.slice(0, i).join("/")}`, "dir");
    kinds.set(`/${names.join("/")}`, path.endsWith("/") ? "dir" : path.endsWith("!") ? "locked" : "file");
  }
  return {
    lstat(path) {
      for (const [locked, kind] of kinds) {
        if (kind === "locked" && path.startsWith(`${locked}/`)) throw new SystemError("EACCES", "lstat", path);
      }
      if (!kinds.has(path)) throw new SystemError("ENOENT", "lstat", path);
      return {} as FileStat;
    },
    readNames(path) {
      if (kinds.get(path) === "locked") throw new SystemError("EACCES", "open", path);
      if (kinds.get(path) !== "dir") throw new SystemError("ENOTDIR", "open", path);
      const above = path === "/" ? "/" : `${path}/`;
      const below = [...kinds.keys()].filter((each) => each !== "/" && each.startsWith(above));
      return below.map((each) => each.slice(above.length)).filter((name) => name !== "" && !name.includes("/"));
    },
  };
}

const lines = (text: string) => parseSourceList(utf8(text), "list").map(({ path, origin }) => [path, origin]);

Deno.test("parseSourceList() reads one path on each line", () => {
  deepEqual(lines(""), []);
  deepEqual(lines("\ufeff/a b\r\n\n  # comment\n#x\n\t /c \nd"), [["/a b", "list:1"], ["/c", "list:5"], [
    "d",
    "list:6",
  ]]);
  deepEqual(parseSourceList(concat([utf8("/x"), Uint8Array.of(0xff, 0x0a)]), "-"), [
    { path: "/x\udcff", wildcards: false, origin: "stdin:1" },
  ]);
  deepEqual(parseSourceList(utf8("a*\nb\\?\nc"), "l").map(({ wildcards }) => wildcards), [true, true, false]);
  deepEqual(lines("/\n../*\n!a*\n/a /*"), [["/", "list:1"], ["../*", "list:2"], ["!a*", "list:3"], [
    "/a /*",
    "list:4",
  ]]);
});

Deno.test("parseSourceListRaw() takes names as they are", () => {
  deepEqual(parseSourceListRaw(utf8(""), "l"), []);
  const data = concat([utf8("# a\n*\0 b \0"), Uint8Array.of(0xff, 0x00)]);
  deepEqual(parseSourceListRaw(data, "l").map(({ path, wildcards }) => [path, wildcards]), [["# a\n*", false], [
    " b ",
    false,
  ], ["\udcff", false]]);
  const name = fc.uint8Array({ min: 1, minLength: 1, maxLength: 20 });
  fc.assert(fc.property(fc.array(name, { maxLength: 10 }), (names) => {
    const list = concat(names.flatMap((each) => [each, Uint8Array.of(0)]));
    deepEqual(
      parseSourceListRaw(list, "l").map(({ path }) => encodeName(path)),
      names.map((each) => new Uint8Array(each)),
    );
  }));
});

Deno.test("lists that are not what they should be are refused with their place", async (t) => {
  const cases: [name: string, act: () => unknown, message: RegExp][] = [
    ["a NUL in lines", () => parseSourceList(utf8("a\nb\0c\0"), "l"), /paths of l:2: the line contains a NUL/],
    ["UTF-16", () => parseSourceList(Uint8Array.of(0xfe, 0xff, 0, 0x61), "-"), /paths of stdin: it is UTF-16/],
    [
      "brackets that do not close",
      () => parseSourceList(utf8("a\n/x/[b\n"), "l"),
      /paths of l:2: "\/x\/\[b": its "\["/,
    ],
    ["lines given as raw", () => parseSourceListRaw(utf8("a\nb\n"), "l"), /paths of l: it has no NUL byte/],
    [
      "raw cut off",
      () => parseSourceListRaw(utf8("a\0b"), "l"),
      /paths of l: the last path does not end in a NUL byte/,
    ],
    ["raw with an empty path", () => parseSourceListRaw(utf8("a\0\0b\0"), "l"), /paths of l, path 2: it is empty/],
  ];
  for (const [name, act, message] of cases) {
    await t.step(name, () =>
      throws(act, (error) => {
        ok(error instanceof AxiomError && error.kind === "usage" && error.hint !== undefined);
        match(error.message, message);
        return true;
      }));
  }
});

Deno.test("resolveSources() puts what exists in place of wildcards", async (t) => {
  const files = tree(
    "/w/a1",
    "/w/a2",
    "/w/.ab",
    "/w/b/",
    "/w/d/x.c",
    "/w/e/x.c",
    "/w/e/y.h",
    "/w/[a]1",
    "/w/*",
    "/w/n\nl",
    "/w/\udcff",
    "/w/ s",
  );
  const cases: [line: string, paths: string[]][] = [
    ["a1", ["/w/a1"]],
    ["/w/b/", ["/w/b"]],
    ["./b/../a1", ["/w/a1"]],
    ["/", ["/"]],
    ["a?", ["/w/a1", "/w/a2"]],
    [".*", ["/w/.ab"]],
    ["*b", ["/w/.ab", "/w/b"]],
    ["/w/*/x.c", ["/w/d/x.c", "/w/e/x.c"]],
    ["?/*.[ch]", ["/w/d/x.c", "/w/e/x.c", "/w/e/y.h"]],
    ["**/x.c", ["/w/d/x.c", "/w/e/x.c"]],
    ["a[!1]", ["/w/a2"]],
    ["[a]1", ["/w/[a]1", "/w/a1"]],
    ["\\[a\\]1", ["/w/[a]1"]],
    ["\\*", ["/w/*"]],
    ["n*l", ["/w/n\nl"]],
    ["a1/*", []],
    ["d/../e/x*", ["/w/e/x.c"]],
  ];
  for (const [line, paths] of cases) {
    await t.step(line, () => {
      const resolved = resolveSources(parseSourceList(utf8(line), "l"), "/w", files);
      deepEqual(resolved.paths, paths);
      deepEqual(resolved.faults.map(({ kind }) => kind), paths.length === 0 ? ["source_missing"] : []);
    });
  }
  await t.step("each once", () => {
    deepEqual(resolveSources(parseSourceList(utf8("a1\n/w/a1\na[1]\n"), "l"), "/w", files).paths, ["/w/a1"]);
  });
  await t.step("raw names stand for themselves", () => {
    const raw = parseSourceListRaw(concat([utf8("*\0 s\0"), Uint8Array.of(0xff, 0)]), "l");
    deepEqual(resolveSources(raw, "/w", files), { paths: ["/w/*", "/w/ s", "/w/\udcff"], faults: [] });
  });
});

Deno.test("failure 15: resolveSources() reports what is listed and not there", () => {
  const files = tree("/w/a", "/w/locked!");
  const sources = [...parseSourceList(utf8("a\nno\\ne\nx*\n"), "list"), ...parseSourceListRaw(utf8("g*\0"), "-")];
  const { paths, faults } = resolveSources(sources, "/w", files);
  deepEqual(paths, ["/w/a"]);
  deepEqual(faults.map(({ kind, message }) => `${kind}: ${message}`), [
    "source_missing: Cannot save no\\ne of list:2: nothing matches it",
    "source_missing: Cannot save x* of list:3: nothing matches it",
    "source_missing: Cannot save g* of stdin, path 1: there is no such file or folder",
  ]);
  const locked = resolveSources(parseSourceList(utf8("locked/x\nlocked/*\n"), "l"), "/w", files);
  deepEqual(locked.paths, ["/w/locked/x"], "it cannot be seen, so the backup finds out");
  equal(locked.faults[0].message, "Cannot look for locked/* of l:2 in /w/locked: EACCES");
  equal(locked.faults[0].kind, "source_unreadable");
});
