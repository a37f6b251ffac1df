import { strictEqual as equal } from "node:assert/strict";
import { decodeName, displayName, exactName, typedName } from "./names.ts";

Deno.test("names are shown without what a terminal would obey, and each in its own way", async (t) => {
  const cases: { name: string | Uint8Array; shown: string; exact?: string }[] = [
    { name: "plain ünïcode 日本", shown: "plain ünïcode 日本" },
    { name: "two\nlines\t\x1b[31m", shown: "two\\x0alines\\x09\\x1b[31m" },
    { name: Uint8Array.of(0x61, 0xff, 0x85), shown: "a\\xff\\x85" },
    { name: "a\u0085\u2028", shown: "a\\u0085\\u2028" },
    { name: "fdp.\u202excod\u2069", shown: "fdp.\\u202excod\\u2069" },
    { name: "C:\\some\\new", shown: "C:\\some\\new" },
    { name: "two\\x0alines", shown: "two\\x0alines", exact: "two\\x5cx0alines" },
    { name: "\\\\u202e", shown: "\\\\u202e", exact: "\\\\x5cu202e" },
    { name: "\\x5cx0a\n", shown: "\\x5cx0a\\x0a", exact: "\\x5cx5cx0a\\x0a" },
  ];
  for (const { name, shown, exact = shown } of cases) {
    await t.step(exact, () => {
      const decoded = typeof name === "string" ? name : decodeName(name);
      equal(displayName(decoded), shown);
      equal(exactName(decoded), exact);
      equal(typedName(exact), decoded);
    });
  }
});
