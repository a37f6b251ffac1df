import { strictEqual as equal, throws } from "node:assert/strict";
import { formatDuration, parseDuration } from "./durations.ts";

Deno.test("parseDuration() reads units from large to small and refuses the rest", async (t) => {
  const cases: [string, number | undefined][] = [
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5h", 5_400_000],
    ["1h30m", 5_400_000],
    [" 1H 30min ", 5_400_000],
    ["7d", 604_800_000],
    ["2w 1d", 15 * 86_400_000],
    ["0s", 0],
    ["30", undefined],
    ["", undefined],
    ["30m1h", undefined],
    ["1m1min", undefined],
    ["1h 5", undefined],
    ["1month", undefined],
    ["5mins", undefined],
    ["-1s", undefined],
    ["1s!", undefined],
    ["999999999999999w", undefined],
  ];
  for (const [text, ms] of cases) await t.step(JSON.stringify(text), () => equal(parseDuration(text), ms));
});

Deno.test("formatDuration() shows two units at most, and never 60 of one", async (t) => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [350.4, "350 ms"],
    [999.7, "1.0 s"],
    [2400, "2.4 s"],
    [59_960, "1 min"],
    [65_000, "1 min 5 s"],
    [3_599_400, "59 min 59 s"],
    [3_599_900, "1 h"],
    [12_000_000, "3 h 20 min"],
    [86_399_000, "1 d"],
    [187_200_000, "2 d 4 h"],
  ];
  for (const [ms, text] of cases) await t.step(text, () => equal(formatDuration(ms), text));
  for (const ms of [-1, NaN, Infinity]) throws(() => formatDuration(ms), RangeError);
});
