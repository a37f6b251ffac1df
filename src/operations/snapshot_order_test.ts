import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { storedSnapshot } from "../../tests/fixtures/memory_trees.ts";
import type { AxiomEvent } from "../base/events.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { selectParent } from "./parent.ts";
import { findSnapshot } from "./snapshot_filter.ts";
import { inOrder } from "./snapshot_order.ts";

const DAY_NS = 86_400_000_000_000n;
const NOW_NS = 1_760_000_000_000_000_000n;

interface Spec {
  /** From now, by the client's clock. */
  day: number;
  client?: string;
  sequence?: number;
  /** Said by a person. */
  given?: true;
}

function stored({ day, client = "a", sequence = 1, given }: Spec): StoredSnapshot {
  const time = (NOW_NS + BigInt(day * 10) * DAY_NS / 10n).toString();
  return storedSnapshot({ time, scan_started: given ? NOW_NS.toString() : time, client, sequence });
}

/** As a listing gives them: by their times. */
function byTime(snapshots: StoredSnapshot[]): StoredSnapshot[] {
  return snapshots.toSorted((a, b) => Number(BigInt(a.snapshot.time) - BigInt(b.snapshot.time)));
}

const CLOCKS: { name: string; specs: Spec[]; order: number[]; warned?: boolean }[] = [
  {
    name: "right clocks",
    specs: [{ day: -3 }, { day: -2, sequence: 2 }, { day: -1, client: "b" }],
    order: [0, 1, 2],
  },
  { name: "an hour ahead is no fault", specs: [{ day: -1 }, { day: 0.1, sequence: 2 }], order: [0, 1] },
  {
    name: "one of the future, and those after it",
    specs: [{ day: -5 }, { day: 900, sequence: 2 }, { day: -2, sequence: 3 }],
    order: [0, 1, 2],
    warned: true,
  },
  {
    name: "one of the future, and none after it",
    specs: [{ day: -5 }, { day: 900, sequence: 2 }],
    order: [1, 0],
    warned: true,
  },
  { name: "nothing else", specs: [{ day: 900 }, { day: 901, sequence: 2 }], order: [0, 1], warned: true },
  {
    name: "an intruder's",
    specs: [{ day: -2 }, { day: 900, client: "b" }, { day: -1, sequence: 2 }],
    order: [1, 0, 2],
    warned: true,
  },
  { name: "a clock that went back", specs: [{ day: -3 }, { day: -9000, sequence: 2 }], order: [0, 1] },
  {
    name: "a clock that went back for one backup",
    specs: [{ day: -3 }, { day: -9000, sequence: 2 }, { day: -1, sequence: 3 }],
    order: [0, 1, 2],
  },
  { name: "a past that a person gave", specs: [{ day: -3 }, { day: -900, sequence: 2, given: true }], order: [1, 0] },
  {
    name: "a future that a person gave",
    specs: [{ day: -3 }, { day: 900, sequence: 2, given: true }],
    order: [1, 0],
    warned: true,
  },
  {
    name: "a future that a person gave, and one after it: by which this is the newest until then",
    specs: [{ day: -3 }, { day: 0.9, sequence: 2, given: true }, { day: -1, sequence: 3 }],
    order: [0, 2, 1],
  },
  {
    name: "a past that a person gave to the newest, after one that the clock gave",
    specs: [{ day: -3 }, { day: -2, sequence: 2 }, { day: -9, sequence: 3, given: true }],
    order: [2, 0, 1],
  },
];

Deno.test("(8, 37) what is the newest does not depend on a clock that was wrong", async (t) => {
  for (const { name, specs, order, warned = false } of CLOCKS) {
    await t.step(name, () => {
      const snapshots = specs.map(stored);
      const events: AxiomEvent[] = [];
      const moment = { nowNs: NOW_NS.toString(), onEvent: (event: AxiomEvent) => void events.push(event) };
      deepEqual(inOrder(byTime(snapshots), moment.nowNs).map((each) => snapshots.indexOf(each)), order);
      const list = { snapshots: byTime(snapshots), damaged: [], unfinished: [], orphans: [] };
      const newest = snapshots[order.at(-1)!];
      equal(findSnapshot(list, "latest", {}, moment), newest);
      const query = { mode: "incremental", host: "host", user: "user", paths: ["/"], nowNs: moment.nowNs } as const;
      equal(selectParent(list.snapshots, query), newest);
      equal(events.length, warned ? 1 : 0);
      for (const event of events) ok(event.type === "warning" && event.code === "snapshot_ahead");
    });
  }
});

Deno.test("of copies of one snapshot the repaired one is the newest, whatever their ids are", () => {
  const fault = { path: "/lost", reason: "its pack is gone" };
  const about = { time: "1", scan_started: "1", sequence: 1 };
  const first = storedSnapshot(about);
  const repaired = (original: string) => storedSnapshot({ ...about, original, faults: [fault], tags: ["repaired"] });
  const tagged = storedSnapshot({ ...about, original: first.id, tags: ["mine"] });
  const other = storedSnapshot({ ...about, client: "other" });
  const ids = Array.from({ length: 4 }, (_, i) => String(i).repeat(32));
  const isBefore = (list: StoredSnapshot[], a: StoredSnapshot, b: StoredSnapshot) => list.indexOf(a) < list.indexOf(b);
  for (const shift of [0, 1, 2, 3]) {
    const id = (i: number) => ids[(i + shift) % 4];
    const original = { ...first, id: id(0) };
    const copies = [tagged, repaired(original.id)].map((stored, i) => ({
      id: id(i + 1),
      hash: "",
      snapshot: { ...stored.snapshot, original: original.id },
    }));
    const unrelated = { ...other, id: id(3) };
    for (const all of [[original, ...copies, unrelated], [unrelated, ...copies.toReversed(), original]]) {
      const order = inOrder(all, NOW_NS.toString());
      ok(isBefore(order, original, copies[0]) && isBefore(order, copies[0], copies[1]), String(shift));
      const query = {
        mode: "incremental",
        host: "host",
        user: "user",
        paths: ["/"],
        nowNs: NOW_NS.toString(),
      } as const;
      equal(selectParent([original, ...copies].toSorted((a, b) => a.id < b.id ? -1 : 1), query), copies[1]);
    }
  }
});

Deno.test("the warning names what is dated in the future, and what it means", () => {
  const snapshots = Array.from({ length: 6 }, (_, i) => stored({ day: 400 + i, sequence: i + 1 }));
  const events: AxiomEvent[] = [];
  const list = { snapshots, damaged: [], unfinished: [], orphans: [] };
  findSnapshot(list, "latest", {}, { nowNs: NOW_NS.toString(), onEvent: (event) => void events.push(event) });
  const [event] = events;
  ok(event.type === "warning");
  match(event.message, /^6 snapshots are dated in the future, not the latest while there is another: /);
  ok(event.message.includes(snapshots[0].id.slice(0, 8)) && !event.message.includes(snapshots[5].id.slice(0, 8)));
  match(event.message, / and 4 more$/);
  ok(event.message.length < 200, event.message);
});
