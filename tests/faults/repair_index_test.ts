import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { LIMITS } from "../../src/base/limits.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import { IndexBuilder } from "../../src/model/index_builder.ts";
import { PREFIX } from "../../src/model/object_keys.ts";
import { check } from "../../src/operations/check.ts";
import { repairIndex } from "../../src/operations/repair_index.ts";
import { putIndexObject } from "../../src/repository/index_writer.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { type MemoryState, type MemoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { flipBit, truncateObject } from "./damage.ts";
import { everyCrash } from "./every_crash.ts";
import { type EveryKind, everyKind } from "./every_kind.ts";
import { HookedStore } from "./hooked_store.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfSnapshot } from "./pictures.ts";
import { SimulatedDeleter } from "./simulated_deleter.ts";
import { type Events, opened, save, storeOf, withFolder } from "./test_repository.ts";

const ALL = { readData: { kind: "all" as const } };
const context = { pool: () => inProcessPool(), onEvent: () => {} };
const REPAIR = { dryRun: false };
/** What a call has done in whole is what the next one finds that does nothing. */
const EFFECTS = ["none", "torn"] as const;

function keysBelow(store: MemoryStore, prefix: string): string[] {
  return [...store.snapshot().keys()].filter((key) => key.startsWith(prefix)).sort();
}

async function demandBoth(repository: Repository, scene: EveryKind, folder: string): Promise<void> {
  const { snapshots } = await repository.snapshots();
  for (const [i, picture] of scene.pictures.entries()) {
    deepEqual(await pictureOfSnapshot(repository, snapshots[i], folder), picture, `snapshot ${i}`);
  }
}

/** No index object may name what is not there, or lack what is. */
async function demandRight(store: MemoryStore): Promise<void> {
  const view = await (await opened(store)).loadIndex();
  deepEqual([view.objects.damaged, view.objects.superseded, view.unindexed, view.missingPacks], [[], [], [], []]);
  const found = await check(await opened(store), {}, context);
  deepEqual(found.errors, []);
}

/** An index object that says of a real pack what is not so, and names one that is not there. */
async function lie(store: MemoryStore): Promise<void> {
  const { sealer, ...repository } = await opened(store);
  const { index } = await (await opened(store)).loadIndex();
  const builder = new IndexBuilder();
  const [pack] = index.packs();
  const number = builder.addPack(pack);
  const kind = pack.kinds & 1 ? ChunkKind.data : ChunkKind.tree;
  builder.addChunk(new Uint8Array(16).fill(9), number, { frame: 0, offset: 5, length: 6, kind });
  const gone = builder.addPack({ ...pack, name: "e".repeat(64) });
  builder.addChunk(new Uint8Array(16).fill(8), gone, { frame: 0, offset: 0, length: 6, kind });
  await putIndexObject(repository.store, sealer, builder.encode());
}

Deno.test("repair index does nothing where nothing is wrong, but to remove a list of packs that are all gone", async () => {
  await withFolder(async (folder) => {
    const { state, keysOf } = await everyKind(folder);
    const store = storeOf(state);
    const done = await repairIndex(await opened(store), REPAIR, context);
    const expected = new Map(state);
    expected.delete(keysOf("condemned")[0]);
    equal([...store.snapshot().keys()].join(), [...expected.keys()].join());
    deepEqual(store.snapshot(), expected);
    deepEqual([done.indexesWritten, done.indexesRemoved, done.setAside], [0, 0, []]);
    equal(done.packsRead, keysBelow(store, PREFIX.packs).length);
  });
});

const DAMAGES: [string, (store: MemoryStore) => Promise<unknown>][] = [
  ["all index objects are gone", async (store) => {
    for (const key of keysBelow(store, PREFIX.index)) await store.remove(key);
  }],
  ["an index object is empty", (store) => truncateObject(store, keysBelow(store, PREFIX.index)[0], 0)],
  ["an index object is cut", (store) => truncateObject(store, keysBelow(store, PREFIX.index)[1], 5000)],
  ["an index object has a flipped bit", (store) => flipBit(store, keysBelow(store, PREFIX.index)[0], 8 * 100)],
  ["an index object lies", lie],
  ["an index object lies and another is cut", async (store) => {
    await truncateObject(store, keysBelow(store, PREFIX.index)[0], 60);
    await lie(store);
  }],
  ["an empty session and heartbeat", async (store) => {
    for (const key of keysBelow(store, PREFIX.sessions)) await truncateObject(store, key, 0);
  }],
];

Deno.test("(3) (22) (24) repair index makes the index what the packs say, and a second run finds nothing to do", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const [name, damage] of DAMAGES) {
      await t.step(name, async () => {
        const store = storeOf(scene.state);
        await damage(store);
        const before = store.snapshot();
        const planned = await repairIndex(await opened(store), { dryRun: true }, context);
        deepEqual(store.snapshot(), before, "a dry run changes nothing");
        const done = await repairIndex(await opened(store), REPAIR, context);
        deepEqual({ ...planned.setAside.map(({ key }) => key) }, { ...done.setAside.map(({ key }) => key) });
        await demandRight(store);
        await demandBoth(await opened(store), scene, folder);
        const again = store.snapshot();
        const second = await repairIndex(await opened(store), REPAIR, context);
        deepEqual(store.snapshot(), again);
        deepEqual([second.indexesWritten, second.setAside], [0, []]);
      });
    }
  });
});

Deno.test("(2) (24) repair index sets torn packs aside and says so; nothing else is moved or removed", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const key of scene.keysOf("pack")) {
      for (const keep of [0, 100, scene.state.get(key)!.length - 1]) {
        await t.step(`${key.slice(0, 12)} has ${keep} bytes`, async () => {
          const store = storeOf(scene.state);
          await truncateObject(store, key, keep);
          const events: Events = [];
          const repository = await opened(store, events);
          const done = await repairIndex(repository, REPAIR, { onEvent: repository.context.onEvent });
          deepEqual(done.setAside.map(({ key }) => key), [key]);
          ok(events.some((event) => event.type === "warning" && event.message.includes(key)));
          const after = store.snapshot();
          equal(after.get(done.setAside[0].asideKey!)!.length, keep);
          for (const other of scene.keysOf("pack")) equal(after.has(other), other !== key);
          await demandNoPack(store, key);
          await save(await opened(store), folder, { force: true });
          const { snapshots } = await (await opened(store)).snapshots();
          deepEqual(await pictureOfSnapshot(await opened(store), snapshots.at(-1)!, folder), scene.pictures[1]);
        });
      }
    }
  });
});

async function demandNoPack(store: MemoryStore, key: string): Promise<void> {
  const view = await (await opened(store)).loadIndex();
  equal(view.index.pack(key.slice(-64)), undefined);
  deepEqual([view.damagedPacks, view.missingPacks, view.unindexed], [[], [], []]);
}

Deno.test("a pack whose bytes are right is never set aside, even if this client cannot read it", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    const repository = await opened(store);
    // As with a keyring that is older than the pack: tables cannot be opened, bytes are what their names say.
    const { keys } = repository;
    const derive = keys.packTableKey.bind(keys);
    const [unreadable] = (await repository.loadIndex()).index.packs();
    keys.packTableKey = (epoch, salt) =>
      salt.every((byte, i) => byte === unreadable.salt[i]) ? new Uint8Array(32) : derive(epoch, salt);
    await store.remove(scene.keysOf("index")[0]);
    const done = await repairIndex(repository, REPAIR, context);
    deepEqual(done.setAside, []);
    deepEqual(done.packsUnreadable.map(({ name }) => name), [unreadable.name]);
    for (const key of scene.keysOf("pack")) ok(store.snapshot().has(key));
    await demandBoth(await opened(store), scene, folder);
  });
});

Deno.test("(23) a repaired index is split, whatever its size; a lost part is healed by repair and by the next backup", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    const partitionBytes = 800;
    await lie(store);
    const done = await repairIndex(await opened(store), { ...REPAIR, partitionBytes }, context);
    const parts = keysBelow(store, PREFIX.index);
    equal(parts.length, done.indexesWritten);
    ok(parts.length > 3);
    const { index } = await (await opened(store)).loadIndex();
    ok(index.packs().length > 1);
    await demandRight(store);
    await demandBoth(await opened(store), scene, folder);
    const split = store.snapshot();
    for (const part of parts) {
      for (const how of ["a reader", "repair", "a backup"]) {
        store.restore(split);
        await truncateObject(store, part, 50);
        if (how === "repair") await repairIndex(await opened(store), { ...REPAIR, partitionBytes }, context);
        if (how === "a backup") {
          await save(await opened(store), folder);
          await demandBoth(await opened(store), scene, folder);
          await save(await opened(store), folder);
        }
        await demandBoth(await opened(store), scene, folder);
        if (how !== "a reader") deepEqual((await check(await opened(store), ALL, context)).errors, [], how);
      }
    }
  });
});

Deno.test("(1) (23) a backup that dies at any storage call after a part of the index was lost makes nothing unreadable", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    await lie(store);
    await repairIndex(await opened(store), { ...REPAIR, partitionBytes: 1000 }, context);
    await truncateObject(store, keysBelow(store, PREFIX.index)[0], 50);
    const points = await everyCrash({
      before: store.snapshot(),
      effects: ["none"],
      run: async (store) => save(await opened(store), folder),
      examine: async (store) => demandBoth(await opened(store), scene, folder),
    });
    console.log(`backup: ${points} crash points`);
  });
});

Deno.test("(23) parts are as large as the limit allows, and no larger", async () => {
  await withFolder(async (folder) => {
    const { state } = await everyKind(folder);
    const store = storeOf(state);
    for (const key of keysBelow(store, PREFIX.index)) await store.remove(key);
    await repairIndex(await opened(store), REPAIR, context);
    equal(keysBelow(store, PREFIX.index).length, 1);
    ok(LIMITS.indexPartitionBytesMax <= 16 * 1024 * 1024);
  });
});

Deno.test("(1) (24) repair index that dies at any storage call loses nothing, and the next one ends its work", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    let points = 0;
    for (const [name, damage] of DAMAGES.filter(([name]) => !name.endsWith("cut") || name.includes("lies"))) {
      await t.step(name, async () => {
        const before = storeOf(scene.state);
        await damage(before);
        points += await everyCrash({
          before: before.snapshot(),
          effects: EFFECTS,
          run: async (store) => repairIndex(await opened(store), { ...REPAIR, partitionBytes: 1000 }, context),
          async examine(store) {
            await demandBoth(await opened(store), scene, folder);
            await repairIndex(await opened(store), { ...REPAIR, partitionBytes: 1000 }, context);
            await demandRight(store);
          },
        });
      });
    }
    console.log(`repair index: ${points} crash points`);
  });
});

/** Runs `run` with `act` ahead of its first storage call, its second and so on; returns how many there were. */
async function atEveryCall(
  before: MemoryState,
  run: (store: ObjectStore) => Promise<unknown>,
  act: (store: MemoryStore) => Promise<unknown>,
  examine: (store: MemoryStore, at: number) => Promise<void>,
): Promise<number> {
  for (let at = 1;; at++) {
    const inner = storeOf(before);
    let calls = 0;
    const store = new HookedStore(inner, async () => {
      if (++calls === at) await act(inner);
    });
    await run(store);
    if (calls < at) return at - 1;
    await examine(inner, at);
  }
}

Deno.test("(24) repair index beside a backup, at every storage call of either: both end well, nothing is lost", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const damaged = storeOf(scene.state);
    await damaged.remove(scene.keysOf("index")[0]);
    await lie(damaged);
    const backup = async (store: ObjectStore) => save(await opened(store), folder, { force: true });
    const repair = async (store: ObjectStore) =>
      repairIndex(await opened(store), { ...REPAIR, partitionBytes: 1000 }, context);
    for (const [run, act] of [[backup, repair], [repair, backup]] as const) {
      const calls = await atEveryCall(damaged.snapshot(), run, act, async (store, at) => {
        const repository = await opened(store);
        const { snapshots } = await repository.snapshots();
        equal(snapshots.length, 3, `at call ${at}`);
        deepEqual(await pictureOfSnapshot(repository, snapshots[2], folder), scene.pictures[1]);
        deepEqual((await check(repository, {}, context)).errors, [], `at call ${at}`);
      });
      console.log(`${calls} calls`);
    }
  });
});

Deno.test("(9) (24) a deletion at any storage call of repair index: what is left is readable and indexed", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const damaged = storeOf(scene.state);
    await damaged.remove(scene.keysOf("index")[1]);
    await lie(damaged);
    for (const key of [...scene.keysOf("condemned"), ...scene.keysOf("heartbeat", "session")]) {
      await damaged.remove(key);
    }
    const calls = await atEveryCall(
      damaged.snapshot(),
      async (store) => repairIndex(await opened(store), { ...REPAIR, partitionBytes: 1000 }, context),
      async (store) => {
        const repository = await opened(store);
        const { snapshots, unfinished } = await repository.snapshots();
        const deleter = new SimulatedDeleter(repository);
        await deleter.forget([snapshots[0].id, ...unfinished]);
        await deleter.condemn();
        await deleter.sweep();
      },
      async (store, at) => {
        const repository = await opened(store);
        const { snapshots } = await repository.snapshots();
        deepEqual(await pictureOfSnapshot(repository, snapshots[0], folder), scene.pictures[1], `at call ${at}`);
        await repairIndex(await opened(store), { ...REPAIR, partitionBytes: 1000 }, context);
        await demandRight(store);
      },
    );
    console.log(`${calls} calls`);
  });
});

Deno.test("a damaged list of condemned packs is set aside only when told", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const [key] = scene.keysOf("condemned");
    const store = storeOf(new Map(scene.state).set(key, new Uint8Array(10)));
    deepEqual((await repairIndex(await opened(store), REPAIR, context)).setAside, []);
    const told = await repairIndex(await opened(store), { ...REPAIR, condemnedLists: true }, context);
    deepEqual(told.setAside.map((aside) => aside.key), [key]);
    deepEqual((await check(await opened(store), {}, context)).errors, []);
  });
});

Deno.test("repair index in a store that may not be written to is refused, and a dry run is not", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    await store.remove(scene.keysOf("index")[0]);
    const repository = await opened(store);
    Object.assign(repository.opened.access, { write: "the feature something_new" });
    equal((await errorOf(repairIndex(repository, REPAIR, context))).kind, "repository_unsupported");
    equal((await repairIndex(repository, { dryRun: true }, context)).dryRun, true);
  });
});
