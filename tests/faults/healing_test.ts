import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { packKey, PREFIX } from "../../src/model/object_keys.ts";
import { check } from "../../src/operations/check.ts";
import { repairPacks } from "../../src/operations/repair_packs.ts";
import type { FileStat, FileSystem } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { flipBit } from "./damage.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { emptyRepository, IDENTITY, opened, save, SMALL_PACKS, STYLE, withFolder } from "./test_repository.ts";

const files = openFileSystem();
const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };

/** Folders above a source change all the time; here they do not, so that the same source gives the same documents. */
const steady: FileSystem = new Proxy(files, {
  get: (target, name) => {
    if (name === "lstat") return (path: string) => steadyStat(path, target.lstat(path));
    const member = Reflect.get(target, name);
    return typeof member === "function" ? member.bind(target) : member;
  },
});

function steadyStat(path: string, stat: FileStat): FileStat {
  return path.split("/").length <= 3 ? { ...stat, mtimeNs: "1", ctimeNs: "1" } : stat;
}

interface Scene {
  state: MemoryState;
  folders: string[];
  /** Of each snapshot: which folder it is of, and how that looked. */
  snapshots: { folder: string; picture: Picture }[];
}

/** Snapshots of two folders, in turn, one of which was there twice; all that they need is still there. */
async function threeSnapshots(root: string): Promise<Scene> {
  const store = memoryStore();
  store.restore(await emptyRepository(SMALL_PACKS));
  const folders = [`${root}/one`, `${root}/two`];
  writeSmallSource(folders[0]);
  writeFiles(folders[0], { "big/0": noise("big 0", 90_000), "big/1": noise("big 1", 50_000) });
  writeFiles(folders[1], { "big/2": noise("big 2", 120_000), "many/x": "x", "copy/0": noise("big 0", 90_000) });
  const snapshots: Scene["snapshots"] = [];
  for (const folder of [folders[0], folders[1], folders[0]]) {
    await save(await opened(store), folder, { files: steady });
    snapshots.push({ folder, picture: pictureOfFolder(files, folder) });
  }
  return { state: store.snapshot(), folders, snapshots };
}

/** What a backup of the same folders stores. */
async function saveAll(store: MemoryStore, { folders }: Scene): Promise<void> {
  for (const folder of folders) {
    const { filesFailed } = await save(await opened(store), folder, { files: steady });
    equal(filesFailed, 0);
  }
}

async function demandAll(store: MemoryStore, { snapshots }: Scene): Promise<void> {
  const repository = await opened(store);
  const list = await repository.snapshots();
  deepEqual(list.damaged, []);
  for (const [i, { folder, picture }] of snapshots.entries()) {
    deepEqual(await pictureOfSnapshot(repository, list.snapshots[i], folder), picture, `snapshot ${i}`);
  }
  const checked = await check(repository, { readData: { kind: "all" } }, context);
  deepEqual(checked.errors, []);
}

const keysOf = (state: MemoryState, prefix: string) => [...state.keys()].filter((key) => key.startsWith(prefix));

Deno.test("(2) (3) (9) (10) a backup after any object is short, empty or gone makes all earlier snapshots whole", async (t) => {
  await withFolder(async (root) => {
    const scene = await threeSnapshots(root);
    const { state } = scene;
    const ways: [string, (store: MemoryStore, key: string) => Promise<void>][] = [
      ["half", (store, key) => plantCut(store, key, 0.5)],
      ["empty", (store, key) => plantCut(store, key, 0)],
      ["one byte short", (store, key) => plantCut(store, key, 0.99999)],
      ["gone", (store, key) => store.remove(key)],
    ];
    for (const key of [...keysOf(state, PREFIX.packs), ...keysOf(state, PREFIX.index)]) {
      for (const [name, damage] of ways) {
        await t.step(`${key.slice(0, 12)} ${name}`, async () => {
          const store = memoryStore();
          store.restore(state);
          await damage(store, key);
          await saveAll(store, scene);
          await demandAll(store, scene);
        });
      }
    }
  });
});

async function plantCut(store: MemoryStore, key: string, keep: number): Promise<void> {
  const data = await store.get(key, "all");
  await store.remove(key);
  await store.put(key, data.slice(0, Math.floor(data.length * keep)));
}

Deno.test("(43) a flipped byte of a frame is found; repair and the next backup make all earlier snapshots whole", async (t) => {
  await withFolder(async (root) => {
    const scene = await threeSnapshots(root);
    for (const key of keysOf(scene.state, PREFIX.packs)) {
      await t.step(key.slice(0, 12), async () => {
        const store = memoryStore();
        store.restore(scene.state);
        await flipBit(store, key, 8 * 40 + 3);
        const found = await check(await opened(store), { readData: { kind: "all" } }, context);
        deepEqual(found.errors.map(({ object }) => object), [key]);
        ok(found.errors[0].affectedCount > 0);
        const options = { selection: { kind: "all" as const }, dryRun: false, metadataStyle: STYLE };
        const repaired = await repairPacks(await opened(store), options, context);
        deepEqual(repaired.packs.map(({ name }) => packKey(name)), [key]);
        ok(repaired.packs[0].chunksLost > 0);
        await saveAll(store, scene);
        await demandAll(store, scene);
      });
    }
  });
});
