import { utf8 } from "../base/bytes.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import type { InstancePool } from "./instance_pool.ts";

const MODES = ["full", "incremental", "differential"];
const NOW_MS = Date.UTC(2026, 1, 28, 23, 59);
const DAY_MS = 86_400_000;

interface Known {
  readonly id: string;
  readonly time_ms: number;
  readonly mode: string;
  readonly parent: string | null;
}

/** The newest first; every `fullEach`th is full. */
function history(count: number, fullEach: number, stepMs: number): Known[] {
  const oldestFirst = Array.from({ length: count }, (_, i): Known => {
    const id = i.toString(16).padStart(64, "0"), isFull = i % fullEach === 0;
    const parent = isFull ? null : (i - 1).toString(16).padStart(64, "0");
    return { id, time_ms: NOW_MS - (count - i) * stepMs, mode: isFull ? "full" : "incremental", parent };
  });
  return oldestFirst.reverse();
}

const HISTORIES: readonly { name: string; snapshots: Known[] }[] = [
  { name: "no snapshot", snapshots: [] },
  { name: "one, of yesterday", snapshots: history(1, 1, DAY_MS) },
  { name: "a year of days, every seventh full", snapshots: history(365, 7, DAY_MS) },
  { name: "hours since one full", snapshots: history(100, 1000, DAY_MS / 24) },
  { name: "from the future", snapshots: history(3, 1, -DAY_MS) },
  { name: "without a full one", snapshots: history(20, 1000, DAY_MS).slice(0, 10) },
];

export function strategyChecks(): Check[] {
  return [
    ...HISTORIES.map(({ name, snapshots }): Check => ({
      group: "properties",
      name: `decides: ${name}`,
      run: async ({ pool }) => await plan(pool, snapshots),
    })),
    { group: "properties", name: "decides the same in a fresh instance", run: isRepeatable },
  ];
}

async function plan(pool: InstancePool, snapshots: readonly Known[]): Promise<string> {
  const full = snapshots.findIndex(({ mode }) => mode === "full");
  const parameters = {
    now_ms: NOW_MS,
    snapshots: snapshots.length,
    since_full: full,
    full_age_ms: full < 0 ? -1 : NOW_MS - snapshots[full].time_ms,
  };
  const input = utf8(JSON.stringify(snapshots));
  const { result = "" } = await pool.call({ verb: "execute", operation: "plan", parameters, input });
  const { mode, parent } = decision(result);
  if (!MODES.includes(mode as string)) {
    throw new RuleBroken(`its mode is ${JSON.stringify(mode)}, not ${MODES.join(", ")}`);
  }
  if (parent === null || parent === undefined) return `${mode}`;
  if (mode === "full") throw new RuleBroken("it gives a full backup a parent");
  if (!snapshots.some(({ id }) => id === parent)) throw new RuleBroken(`its parent ${parent} is none of the snapshots`);
  return `${mode}, from ${(parent as string).slice(-8)}`;
}

function decision(result: string): { mode?: unknown; parent?: unknown } {
  try {
    return JSON.parse(result) ?? {};
  } catch {
    throw new RuleBroken(`its result is no JSON: ${result.slice(0, 100)}`);
  }
}

async function isRepeatable({ pool, fresh }: CheckContext): Promise<string> {
  const all = async (other: InstancePool) => {
    const plans: string[] = [];
    for (const { snapshots } of HISTORIES) plans.push(await plan(other, snapshots));
    return plans.join("; ");
  };
  const first = await all(pool), again = await fresh(all);
  if (first !== again) throw new RuleBroken(`it decided ${first}, and then ${again}`);
  return "the same decisions";
}
