import { rejects, strictEqual as equal } from "node:assert/strict";
import { untilAborted } from "./until_aborted.ts";

const never = new Promise<number>(() => {});

Deno.test("untilAborted() gives what the work comes to", async () => {
  const { signal } = new AbortController();
  equal(await untilAborted(Promise.resolve(1), signal), 1);
  equal(await untilAborted(Promise.resolve(2), undefined), 2);
  await rejects(untilAborted(Promise.reject(new TypeError("a bug")), signal), TypeError);
});

Deno.test("untilAborted() does not wait for work that never ends", async () => {
  const abort = new AbortController();
  const waiting = untilAborted(never, abort.signal);
  abort.abort();
  await rejects(waiting, { kind: "interrupted" });
  await rejects(untilAborted(never, abort.signal), { kind: "interrupted" }, "aborted before");
});

Deno.test("untilAborted() leaves no failure of the work unheard", async () => {
  const work = Promise.withResolvers<number>();
  await rejects(untilAborted(work.promise, AbortSignal.abort()), { kind: "interrupted" });
  work.reject(new Error("later"));
  await new Promise((resolve) => setTimeout(resolve, 0)); // a rejection that nobody heard fails the test here
});
