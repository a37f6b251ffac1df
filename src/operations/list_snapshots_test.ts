import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { type AxiomEvent, ignoreEvents } from "../base/events.ts";
import { storedSnapshot } from "../../tests/fixtures/memory_trees.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Repository } from "../repository/repository.ts";
import type { SnapshotList, StoredSnapshot } from "../repository/snapshots.ts";
import { distinctDigits, listSnapshots } from "./list_snapshots.ts";
import { findSnapshot, findSnapshots, parseTagLists, type SnapshotFilter } from "./snapshot_filter.ts";

function listOf(snapshots: StoredSnapshot[], rest: Partial<SnapshotList> = {}): SnapshotList {
  return { snapshots, damaged: [], unfinished: [], orphans: [], ...rest };
}

const about: Partial<Snapshot>[] = [
  { host: "one", paths: ["/home"], tags: [] },
  { host: "one", paths: ["/home"], tags: ["a"] },
  { host: "two", paths: ["/etc", "/home"], tags: ["a", "b"] },
  { host: "two", paths: ["/etc"], tags: ["b"] },
  { host: "one", paths: ["/home"], tags: ["c"] },
];
const snapshots = about.map(storedSnapshot);
const list = listOf(snapshots);
const NOW = { nowNs: "1760000000000000000", onEvent: ignoreEvents };

Deno.test("snapshots are selected by host, tags and paths", async (t) => {
  const cases: { name: string; filter: SnapshotFilter; found: number[] }[] = [
    { name: "no filter", filter: {}, found: [0, 1, 2, 3, 4] },
    { name: "empty lists", filter: { hosts: [], tags: [], paths: [] }, found: [0, 1, 2, 3, 4] },
    { name: "a host", filter: { hosts: ["two"] }, found: [2, 3] },
    { name: "any of two hosts", filter: { hosts: ["two", "one"] }, found: [0, 1, 2, 3, 4] },
    { name: "an unknown host", filter: { hosts: ["three"] }, found: [] },
    { name: "a tag", filter: { tags: parseTagLists(["a"]) }, found: [1, 2] },
    { name: "both tags of a list", filter: { tags: parseTagLists(["a,b"]) }, found: [2] },
    { name: "any of two lists", filter: { tags: parseTagLists(["a,b", "c"]) }, found: [2, 4] },
    { name: "no tags at all", filter: { tags: parseTagLists([""]) }, found: [0] },
    { name: "no tags, or b", filter: { tags: parseTagLists(["", "b"]) }, found: [0, 2, 3] },
    { name: "a path", filter: { paths: ["/etc"] }, found: [2, 3] },
    { name: "all of two paths", filter: { paths: ["/home/", "/etc"] }, found: [2] },
    { name: "a path below a source", filter: { paths: ["/home/x"] }, found: [] },
    { name: "all at once", filter: { hosts: ["two"], tags: [["b"]], paths: ["/home"] }, found: [2] },
  ];
  for (const { name, filter, found } of cases) {
    await t.step(
      name,
      () => deepEqual(findSnapshots(list, [], filter, NOW).map((each) => snapshots.indexOf(each)), found),
    );
  }
});

Deno.test("tag lists are split at commas, without spaces and repetitions", () => {
  deepEqual(parseTagLists(["a, b,a", ",", "c"]), [["a", "b"], [], ["c"]]);
});

Deno.test("names of snapshots: ids and prefixes whatever the filter, latest within it", () => {
  equal(findSnapshot(list, "latest", {}, NOW), snapshots[4]);
  equal(findSnapshot(list, "latest", { hosts: ["two"] }, NOW), snapshots[3]);
  equal(findSnapshot(list, snapshots[0].id, { hosts: ["two"] }, NOW), snapshots[0]);
  equal(findSnapshot(list, snapshots[0].id.slice(0, 12), {}, NOW), snapshots[0]);
  const names = [snapshots[2].id, "latest", snapshots[2].id.slice(0, 12)];
  deepEqual(findSnapshots(list, names, {}, NOW), [snapshots[2], snapshots[4]]);
  throws(() => findSnapshot(list, "latest", { hosts: ["three"] }, NOW), { kind: "snapshot_missing" });
  throws(() => findSnapshot(list, "0123456789abcdef", {}, NOW), { kind: "snapshot_missing" });
  throws(() => findSnapshot(list, "nonsense", {}, NOW), { kind: "snapshot_missing" });
  const twins = ["ab".repeat(16), "abc".padEnd(32, "0")].map((id) => ({ ...snapshots[0], id }));
  throws(() => findSnapshot(listOf(twins), "ab", {}, NOW), { kind: "snapshot_ambiguous" });
});

Deno.test("a snapshot that is damaged or unfinished is not called missing", () => {
  const damaged = [{ id: "a".repeat(32), reason: "Cannot open it: torn" }];
  const unusable = listOf(snapshots, { damaged, unfinished: ["b".repeat(32)] });
  throws(() => findSnapshot(unusable, "aaaaaaaa", {}, NOW), { kind: "data_damaged", message: /torn/ });
  throws(() => findSnapshot(unusable, "b".repeat(32), {}, NOW), { kind: "snapshot_missing", message: /not finished/ });
});

Deno.test("the list shows the newest of each host and paths, and tells of what it cannot read", async () => {
  const damaged = [{ id: "a".repeat(32), reason: "Cannot open it: torn" }];
  const repository = {
    snapshots: () => Promise.resolve(listOf(snapshots, { damaged })),
    context: { clock: { nowNs: () => NOW.nowNs } },
  } as unknown as Repository;
  const events: AxiomEvent[] = [];
  const context = { onEvent: (event: AxiomEvent) => events.push(event) };
  const newest = await listSnapshots(repository, { newest: 1 }, context);
  deepEqual(newest.map(({ id }) => snapshots.findIndex((each) => each.id === id)), [2, 3, 4]);
  ok(events.length === 1 && events[0].type === "error" && events[0].error.kind === "data_damaged");
  const [first] = await listSnapshots(repository, { names: [snapshots[1].id] }, context);
  const { snapshot } = snapshots[1];
  deepEqual(first, {
    id: snapshots[1].id,
    shortId: snapshots[1].id.slice(0, 8),
    timeNs: snapshot.time,
    host: "one",
    user: "user",
    paths: ["/home"],
    tags: ["a"],
    mode: "incremental",
    parentId: null,
    originalId: null,
    files: 0,
    bytes: 0,
    faults: 0,
    plugins: [],
    toolVersion: "test",
  });
});

Deno.test("short ids have as many digits as tell all apart", () => {
  equal(distinctDigits([]), 8);
  equal(distinctDigits(["0123456789abcdef", "1123456789abcdef"]), 8);
  equal(distinctDigits(["0123456789abcdef", "f", "0123456789aacdef"]), 12);
});
