import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import type { Clock } from "../base/clock.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { retry, type RetryPolicy } from "./retry.ts";

const POLICY: RetryPolicy = { attemptsMax: 5, delayMs: 100, delayMsMax: 350, deadlineMs: 60_000 };
const largest = (length: number) => new Uint8Array(length).fill(0xff);

/** Sleeps in no time, and remembers for how long. */
function fakeClock(): Clock & { sleptMs: number[] } {
  let nowMs = 1000;
  const sleptMs: number[] = [];
  const sleep = (ms: number, signal?: AbortSignal) => {
    if (signal?.aborted) return Promise.reject(signal.reason);
    sleptMs.push(ms);
    nowMs += ms;
    return Promise.resolve();
  };
  return { nowNs: () => "0", monotonicMs: () => nowMs, sleep, sleptMs };
}

function busy(): AxiomError {
  return new AxiomError("storage_busy", "Cannot read x: busy", { hint: "Wait" });
}

/** Fails `failures` times, then returns how often it was called. */
function flaky(failures: number, error: () => unknown = busy): () => Promise<number> {
  let calls = 0;
  return () => ++calls <= failures ? Promise.reject(error()) : Promise.resolve(calls);
}

Deno.test("retry() waits longer each time, up to a bound", async () => {
  const clock = fakeClock();
  equal(await retry(flaky(4), POLICY, { clock, random: largest }), 5);
  deepEqual(clock.sleptMs.map(Math.round), [100, 200, 350, 350]);
});

Deno.test("retry() chooses each delay from zero on: full jitter", async () => {
  const delays: number[] = [];
  for (let i = 0; i < 200; i++) {
    const clock = fakeClock();
    await retry(flaky(1), POLICY, { clock, random: systemRandom });
    delays.push(...clock.sleptMs);
  }
  ok(delays.every((ms) => ms >= 0 && ms < 100));
  ok(Math.min(...delays) < 20 && Math.max(...delays) > 80, "not spread");
});

Deno.test("retry() gives up after the attempts, with the last error and their number", async () => {
  const clock = fakeClock();
  await rejects(retry(flaky(9), POLICY, { clock, random: largest }), (error) => {
    ok(isKind(error, "storage_busy"));
    equal(error.message, "Cannot read x: busy (5 attempts in 1.0 s)");
    equal(error.hint, "Wait");
    equal(error.retriable, true);
    return true;
  });
  equal(clock.sleptMs.length, 4);
});

Deno.test("retry() starts nothing after the deadline", async () => {
  const clock = fakeClock();
  await rejects(retry(flaky(9), { ...POLICY, deadlineMs: 310 }, { clock, random: largest }), /3 attempts/);
  deepEqual(clock.sleptMs.map(Math.round), [100, 200]);
});

Deno.test("retry() passes on at once what a retry cannot help", async (t) => {
  const cases: { name: string; error: unknown }[] = [
    { name: "a kind that is final", error: new AxiomError("storage_denied", "Cannot") },
    { name: "an error that says so itself", error: new AxiomError("storage_busy", "Cannot", { retriable: false }) },
    { name: "an interruption", error: new AxiomError("interrupted", "Interrupted") },
    { name: "a bug", error: new TypeError("x is not a function") },
    { name: "no error at all", error: "text" },
  ];
  for (const { name, error } of cases) {
    await t.step(name, async () => {
      const clock = fakeClock();
      await rejects(retry(flaky(1, () => error), POLICY, { clock, random: largest }), (thrown) => thrown === error);
      deepEqual(clock.sleptMs, []);
    });
  }
});

Deno.test("retry() repeats what is final by its kind but said to be retriable", async () => {
  const failure = () => new AxiomError("storage_failed", "Cannot", { retriable: true });
  equal(await retry(flaky(2, failure), POLICY, { clock: fakeClock(), random: largest }), 3);
});

Deno.test("retry() ends when the signal is aborted, before a call and while it waits", async () => {
  const environment = { clock: fakeClock(), random: largest };
  let calls = 0;
  const operation = () => {
    calls++;
    return Promise.reject(busy());
  };
  await rejects(retry(operation, POLICY, { ...environment, signal: AbortSignal.abort() }), { kind: "interrupted" });
  equal(calls, 0);
  const abort = new AbortController();
  const onRetry = () => abort.abort();
  await rejects(retry(operation, POLICY, { ...environment, signal: abort.signal, onRetry }), { kind: "interrupted" });
  equal(calls, 1);
});

Deno.test("retry() tells about each wait", async () => {
  const told: [number, number][] = [];
  const onRetry = ({ attempt, delayMs }: { attempt: number; delayMs: number }) =>
    told.push([attempt, Math.round(delayMs)]);
  await retry(flaky(2), POLICY, { clock: fakeClock(), random: largest, onRetry });
  deepEqual(told, [[1, 100], [2, 200]]);
});
