import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { codeOf } from "./file_system_fixture.ts";
import { joinPath, namesOfTargetPath, splitTargetPath } from "./target_path.ts";

Deno.test("target paths are plain names", () => {
  const good: [string, string[]][] = [
    ["", []],
    ["a", ["a"]],
    ["a/b c/...", ["a", "b c", "..."]],
    ["..a/b..", ["..a", "b.."]],
    ["a\\b/C:/con", ["a\\b", "C:", "con"]],
    ["\udcff/\n", ["\udcff", "\n"]],
  ];
  for (const [path, names] of good) deepEqual(namesOfTargetPath(path, "open"), names);
  const bad = ["/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0", "a\0/b", "//"];
  for (const path of bad) equal(codeOf(() => namesOfTargetPath(path, "open")), "EINVAL", path);
  deepEqual(splitTargetPath("a/b/c", "open"), { folder: "a/b", name: "c" });
  deepEqual(splitTargetPath("a", "open"), { folder: "", name: "a" });
  for (const path of ["", "/a", "a/", "a/..", "."]) equal(codeOf(() => splitTargetPath(path, "open")), "EINVAL", path);
});

Deno.test("target paths on Windows are no other paths, streams or devices either", () => {
  const bad = [
    "..\\..\\x",
    "a\\b",
    "C:",
    "C:x",
    "file:stream",
    "NUL",
    "nul.txt",
    "a/COM1",
    "LPT9.log",
    "x.",
    "x ",
    "a?",
    "a\n",
  ];
  for (const path of bad) equal(codeOf(() => namesOfTargetPath(path, "open", true)), "EINVAL", path);
  const good = ["nulls", "com", "com10", "a.b", ".hidden", "con-x", "ü"];
  for (const path of good) deepEqual(namesOfTargetPath(path, "open", true), [path]);
});

Deno.test("joinPath()", () => {
  equal(joinPath("/a", "b"), "/a/b");
  equal(joinPath("/", "b"), "/b");
  equal(joinPath("", "b"), "b");
});
