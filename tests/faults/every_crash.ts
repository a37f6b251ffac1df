import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { quietly } from "../fixtures/quiet.ts";
import { type CallRecord, type CrashEffect, type FaultyStore, faultyStore } from "./faulty_store.ts";

export interface CrashPoint {
  /** Number of the call, from 1. */
  atCall: number;
  call: CallRecord;
  effect: CrashEffect;
  /** The operation succeeded nevertheless, as it may when it only cleans up; then its result has to be whole. */
  endedWell: boolean;
}

export interface CrashScenario {
  /** What is stored before. */
  before: MemoryState;
  /** What is interrupted. Whatever it throws is expected once the store has crashed. */
  run(store: FaultyStore): Promise<unknown>;
  /** Asserts on what is left; `store` works again. */
  examine(store: MemoryStore, point: CrashPoint): Promise<void>;
  effects?: readonly CrashEffect[];
  /** Parts of an object that a torn call leaves, each tried; a half by default. */
  keeps?: readonly number[];
  /** Such as small pages of listings. */
  listPageEntries?: number;
}

const TEARABLE = new Set(["put", "commit"]);

/**
 * Runs a scenario again and again, crashing at its first storage call, its second, and so on until it gets to its end;
 * each with every effect that the call can have. Returns how many crashes were tried.
 */
export async function everyCrash(scenario: CrashScenario): Promise<number> {
  let tried = 0;
  for (const { effect, keep } of waysToCrash(scenario)) {
    for (let atCall = 1;; atCall++) {
      const inner = memoryStore();
      inner.restore(scenario.before);
      const { listPageEntries } = scenario;
      const store = faultyStore(inner, { crash: { atCall, effect, keep }, listPageEntries });
      const failure = await outcome(quietly(scenario.run(store)));
      if (!store.crashed) {
        if (failure) throw failure.reason;
        break;
      }
      const call = store.calls[atCall - 1];
      if (effect === "torn" && !TEARABLE.has(call.call)) continue;
      await examined(scenario, inner, { atCall, call, effect, endedWell: !failure });
      tried++;
    }
  }
  return tried;
}

function waysToCrash(scenario: CrashScenario): { effect: CrashEffect; keep?: number }[] {
  const { effects = ["none", "whole", "torn"], keeps = [0.5] } = scenario;
  const simple = effects.filter((effect) => effect !== "torn").map((effect) => ({ effect }));
  const torn = keeps.map((keep) => ({ effect: "torn" as const, keep }));
  return effects.includes("torn") ? [...simple, ...torn] : simple;
}

async function outcome(running: Promise<unknown>): Promise<{ reason: unknown } | undefined> {
  try {
    await running;
    return undefined;
  } catch (reason) {
    return { reason };
  }
}

async function examined(scenario: CrashScenario, inner: MemoryStore, point: CrashPoint): Promise<void> {
  try {
    await scenario.examine(inner, point);
  } catch (cause) {
    const { atCall, call, effect } = point;
    throw new Error(`After a crash at call ${atCall}, ${call.call} ${call.key} (${effect}): ${cause}`, { cause });
  }
}
