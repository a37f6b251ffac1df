import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { KIB, MIB } from "../base/bytes.ts";
import { chunker, cipher, compression, folderMarker, readSubset, rule } from "./choices.ts";
import { snakeCase, type Type } from "./option.ts";
import { boolean, location, path, pattern, percent, rate, shortText, size, text } from "./types.ts";

const REFUSED = Symbol();
const context = { folder: "/f", home: "/h" };

function check<T>(name: string, type: Type<T>, cases: [string, T | typeof REFUSED][]) {
  Deno.test(`the type ${name}`, async (t) => {
    for (const [given, value] of cases) {
      await t.step(JSON.stringify(given), () => {
        if (value === REFUSED) throws(() => type.read(given, context), RangeError);
        else deepEqual(type.read(given, context), value);
      });
    }
  });
}

check("text", text, [["a b", "a b"], ["", REFUSED], ["a\nb", REFUSED], ["a\0", REFUSED]]);
check("short text", shortText(4), [["éé", "éé"], ["ééa", REFUSED], ["", REFUSED]]);
check("boolean", boolean, [["true", true], ["false", false], ["True", REFUSED], ["1", REFUSED], ["on", REFUSED]]);
check("path", path, [
  ["/a", "/a"],
  ["a/../b", "/f/b"],
  ["~", "/h"],
  ["~/a", "/h/a"],
  ["~bob/a", "/f/~bob/a"],
  ["C:\\a", "C:\\a"],
  ["", REFUSED],
  ["a\0", REFUSED],
]);
check("location", location, [
  ["s3://b/p", "s3://b/p"],
  ["file:///a", "file:///a"],
  ["my_plugin://x", "my_plugin://x"],
  ["a:b", "/f/a:b"],
  ["~/r", "/h/r"],
  ["", REFUSED],
]);
check("size", size, [["1 KiB", KIB], ["x", REFUSED]]);
check("rate", rate, [["0", 0], ["1 MiB/s", MIB], ["1M", MIB], ["100 B/s", 100], ["100", REFUSED], [
  "1 MiB/min",
  REFUSED,
]]);
check("percent", percent, [["5", 5], ["5 %", 5], ["0.25%", 0.25], ["100", 100], ["100.1", REFUSED], ["-1", REFUSED], [
  "",
  REFUSED,
]]);
check("pattern", pattern, [["*.a", "*.a"], ["", REFUSED], ["a\\", REFUSED]]);
check("compression", compression, [
  ["none", "none"],
  ["zstd", "zstd"],
  ["zstd:22", "zstd:22"],
  ["compression_lz4:12", "compression_lz4:12"],
  ["none:1", REFUSED],
  ["zstd:0", REFUSED],
  ["zstd:", REFUSED],
  ["ZSTD", REFUSED],
  ["zstd:-1", REFUSED],
]);
check("cipher", cipher, [["plain", "plain"], ["aes-256-gcm", "aes-256-gcm"], ["AES", REFUSED], ["", REFUSED], [
  "a b",
  REFUSED,
]]);
check("chunker", chunker, [
  ["cdc", { algorithm: "fastcdc-1" }],
  ["fixed", { algorithm: "fixed-1" }],
  ["fixed:4KiB", { algorithm: "fixed-1", block_bytes: 4 * KIB }],
  ["fixed:4 MiB", { algorithm: "fixed-1", block_bytes: 4 * MIB }],
  ["fixed:65536", { algorithm: "fixed-1", block_bytes: 64 * KIB }],
  ["fixed:2KiB", REFUSED],
  ["fixed:8MiB", REFUSED],
  ["fixed:5KiB", REFUSED],
  ["fixed:", REFUSED],
  ["cdc:1MiB", REFUSED],
]);
check("rule", rule(chunker, ""), [
  ["*.db=fixed", { pattern: "*.db", value: { algorithm: "fixed-1" } }],
  [" *.db = fixed ", { pattern: "*.db", value: { algorithm: "fixed-1" } }],
  ["a=b=cdc", { pattern: "a=b", value: { algorithm: "fastcdc-1" } }],
  ["folder/=cdc", { pattern: "folder/", value: { algorithm: "fastcdc-1" } }],
  ["**/a/b=cdc", { pattern: "**/a/b", value: { algorithm: "fastcdc-1" } }],
  ["\\{a,b\\}=cdc", { pattern: "\\{a,b\\}", value: { algorithm: "fastcdc-1" } }],
  ["=cdc", REFUSED],
  ["*.db", REFUSED],
  ["*.db=", REFUSED],
  ["*.db=zstd", REFUSED],
  ["!*.db=cdc", REFUSED],
  ["a/b=cdc", REFUSED],
  ["*.{a,b}=cdc", REFUSED],
  ["[=cdc", REFUSED],
]);
check("read subset", readSubset, [
  ["1/1", { kind: "part", part: 1, parts: 1 }],
  ["2.5%", { kind: "percent", percent: 2.5 }],
  ["2 GiB", { kind: "size", bytes: 2048 * MIB }],
  ["0/5", REFUSED],
  ["6/5", REFUSED],
  ["0%", REFUSED],
  ["101%", REFUSED],
  ["0", REFUSED],
]);
check("folder marker", folderMarker, [
  [".nobackup", { name: ".nobackup" }],
  ["TAG:", { name: "TAG", header: "" }],
  ["TAG:a:b", { name: "TAG", header: "a:b" }],
  ["a/b", REFUSED],
  ["", REFUSED],
  [":x", REFUSED],
  ["..", REFUSED],
]);

Deno.test("snakeCase()", () => equal(snakeCase("excludeLargerThan"), "exclude_larger_than"));
