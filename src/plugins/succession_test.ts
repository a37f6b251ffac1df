import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { LIMITS } from "../base/limits.ts";
import { type Generation, isGone, isServing, NEXT_STATES } from "./generation.ts";
import { Succession } from "./succession.ts";

const plugin = (version: number, sha256 = "ab".repeat(32)) => ({ pluginId: "x_y", version: `${version}.0.0`, sha256 });

function probed(succession: Succession, version: number, nowMs: number): number {
  const { number } = succession.discover(plugin(version), nowMs);
  for (const state of ["verified", "compiled", "staged", "probed"] as const) succession.advance(number, state, nowMs);
  return number;
}

const statesOf = (succession: Succession) => succession.all.map(({ state }) => state);

Deno.test("a generation serves on trial until it had enough calls and enough time", () => {
  const cases = [
    { name: "enough of both", calls: LIMITS.pluginCanaryCalls, afterMs: LIMITS.pluginCanaryMs, state: "active" },
    { name: "too few calls", calls: LIMITS.pluginCanaryCalls - 1, afterMs: 1e6, state: "canary" },
    { name: "too early", calls: 1000, afterMs: LIMITS.pluginCanaryMs - 1, state: "canary" },
  ];
  for (const { name, calls, afterMs, state } of cases) {
    const succession = new Succession("x_y");
    const number = probed(succession, 1, 0);
    succession.serve(number, 0);
    for (let i = 0; i < calls; i++) succession.called(number, afterMs);
    equal(succession.current!.state, state, name);
  }
});

Deno.test("the first fault on trial brings the generation before back, and says why", () => {
  const succession = new Succession("x_y");
  succession.serve(probed(succession, 1, 0), 0);
  succession.serve(probed(succession, 2, 1), 1);
  const verdict = succession.faulted(2, 2, "trap: unreachable");
  deepEqual([verdict?.quarantined.number, verdict?.restored?.number], [2, 1]);
  equal(succession.current!.number, 1);
  deepEqual(statesOf(succession), ["active", "quarantined"]);
  equal(succession.all[1].reason, "trap: unreachable");
});

Deno.test("one that is not on trial, or stands alone, may fault twice in ten minutes", () => {
  const minute = 60_000;
  const cases = [
    { name: "three within ten minutes", at: [0, 4 * minute, 9 * minute], state: "quarantined" },
    { name: "the first was long ago", at: [0, 4 * minute, 10 * minute], state: "canary" },
    { name: "two", at: [0, 1], state: "canary" },
  ];
  for (const { name, at, state } of cases) {
    const succession = new Succession("x_y");
    const number = probed(succession, 1, 0);
    succession.serve(number, 0);
    for (const nowMs of at) succession.faulted(number, nowMs, "deadline");
    equal(succession.all[0].state, state, name);
    equal(succession.current === undefined, state === "quarantined", name);
  }
});

Deno.test("what was replaced can come back for ten minutes, then its module goes", () => {
  const succession = new Succession("x_y");
  succession.serve(probed(succession, 1, 0), 0);
  succession.serve(probed(succession, 2, 0), 0);
  succession.drained(1, 0);
  equal(succession.previous(LIMITS.pluginKeptMs - 1)?.number, 1);
  equal(succession.previous(LIMITS.pluginKeptMs), undefined);
  deepEqual(succession.forget(LIMITS.pluginKeptMs - 1), []);
  deepEqual(succession.forget(LIMITS.pluginKeptMs).map(({ number }) => number), [1]);
  throws(() => succession.serve(1, LIMITS.pluginKeptMs), RangeError);
});

Deno.test("rolling back twice is where one began", () => {
  const succession = new Succession("x_y");
  succession.serve(probed(succession, 1, 0), 0);
  succession.serve(probed(succession, 2, 1), 1);
  for (const expected of [1, 2, 1]) {
    succession.serve(succession.previous(5)!.number, 5);
    equal(succession.current!.number, expected);
  }
});

type Command = { do: "load" | "reject" | "call" | "fault" | "drain" | "rollback" | "unload" | "forget"; pick: number };

const commands = fc.array(
  fc.record({
    do: fc.constantFrom<Command["do"]>("load", "reject", "call", "fault", "drain", "rollback", "unload", "forget"),
    pick: fc.nat(1000),
  }),
  { maxLength: 200 },
);

function run(succession: Succession, { do: what, pick }: Command, nowMs: number): void {
  const used = succession.all.filter((each) => isServing(each) || each.state === "draining");
  const one = used[pick % Math.max(1, used.length)];
  switch (what) {
    case "load":
      return void succession.serve(probed(succession, pick, nowMs), nowMs);
    case "reject":
      return succession.advance(succession.discover(plugin(pick), nowMs).number, "rejected", nowMs, "no");
    case "call":
      return one && succession.called(one.number, nowMs);
    case "fault":
      return one && void succession.faulted(one.number, nowMs, "trap");
    case "drain":
      return one && succession.drained(one.number, nowMs);
    case "rollback": {
      const previous = succession.previous(nowMs);
      return previous && void succession.serve(previous.number, nowMs);
    }
    case "unload":
      return void succession.withdraw(nowMs);
    case "forget":
      return void succession.forget(nowMs);
  }
}

Deno.test("whatever happens, one generation serves, each step is a legal one, and no quarantined one comes back", () => {
  fc.assert(fc.property(commands, fc.array(fc.nat(200_000), { minLength: 1, maxLength: 20 }), (list, pauses) => {
    const seen = new Map<number, Generation["state"]>();
    const succession = new Succession("x_y", ({ number, state }, from) => {
      equal(seen.get(number) ?? "discovered", from);
      equal((NEXT_STATES[from] as readonly string[]).includes(state), true, `${from} → ${state}`);
      seen.set(number, state);
    });
    let nowMs = 0;
    for (const [at, command] of list.entries()) {
      nowMs += pauses[at % pauses.length];
      const before = succession.current;
      run(succession, command, nowMs);
      const serving = succession.all.filter(isServing);
      deepEqual(
        serving.map(({ number }) => number),
        succession.current === undefined ? [] : [succession.current.number],
      );
      if (command.do === "fault" && before !== undefined && succession.current === undefined) {
        equal(succession.previous(nowMs), undefined, "the last good one was left where it was");
      }
      equal(succession.all.filter(({ state }) => state === "retired").length <= list.length, true);
      if (command.do === "forget") {
        equal(
          succession.all.filter(({ state }) => state === "retired").length <= LIMITS.pluginGenerationsKept,
          true,
        );
        equal(succession.all.filter(isGone).length <= LIMITS.pluginRecordsMax, true);
      }
    }
  }));
});
