import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { BoundedQueue } from "./bounded_queue.ts";

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Resolves to whether a promise is still pending after a turn of the event loop. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  promise.then(() => pending = false, () => pending = false);
  await settled();
  return pending;
}

Deno.test("a queue gives in the order in which it was given", async () => {
  const queue = new BoundedQueue<number>(3);
  for (let i = 0; i < 3; i++) await queue.push(i);
  queue.close();
  const taken: number[] = [];
  for await (const item of queue) taken.push(item);
  deepEqual(taken, [0, 1, 2]);
});

Deno.test("a producer waits while the queue is full, a consumer while it is empty", async () => {
  const queue = new BoundedQueue<string>(1);
  const pulling = queue.pull();
  ok(await isPending(pulling));
  await queue.push("a");
  deepEqual(await pulling, { done: false, value: "a" });
  await queue.push("b");
  const pushing = queue.push("c");
  ok(await isPending(pushing));
  equal(queue.length, 1);
  deepEqual(await queue.pull(), { done: false, value: "b" });
  await pushing;
  equal(queue.length, 1);
});

Deno.test("close() lets the rest be taken, then ends every consumer", async () => {
  const queue = new BoundedQueue<number>(1);
  await queue.push(1);
  const waiting = queue.push(2);
  queue.close();
  queue.close();
  await rejects(queue.push(3), /closed queue/);
  deepEqual(await queue.pull(), { done: false, value: 1 });
  await waiting;
  deepEqual(await queue.pull(), { done: false, value: 2 });
  deepEqual(await queue.pull(), { done: true, value: undefined });

  const empty = new BoundedQueue<number>(1);
  const consumers = [empty.pull(), empty.pull()];
  empty.close();
  for (const { done } of await Promise.all(consumers)) equal(done, true);
});

Deno.test("abort() fails everyone who waits or comes later with its first reason", async () => {
  const reason = new Error("broken");
  const full = new BoundedQueue<number>(1);
  await full.push(1);
  const pushing = full.push(2);
  full.abort(reason);
  full.abort(new Error("second"));
  for (const call of [pushing, full.push(3), full.pull()]) await rejects(call, reason);
  equal(full.length, 0);
  const empty = new BoundedQueue<number>(1);
  const pulling = empty.pull();
  empty.abort(reason);
  await rejects(pulling, reason);
});

Deno.test("an aborted signal takes its caller out of the queue, and nothing with it", async () => {
  const queue = new BoundedQueue<number>(1);
  const abort = new AbortController();
  const pulling = queue.pull(abort.signal);
  abort.abort();
  await rejects(pulling, { kind: "interrupted" });
  await queue.push(1);
  const second = new AbortController();
  const pushing = queue.push(2, second.signal);
  second.abort();
  await rejects(pushing, { kind: "interrupted" });
  deepEqual(await queue.pull(), { done: false, value: 1 });
  equal(queue.length, 0);
  await rejects(queue.pull(abort.signal), { kind: "interrupted" });
  await rejects(queue.push(1, abort.signal), { kind: "interrupted" });
});

Deno.test("a capacity has to be a number of items", () => {
  for (const capacity of [0, -1, 1.5, NaN]) throws(() => new BoundedQueue(capacity), RangeError);
});

Deno.test("each item arrives once and no more than the capacity waits, with any producers and consumers", async () => {
  const shape = fc.record({
    capacity: fc.integer({ min: 1, max: 4 }),
    producers: fc.integer({ min: 1, max: 4 }),
    consumers: fc.integer({ min: 1, max: 4 }),
    items: fc.integer({ min: 0, max: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), shape, async (scheduler, { capacity, producers, consumers, items }) => {
      const queue = new BoundedQueue<number>(capacity);
      const turn = () => scheduler.schedule(Promise.resolve());
      const taken: number[] = [];
      const producing = Promise.all(Array.from({ length: producers }, async (_, producer) => {
        for (let i = producer; i < items; i += producers) {
          await turn();
          await queue.push(i);
          ok(queue.length <= capacity);
        }
      })).then(() => queue.close());
      const consuming = Array.from({ length: consumers }, async () => {
        for await (const item of queue) {
          taken.push(item);
          await turn();
        }
      });
      await scheduler.waitFor(Promise.all([producing, ...consuming]));
      deepEqual(taken.sort((a, b) => a - b), Array.from({ length: items }, (_, i) => i));
    }),
    { numRuns: 100 },
  );
});
