import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { splitWords } from "./words.ts";

Deno.test("splitWords() cuts as a shell does, and expands nothing", async (t) => {
  const cases: [text: string, words: string[] | undefined][] = [
    ["", []],
    ["  ", []],
    ["pass show backup", ["pass", "show", "backup"]],
    ["\tpass\n show ", ["pass", "show"]],
    [`sh -c 'echo "$HOME"'`, ["sh", "-c", 'echo "$HOME"']],
    [`a "b c" d`, ["a", "b c", "d"]],
    [`a"b"'c'd`, ["abcd"]],
    [`""`, [""]],
    [`'' x`, ["", "x"]],
    [`a\\ b`, ["a b"]],
    [`"a\\"b\\\\\\c"`, [`a"b\\\\c`]],
    [`'a\\'`, ["a\\"]],
    ["$HOME *", ["$HOME", "*"]],
    [`'a`, undefined],
    [`"a`, undefined],
    [`"a\\"`, undefined],
    ["a\\", undefined],
  ];
  for (const [text, words] of cases) await t.step(JSON.stringify(text), () => deepEqual(splitWords(text), words));
});
