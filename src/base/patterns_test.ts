import { match, strictEqual as equal } from "node:assert/strict";
import { patternFault } from "./patterns.ts";

Deno.test("patternFault() lets pass whatever can match", async (t) => {
  const cases = [
    "*.tmp",
    "/build/",
    "!keep",
    "a/**/b",
    "**",
    "/**",
    "\\#x",
    "\\!x",
    "a\\ ",
    "a\\\\",
    "[abc]",
    "[!a-z]",
    "[a-a-]",
    "[]-a]",
    "[--0]",
    "[a-c-e]",
    "[[:alpha:]-a]",
    "[]]",
    "[]a]x",
    "[[:alpha:]_]",
    "\\[x",
    "[\\]]",
    "x]",
    "a b ",
    "...",
    ".hidden",
    "a..b",
    "#",
    "{a,b}",
    "[[]",
    "[a[:b]",
    "\udc80*",
    "new\nline",
  ];
  for (const pattern of cases) await t.step(JSON.stringify(pattern), () => equal(patternFault(pattern), undefined));
});

Deno.test("patternFault() says why a pattern can never match", async (t) => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["   ", /empty/],
    ["!", /empty/],
    ["! ", /empty/],
    ["/", /names no file/],
    ["!//", /names no file/],
    ["a\\", /backslash/],
    ["a\\\\\\", /backslash/],
    ["a//b", /"\/\/"/],
    ["./a", /relative to the source/],
    ["a/../b", /relative to the source/],
    ["..", /relative to the source/],
    ["[abc", /never closed/],
    ["x[!]", /never closed/],
    ["[]", /never closed/],
    ["[a\\]", /never closed/],
    ["[[:alhpa:]]", /unknown/],
    ["[z-a]", /its range z-a is out of order/],
    ["x[!0-9b-a]", /b-a is out of order/],
    ["[[:alpha:]\\]-A]", /out of order/],
    ["a\0b", /NUL/],
    ["a".repeat(5000), /5000 characters/],
  ];
  for (const [pattern, why] of cases) {
    await t.step(JSON.stringify(pattern.slice(0, 20)), () => match(patternFault(pattern) ?? "", why));
  }
});
