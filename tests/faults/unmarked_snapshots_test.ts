import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import type { AxiomEvent } from "../../src/base/events.ts";
import { markerKey, sessionKey, snapshotKey } from "../../src/model/object_keys.ts";
import { listSnapshots } from "../../src/operations/list_snapshots.ts";
import { readSnapshotList, type SnapshotQuestion } from "../../src/operations/unmarked_snapshots.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { HookedStore } from "./hooked_store.ts";
import { opened, savedBeforeAndAfter, withFolder } from "./test_repository.ts";

async function withTwoSnapshots(run: (state: MemoryState, snapshots: StoredSnapshot[]) => Promise<void>) {
  await withFolder(async (folder) => {
    const store = await savedBeforeAndAfter(folder);
    await run(store.snapshot(), (await (await opened(store)).snapshots()).snapshots);
  });
}

async function warnings(store: MemoryStore, question: SnapshotQuestion): Promise<string[]> {
  const events: AxiomEvent[] = [];
  await readSnapshotList(await opened(store), question, { onEvent: (event) => void events.push(event) });
  return events.map((event) => event.type === "warning" ? `${event.code}: ${event.message}` : event.type);
}

const LATEST = { names: ["latest"] };
const CASES: { name: string; unmarked: number[]; question: SnapshotQuestion; told?: RegExp }[] = [
  { name: "nothing is lost", unmarked: [], question: {} },
  { name: "newest, all", unmarked: [1], question: {}, told: /^The snapshot [0-9a-f]{8} of .* does not count/ },
  { name: "newest, latest", unmarked: [1], question: LATEST, told: /`axiom repair snapshots`/ },
  { name: "newest, latest of another host", unmarked: [1], question: { ...LATEST, filter: { hosts: ["other"] } } },
  { name: "newest, an id", unmarked: [1], question: { names: ["12345678"] } },
  { name: "oldest, all", unmarked: [0], question: {}, told: /does not count/ },
  { name: "oldest, latest", unmarked: [0], question: LATEST },
  { name: "both, latest", unmarked: [0, 1], question: LATEST, told: /^2 snapshots, of which .* do not count/ },
];

Deno.test("(2) a finished snapshot without its marker is told where an older one would stand for it", async (t) => {
  await withTwoSnapshots(async (state, snapshots) => {
    for (const { name, unmarked, question, told } of CASES) {
      await t.step(name, async () => {
        const store = memoryStore();
        store.restore(state);
        for (const which of unmarked) await store.remove(markerKey(snapshots[which].id));
        const found = await warnings(store, question);
        equal(found.length, told === undefined ? 0 : 1, found.join("\n"));
        if (told === undefined) return;
        match(found[0], new RegExp(told.source.replace("^", "^marker_missing: ")));
        ok(found[0].includes(snapshots[unmarked.at(-1)!].id.slice(0, 8)));
      });
    }
    await t.step("a backup that is at work is not told", async () => {
      const store = memoryStore();
      store.restore(state);
      const { id, snapshot } = snapshots[1];
      await store.remove(markerKey(id));
      await store.put(sessionKey(snapshot.session), new Uint8Array(1));
      deepEqual(await warnings(store, {}), []);
    });
    await t.step("manifests that count are read once", async () => {
      const store = memoryStore();
      store.restore(state);
      const read: string[] = [];
      const watched = new HookedStore(store, ({ call, key }) => {
        if (call === "get") read.push(key);
        return Promise.resolve();
      });
      const shown = await listSnapshots(await opened(watched), {}, { onEvent: () => {} });
      deepEqual(shown.map(({ id }) => id), snapshots.map(({ id }) => id));
      for (const { id } of snapshots) equal(read.filter((key) => key === snapshotKey(id)).length, 1);
    });
  });
});
