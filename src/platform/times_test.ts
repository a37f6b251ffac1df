import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { decimalNs, timespecOf } from "./times.ts";

Deno.test("timespecOf() counts nanoseconds up, also before 1970, and refuses what is no time", () => {
  const cases: [string, [bigint, bigint] | undefined][] = [
    ["0", [0n, 0n]],
    ["-0", [0n, 0n]],
    ["1", [0n, 1n]],
    ["-1", [-1n, 999_999_999n]],
    ["-1000000000", [-1n, 0n]],
    ["-1000000001", [-2n, 999_999_999n]],
    ["1700000000123456789", [1_700_000_000n, 123_456_789n]],
    ["9223372036854775807999999999", [2n ** 63n - 1n, 999_999_999n]],
    ["9223372036854775808000000000", undefined],
    ["", undefined],
    ["-", undefined],
    ["1.5", undefined],
    ["0x10", undefined],
    [" 1", undefined],
    ["9".repeat(41), undefined],
  ];
  for (const [ns, expected] of cases) {
    const time = timespecOf(ns);
    deepEqual(time && [time.seconds, time.nanoseconds], expected, ns);
  }
});

Deno.test("decimalNs() and timespecOf() are each other's inverse", () => {
  const seconds = fc.oneof(fc.bigInt(-(2n ** 63n) + 1n, 2n ** 63n - 1n), fc.bigInt(-10n, 2n ** 33n));
  fc.assert(fc.property(seconds, fc.nat(999_999_999), (seconds, nanoseconds) => {
    const low = Number(BigInt.asUintN(32, seconds)), high = Number(BigInt.asIntN(32, seconds >> 32n));
    const ns = decimalNs(low, high, nanoseconds);
    equal(ns, String(seconds * 1_000_000_000n + BigInt(nanoseconds)));
    deepEqual(timespecOf(ns), { seconds, nanoseconds: BigInt(nanoseconds) });
  }));
});
