import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { FairQueue } from "./fair_queue.ts";

function drain(queue: FairQueue<string>): string {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items.join(" ");
}

Deno.test("a queue serves owners in turn and each one's work in its order", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "a4"]) queue.push("a", item);
  queue.push("b", "b1");
  for (const item of ["c1", "c2"]) queue.push("c", item);
  equal(queue.size, 7);
  equal(drain(queue), "a1 b1 c1 a2 c2 a3 a4");
  equal(queue.size, 0);
});

Deno.test("a queue forgets what is taken back, once", () => {
  const queue = new FairQueue<string>();
  queue.push("a", "a1");
  queue.push("b", "b1");
  queue.push("b", "b2");
  deepEqual([queue.remove("a", "a1"), queue.remove("a", "a1"), queue.remove("b", "b1"), queue.remove("c", "x")], [
    true,
    false,
    true,
    false,
  ]);
  equal(drain(queue), "b2");
});
