import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { Semaphore } from "./semaphore.ts";

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("a semaphore lets in at most its permits, in the order of asking", async () => {
  const semaphore = new Semaphore(2);
  const order: number[] = [];
  let [inside, most] = [0, 0];
  await Promise.all(Array.from({ length: 10 }, (_, i) =>
    semaphore.run(async () => {
      order.push(i);
      most = Math.max(most, ++inside);
      await settled();
      inside--;
    })));
  equal(most, 2);
  deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  equal(semaphore.available, 2);
});

Deno.test("a large request is not overtaken by small ones", async () => {
  const semaphore = new Semaphore(3);
  const release = await semaphore.acquire();
  const order: string[] = [];
  const large = semaphore.acquire(undefined, 3).then((release) => (order.push("large"), release));
  const small = semaphore.acquire().then((release) => (order.push("small"), release));
  await settled();
  deepEqual(order, []);
  release();
  (await large)();
  (await small)();
  deepEqual(order, ["large", "small"]);
  equal(semaphore.available, 3);
});

Deno.test("an aborted waiter leaves the queue and takes nothing", async () => {
  const semaphore = new Semaphore(1);
  const release = await semaphore.acquire();
  const abort = new AbortController();
  const waiting = semaphore.acquire(abort.signal);
  const next = semaphore.acquire();
  abort.abort();
  await rejects(waiting, { kind: "interrupted" });
  equal(semaphore.waiting, 1);
  release();
  release();
  (await next)();
  equal(semaphore.available, 1);
  await rejects(semaphore.acquire(AbortSignal.abort()), { kind: "interrupted" });
  equal(semaphore.available, 1);
});

Deno.test("an aborted large request lets the small ones behind it in", async () => {
  const semaphore = new Semaphore(2);
  const release = await semaphore.acquire();
  const abort = new AbortController();
  const large = semaphore.acquire(abort.signal, 2);
  const small = semaphore.acquire();
  abort.abort();
  await rejects(large);
  (await small)();
  release();
  equal(semaphore.available, 2);
});

Deno.test("run() gives its permit back when the task throws", async () => {
  const semaphore = new Semaphore(1);
  await rejects(semaphore.run(() => Promise.reject(new Error("x"))));
  equal(semaphore.available, 1);
});

Deno.test("numbers of permits that make no sense are refused", async () => {
  for (const permits of [0, -1, 1.5, NaN]) throws(() => new Semaphore(permits), RangeError);
  for (const count of [0, 3, 0.5]) await rejects(new Semaphore(2).acquire(undefined, count), RangeError);
});

Deno.test("permits are never lost or made, whatever is asked, aborted and released", async () => {
  const step = fc.record({ count: fc.integer({ min: 1, max: 3 }), abort: fc.boolean(), late: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const semaphore = new Semaphore(3);
      let held = 0;
      await Promise.all(steps.map(async ({ count, abort, late }) => {
        const controller = new AbortController();
        const acquiring = semaphore.acquire(controller.signal, count).then(async (release) => {
          held += count;
          ok(held <= 3);
          if (late) await Promise.resolve();
          held -= count;
          release();
        }, () => {});
        if (abort) controller.abort();
        await acquiring;
      }));
      equal(semaphore.available, 3);
      equal(semaphore.waiting, 0);
    }),
    { numRuns: 200 },
  );
});
