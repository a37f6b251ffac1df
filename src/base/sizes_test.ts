import { strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { GIB, KIB, MIB } from "./bytes.ts";
import { formatSize, parseSize } from "./sizes.ts";

Deno.test("parseSize() reads binary sizes and refuses everything else", async (t) => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["4096", 4096],
    ["4096B", 4096],
    ["1.5 GiB", 1.5 * GIB],
    ["1.5gib", 1.5 * GIB],
    [" 20M ", 20 * MIB],
    ["20 k", 20 * KIB],
    ["0.1 KiB", 102],
    ["2T", 2 * 1024 * GIB],
    ["7.9 PiB", Math.round(7.9 * 1024 ** 5)],
    ["8 PiB", undefined], // 2^53: not a safe integer
    ["99999999999999999", undefined],
    ["20 MB", undefined],
    ["20 Mb", undefined],
    ["1.5", undefined],
    ["1.5 B", undefined],
    ["-1", undefined],
    ["+1", undefined],
    ["1e3", undefined],
    ["0x10", undefined],
    ["", undefined],
    ["GiB", undefined],
    ["1 GiB 5", undefined],
    ["1_000", undefined],
    ["١", undefined],
  ];
  for (const [text, bytes] of cases) await t.step(JSON.stringify(text), () => equal(parseSize(text), bytes));
});

Deno.test("formatSize() shows three digits at most", async (t) => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [100 * KIB - 1, "100 KiB"],
    [102_348, "99.9 KiB"],
    [MIB - 1, "1.0 MiB"],
    [130 * MIB, "130 MiB"],
    [1.5 * GIB, "1.5 GiB"],
    [1023.4 * GIB, "1023 GiB"],
    [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
  ];
  for (const [bytes, text] of cases) await t.step(text, () => equal(formatSize(bytes), text));
  for (const bytes of [-1, NaN, Infinity]) throws(() => formatSize(bytes), RangeError);
});

Deno.test("parseSize() reads whole numbers of bytes and of any unit exactly", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseSize(String(bytes)) === bytes));
  const units = fc.constantFrom("B", "KiB", "MiB", "GiB", "TiB");
  fc.assert(
    fc.property(fc.nat(8000), units, (n, unit) => parseSize(`${n} ${unit}`) === n * KIB ** "BKMGT".indexOf(unit[0])),
  );
});
