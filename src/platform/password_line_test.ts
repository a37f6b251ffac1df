import { ok, strictEqual as equal, throws } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { PasswordLine } from "./password_line.ts";

/** Feeds all of `typed`; returns the line once complete. */
function type(typed: Uint8Array): string | undefined {
  const line = new PasswordLine();
  for (const byte of typed) if (line.feed(byte)) return line.text;
  return undefined;
}

Deno.test("PasswordLine takes what a person types", async (t) => {
  const cases: [name: string, typed: string, line: string | undefined][] = [
    ["Enter", "secret\r", "secret"],
    ["line feed", "secret\n", "secret"],
    ["nothing", "\r", ""],
    ["not complete", "secret", undefined],
    ["spaces stay", "  a b \r", "  a b "],
    ["more bytes than letters", "pässwörd 漢😀\r", "pässwörd 漢😀"],
    ["Backspace", "ab\x7fc\x08d\r", "ad"],
    ["Backspace takes a whole letter", "a漢\x7f😀\x7fb\r", "ab"],
    ["Backspace on nothing", "\x7f\x7fa\r", "a"],
    ["Ctrl-U", "wrong\x15right\r", "right"],
    ["Ctrl-D ends a line", "abc\x04", "abc"],
    ["arrow keys and the like", "a\x1b[Ab\x1b[1;5Cc\x1bOHd\x1b[3~e\r", "abcde"],
    ["Alt and a letter", "a\x1bxb\r", "axb"],
    ["other control keys", "a\t\x01b\r", "ab"],
  ];
  for (const [name, typed, line] of cases) await t.step(name, () => equal(type(utf8(typed)), line));
});

Deno.test("PasswordLine ends with an error for Ctrl-C, Ctrl-D at the start, no UTF-8, and too much", () => {
  throws(() => type(utf8("abc\x03")), (error) => isKind(error, "interrupted"));
  throws(() => type(utf8("\x04")), (error) => isKind(error, "interrupted"));
  throws(() => type(Uint8Array.from([0xff, 0x0d])), (error) => isKind(error, "usage"));
  const longest = new Uint8Array(LIMITS.passwordBytesMax + 1).fill(97);
  ok(type(longest.with(longest.length - 1, 13))?.length === LIMITS.passwordBytesMax);
  throws(() => type(longest), (error) => isKind(error, "limit_exceeded"));
});
