import { ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import type { Clock } from "../base/clock.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Time passes only in `sleep`, as if each caller slept alone. */
function fakeClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 0,
    nowNs: () => "0",
    monotonicMs: () => clock.nowMs,
    sleep: (ms: number, signal?: AbortSignal) => {
      if (signal?.aborted) return Promise.reject(signal.reason);
      clock.nowMs += ms;
      return Promise.resolve();
    },
  };
  return clock;
}

Deno.test("a token bucket keeps the rate, for small and for large requests", async () => {
  for (const size of [10, 100, 5000]) {
    const clock = fakeClock();
    const bucket = new TokenBucket(1000, clock, 250);
    for (let taken = 0; taken < 20_000; taken += size) await bucket.take(size);
    ok(Math.abs(clock.nowMs - (20_000 - 250)) < 1, `20,000 tokens by ${size} took ${clock.nowMs} ms`);
  }
});

Deno.test("what was not used is kept for a burst, not for ever", async () => {
  const clock = fakeClock();
  const bucket = new TokenBucket(1000, clock, 250);
  clock.nowMs = 3_600_000;
  await bucket.take(250);
  equal(clock.nowMs, 3_600_000);
  await bucket.take(100);
  equal(clock.nowMs, 3_600_100);
});

Deno.test("waiters pay for those before them", async () => {
  const waits: number[] = [];
  const clock: Clock = {
    nowNs: () => "0",
    monotonicMs: () => 0,
    sleep: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  const bucket = new TokenBucket(1000, clock, 0);
  await Promise.all([bucket.take(100), bucket.take(100), bucket.take(100)]);
  equal(waits.join(), "100,200,300");
});

Deno.test("an abort ends the wait", async () => {
  const bucket = new TokenBucket(1, fakeClock());
  await rejects(bucket.take(1000, AbortSignal.abort()), { kind: "interrupted" });
});

Deno.test("a rate is positive", () => {
  for (const rate of [0, -1, NaN]) throws(() => new TokenBucket(rate, fakeClock()), RangeError);
});
