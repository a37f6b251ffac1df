import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { markerKey, PREFIX, sessionKey, snapshotKey } from "../../src/model/object_keys.ts";
import { check, type CheckSummary } from "../../src/operations/check.ts";
import { repairSnapshots, type RepairSnapshotsSummary } from "../../src/operations/repair_snapshots.ts";
import { appendLedger, readLedger } from "../../src/repository/ledger.ts";
import { PinStore } from "../../src/repository/pins.ts";
import { WriterSession } from "../../src/repository/session.ts";
import { SnapshotCommit, type StoredSnapshot } from "../../src/repository/snapshots.ts";
import type { StateFiles } from "../../src/platform/state_files.ts";
import { type MemoryState, type MemoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { flipBit } from "./damage.ts";
import { everyCrash } from "./every_crash.ts";
import { HookedStore } from "./hooked_store.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfSnapshot } from "./pictures.ts";
import {
  type Events,
  IDENTITY,
  opened,
  savedBeforeAndAfter,
  storeOf,
  STYLE,
  testContext,
  withFolder,
} from "./test_repository.ts";

const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };
const REPAIR = { keepFiles: false, forget: false, dryRun: false, metadataStyle: STYLE };

interface Scene {
  folder: string;
  state: MemoryState;
  /** Both snapshots, oldest first. */
  snapshots: StoredSnapshot[];
  pictures: Picture[];
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const store = await savedBeforeAndAfter(folder);
    const repository = await opened(store);
    const { snapshots } = await repository.snapshots();
    const pictures: Picture[] = [];
    for (const stored of snapshots) pictures.push(await pictureOfSnapshot(repository, stored, folder));
    await run({ folder, state: store.snapshot(), snapshots, pictures });
  });
}

async function repair(store: ObjectStore, options = {}): Promise<RepairSnapshotsSummary> {
  return await repairSnapshots(await opened(store), { ...REPAIR, ...options }, context);
}

async function checked(store: ObjectStore): Promise<CheckSummary> {
  return await check(await opened(store), {}, context);
}

/** Every snapshot that counts shows the same folder as before. */
async function assertPictures(store: ObjectStore, { folder, pictures }: Scene): Promise<void> {
  const repository = await opened(store);
  const { snapshots } = await repository.snapshots();
  const found: Picture[] = [];
  for (const stored of snapshots) found.push(await pictureOfSnapshot(repository, stored, folder));
  deepEqual(found, pictures);
}

/** How a snapshot can come not to count although its manifest is right. */
const WAYS: { name: string; kind: string; damage: (store: MemoryStore, id: string) => Promise<unknown> }[] = [
  { name: "marker gone", kind: "marker_missing", damage: (store, id) => store.remove(markerKey(id)) },
  { name: "marker flipped", kind: "marker_damaged", damage: (store, id) => flipBit(store, markerKey(id), 700) },
  {
    name: "marker with another magic",
    kind: "marker_damaged",
    damage: (store, id) => flipBit(store, markerKey(id), 3),
  },
];

Deno.test("(2) (43) a lost commit marker is told, and repair snapshots brings the snapshot back whole", async (t) => {
  await withScene(async (scene) => {
    for (const { name, kind, damage } of WAYS) {
      for (const which of [0, 1]) {
        await t.step(`${name}, snapshot ${which}`, async () => {
          const store = storeOf(scene.state);
          const { id } = scene.snapshots[which];
          await damage(store, id);
          const { errors } = await checked(store);
          deepEqual(errors.map((error) => [error.kind, error.object]), [[kind, snapshotKey(id)]]);
          deepEqual(errors[0].affected, [{ snapshotId: id, path: "/" }]);
          if (kind === "marker_missing") equal(/it was finished, for/.test(errors[0].message), which === 0);
          const keys = [...store.snapshot().keys()];
          const planned = await repair(store, { dryRun: true });
          deepEqual([...store.snapshot().keys()], keys);
          const { repairs } = await repair(store);
          deepEqual(repairs.map(({ snapshotId, uncounted, droppedCount }) => [snapshotId, uncounted, droppedCount]), [
            [id, true, 0],
          ]);
          deepEqual(planned.repairs.map(({ snapshotId }) => snapshotId), [id]);
          await assertPictures(store, scene);
          deepEqual((await checked(store)).errors, []);
          const repository = await opened(store);
          const { snapshots } = await repository.snapshots();
          const { snapshot } = snapshots.find((stored) => stored.id === repairs[0].newSnapshotId)!;
          const { session: _, original, ...rest } = snapshot;
          const { session: __, ...before } = scene.snapshots[which].snapshot;
          deepEqual([original, rest], [id, before]);
          const { records } = await readLedger(store, repository.sealer);
          deepEqual(records.map(({ record }) => record.removed), [[{ id, replaced_by: repairs[0].newSnapshotId! }]]);
          deepEqual((await repair(store)).repairs, []);
        });
      }
    }
  });
});

Deno.test("(28) once a lost snapshot is brought back, the client that had made it trusts the repository again", async () => {
  await withScene(async ({ state, snapshots }) => {
    const store = storeOf(state);
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    const memory: StateFiles = {
      folder: "/state",
      read: (name) => Promise.resolve(files.get(name)),
      write: (name, data) => Promise.resolve(void files.set(name, data)),
      remove: (name) => Promise.resolve(void files.delete(name)),
    };
    const pins = new PinStore(memory, () => {});
    await pins.check(await opened(store));
    await pins.pinHead(await opened(store), snapshots[1].id, snapshots[1].snapshot.paths);
    await store.remove(markerKey(snapshots[1].id));
    equal((await errorOf(pins.check(await opened(store)))).kind, "repository_changed");
    await repair(store);
    await pins.check(await opened(store));
  });
});

Deno.test("what is no loss is a note: a writer at work, a snapshot that was removed, one that stands elsewhere", async () => {
  await withScene(async ({ state, snapshots }) => {
    const store = storeOf(state);
    const repository = await opened(store);
    const { sealer } = repository;
    const random = repository.context.random;
    const session = await WriterSession.begin(store, sealer, IDENTITY, testContext());
    const put = (id: string, snapshot: object) =>
      new SnapshotCommit(store, sealer, id, { ...snapshots[0].snapshot, ...snapshot }).putManifest();
    await put("1".repeat(32), { session: session.id });
    await put("2".repeat(32), { tags: ["other"], original: snapshots[0].id });
    await put("3".repeat(32), {});
    const by = { client: "c", host: "h", user: "u" };
    const removed = [{ id: "3".repeat(32) }, { id: "4".repeat(32) }];
    await appendLedger(store, sealer, { version: 1, reason: "forget", removed, by, time: "1" });
    await store.put(markerKey("4".repeat(32)), random(4096));
    const { errors, notes } = await checked(store);
    deepEqual(errors, []);
    deepEqual(
      notes.filter(({ code }) => code.startsWith("snapshot_")).map(({ code, object }) => [code, object[10]]).sort(),
      [
        ["snapshot_abandoned", "2"],
        ["snapshot_removed", "3"],
        ["snapshot_removed", "4"],
        ["snapshot_unfinished", "1"],
      ],
    );
    deepEqual((await repair(store, { forget: true })).repairs, []);
    const after = await repository.snapshots();
    deepEqual([after.snapshots.length, after.unfinished, after.orphans, after.damaged], [2, ["1".repeat(32)], [], []]);
    await session.end();
    ok(await store.stat(sessionKey(session.id)) === undefined);
  });
});

Deno.test("(43) a damaged manifest is set aside only when told, with every byte, and then nothing is wrong", async (t) => {
  await withScene(async (scene) => {
    const ways: [string, (store: MemoryStore, id: string) => Promise<unknown>][] = [
      ["flipped", (store, id) => flipBit(store, snapshotKey(id), 900)],
      ["gone", (store, id) => store.remove(snapshotKey(id))],
      ["flipped, without marker", async (store, id) => {
        await flipBit(store, snapshotKey(id), 900);
        await store.remove(markerKey(id));
      }],
    ];
    for (const [name, damage] of ways) {
      await t.step(name, async () => {
        const store = storeOf(scene.state);
        const { id } = scene.snapshots[1];
        await damage(store, id);
        const before = store.snapshot();
        deepEqual((await checked(store)).errors.map(({ kind }) => kind), ["snapshot_damaged"]);
        const kept = await repair(store);
        deepEqual([...store.snapshot()], [...before]);
        match(kept.repairs[0].reason!, /Cannot /);
        equal(kept.repairs[0].forgotten, false);
        ok(kept.documentsUnreached! > 0);
        const { repairs: [done] } = await repair(store, { forget: true, names: [id.slice(0, 8)] });
        deepEqual([done.snapshotId, done.newSnapshotId, done.forgotten], [id, null, true]);
        const bytes = (keys: Iterable<string>, state: MemoryState) => [...keys].map((key) => state.get(key)!).sort();
        const left = [...before.keys()].filter((key) => key.startsWith(snapshotKey(id)));
        equal(done.asideKeys.length, left.length);
        deepEqual(bytes(done.asideKeys, store.snapshot()), bytes(left, before));
        deepEqual((await checked(store)).errors, []);
        deepEqual((await (await opened(store)).snapshots()).snapshots.map((each) => each.id), [scene.snapshots[0].id]);
        const { records } = await readLedger(store, (await opened(store)).sealer);
        deepEqual(records.map(({ record }) => record.removed), [[{ id }]]);
      });
    }
  });
});

Deno.test("while a newer keyring cannot be read, no manifest is set aside for being unreadable", async () => {
  await withScene(async ({ state, snapshots }) => {
    const store = storeOf(state);
    const key = snapshotKey(snapshots[1].id);
    await flipBit(store, key, 900);
    await store.put(`${PREFIX.keyring}0000000002`, new Uint8Array(4096));
    const before = await store.get(key, "all");
    const error = await errorOf(repair(store, { forget: true }));
    equal(error.kind, "data_damaged");
    match(error.message, /keyring\/0000000002/);
    deepEqual(await store.get(key, "all"), before);
  });
});

Deno.test("(1) a repair of lost markers and manifests that dies at any storage call loses nothing, and the next one ends it", async () => {
  await withScene(async (scene) => {
    const [lost, last] = scene.snapshots;
    const states: [string, MemoryState, number][] = [];
    const unmarked = storeOf(scene.state);
    await unmarked.remove(markerKey(lost.id));
    states.push(["marker", unmarked.snapshot(), 2]);
    const damaged = storeOf(scene.state);
    await flipBit(damaged, snapshotKey(last.id), 900);
    states.push(["manifest", damaged.snapshot(), 1]);
    for (const [, before, count] of states) {
      await everyCrash({
        before,
        effects: ["none", "torn"],
        run: (store) => repair(store, { forget: true }),
        async examine(store) {
          await repair(store, { forget: true });
          const errors = (await checked(store)).errors.filter(({ kind }) =>
            kind !== "session_damaged" && kind !== "object_damaged"
          );
          deepEqual(errors, []);
          const repository = await opened(store);
          const { snapshots } = await repository.snapshots();
          equal(snapshots.length, count);
          for (const [i, stored] of snapshots.entries()) {
            deepEqual(await pictureOfSnapshot(repository, stored, scene.folder), scene.pictures[i]);
          }
        },
      });
    }
  });
});

Deno.test("(4) (5) a writer that is fenced between two snapshots keeps the first, takes the second back, and the next ends it", async () => {
  await withScene(async (scene) => {
    const store = storeOf(scene.state);
    for (const { id } of scene.snapshots) await store.remove(markerKey(id));
    let markers = 0;
    const hooked = new HookedStore(store, async ({ call, key }) => {
      if (call !== "put" || !key.endsWith(".ok") || ++markers !== 2) return;
      for await (const { key } of store.list(PREFIX.sessions)) await store.remove(key);
    });
    equal((await errorOf(repair(hooked))).kind, "session_fenced");
    const list = await (await opened(store)).snapshots();
    deepEqual([list.snapshots.length, list.damaged, list.orphans], [1, [], []]);
    equal((await repair(store)).repairs.length, 1);
    await assertPictures(store, scene);
    deepEqual((await checked(store)).errors, []);
  });
});

Deno.test("a fenced commit that may not be taken back says why it failed, and what is left", async () => {
  await withScene(async ({ state, snapshots }) => {
    const store = storeOf(state);
    const events: Events = [];
    const { sealer } = await opened(store);
    const session = await WriterSession.begin(store, sealer, IDENTITY, testContext());
    await store.remove(sessionKey(session.id));
    const denied = new HookedStore(store, ({ call }) => {
      if (call === "remove") throw new Error("Cannot remove: denied");
      return Promise.resolve();
    });
    const commit = new SnapshotCommit(denied, sealer, "f".repeat(32), snapshots[0].snapshot);
    equal((await errorOf(commit.commit(session, (event) => events.push(event)))).kind, "session_fenced");
    deepEqual(events.map((event) => event.type === "warning" && event.code), ["withdraw"]);
    session.stopHeartbeats();
  });
});

Deno.test("a snapshot that its writer takes back while strays are judged is none, and nothing is made of it", async () => {
  await withScene(async ({ state, snapshots }) => {
    const { id } = snapshots[1];
    const store = storeOf(state);
    await store.remove(markerKey(id));
    let reads = 0;
    // After the manifest was read, and before it is known that the marker is gone.
    const hooked = new HookedStore(store, async ({ call, key }) => {
      if (call !== "get" || key !== markerKey(id)) return;
      reads++;
      await store.remove(snapshotKey(id));
    });
    const { repairs } = await repair(hooked);
    deepEqual([repairs, reads], [[], 1]);
    const list = await (await opened(store)).snapshots();
    deepEqual([list.snapshots.map((each) => each.id), list.unfinished], [[snapshots[0].id], []]);
  });
});
