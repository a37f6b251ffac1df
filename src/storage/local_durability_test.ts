import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { interceptedFiles } from "../../tests/faults/intercepted_files.ts";
import { SimulatedFiles } from "../../tests/faults/simulated_files.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { type LocalStore, openLocalStore } from "./local.ts";

class PowerFailure extends Error {}

const KEY = "packs/ab/abc";
const DATA = utf8("every byte or none");

function openOn(files: SimulatedFiles, before: () => unknown = () => {}): Promise<LocalStore> {
  return openLocalStore("/srv/backup", { ops: interceptedFiles(files, before), make: true });
}

/** A store whose n-th call from `arm()` on fails, and every later one. */
async function openFailing(
  files: SimulatedFiles,
): Promise<{ store: LocalStore; arm(n: number): void; calls(): number }> {
  let [count, last] = [0, Infinity];
  const store = await openOn(files, () => {
    if (++count >= last) throw new PowerFailure();
  });
  const arm = (n: number) => {
    [count, last] = [0, n];
  };
  return { store, arm, calls: () => count };
}

/** Which of the unsynced changes survive a power failure: all, none, every other one. */
function survivals(): (() => boolean)[] {
  let [even, odd] = [0, 1];
  return [() => true, () => false, () => even++ % 2 === 0, () => odd++ % 2 === 0];
}

for (const links of [true, false]) {
  const how = links ? "with links" : "without links";

  Deno.test(`(2) power failure at any call of put, ${how}: every byte of the object or no object`, async () => {
    let points = 0;
    for (let n = 1, through = false; !through; n++) {
      for (const survives of survivals()) {
        const files = new SimulatedFiles({ links });
        const { store, arm } = await openFailing(files);
        arm(n);
        const failure = await store.put(KEY, DATA).catch((error) => error);
        if (failure) ok(failure instanceof PowerFailure, failure);
        through = !failure;
        files.powerLoss(survives);

        const after = await openOn(files);
        const found = await after.stat(KEY);
        if (through) ok(found, "what was stored is gone");
        if (found) deepEqual(await after.get(KEY, "all"), DATA);
        await after.put(KEY, DATA);
        deepEqual(await after.get(KEY, "all"), DATA);
        points++;
      }
    }
    ok(points > 80, `only ${points} points`);
  });

  Deno.test(`clients that put one key at once, ${how}: one wins and none replaces, whoever dies when`, async () => {
    const plan = fc.record({
      text: fc.constantFrom("one", "two", "three"),
      diesAt: fc.option(fc.integer({ min: 1, max: 20 })),
    });
    const plans = fc.array(plan, { minLength: 2, maxLength: 3 });
    await fc.assert(fc.asyncProperty(fc.scheduler(), plans, (scheduler, plans) => race(links, scheduler, plans)), {
      numRuns: 500,
    });
  });
}

interface RacePlan {
  text: string;
  /** Number of the call that the client no longer makes. */
  diesAt: number | null;
}

/** Several clients of one folder, each call of each at one moment, in an order that `scheduler` chooses. */
async function race(links: boolean, scheduler: fc.Scheduler, plans: RacePlan[]): Promise<void> {
  const files = new SimulatedFiles({ links });
  let racing = false;
  const seen = new Set<string>();
  const look = () => {
    const data = files.peek(`/srv/backup/${KEY}`);
    if (data) seen.add(new TextDecoder().decode(data));
  };
  const clients = await Promise.all(plans.map(async ({ text, diesAt }) => {
    let calls = 0, die: () => void;
    const death = new Promise<"died">((resolve) => die = () => resolve("died"));
    const store = await openOn(files, async () => {
      if (!racing) return;
      await scheduler.schedule(Promise.resolve());
      look();
      if (++calls === diesAt) {
        die();
        await new Promise(() => {});
      }
    });
    await (await store.create()).abort(); // the probe is not what is tested
    return { text, death, store };
  }));
  racing = true;
  const putting = Promise.allSettled(
    clients.map(({ text, death, store }) => Promise.race([death, store.put(KEY, utf8(text)).then(() => text)])),
  );
  await scheduler.waitFor(putting);
  racing = false;
  look();
  for (const result of await putting) {
    if (result.status === "rejected") ok(isKind(result.reason, "object_exists"), String(result.reason));
    else if (result.value !== "died") ok(seen.has(result.value), `${result.value} succeeded, there is ${[...seen]}`);
  }
  ok(plans.some(({ diesAt }) => diesAt !== null) || seen.size > 0, "nobody won");

  const late = await openOn(files);
  await late.put(KEY, utf8("late")).catch((error) => ok(isKind(error, "object_exists"), String(error)));
  look();
  equal(seen.size, 1, `the object was replaced: ${[...seen].join(", then ")}`);
}

Deno.test("(2) power failure at any call of remove and setAside: gone for good, or whole", async () => {
  for (const change of ["remove", "setAside"] as const) {
    for (let n = 1, through = false; !through; n++) {
      for (const survives of [() => true, () => false]) {
        const files = new SimulatedFiles({ links: true });
        const { store, arm } = await openFailing(files);
        await store.put(KEY, DATA);
        arm(n);
        const changing = change === "remove" ? store.remove(KEY) : store.repair.setAside(KEY);
        through = await changing.then(() => true, () => false);
        files.powerLoss(survives);

        const after = await openOn(files);
        const found: Bytes[] = [];
        for await (const { key } of after.list("")) found.push(await after.get(key, "all"));
        for (const data of found) deepEqual(data, DATA);
        if (through) equal(await after.stat(KEY), undefined, `${change} came undone`);
        if (change === "setAside") ok(found.length > 0, "the object is lost");
      }
    }
  }
});
