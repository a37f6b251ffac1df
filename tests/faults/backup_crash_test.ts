import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../../src/base/errors.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { Repository } from "../../src/repository/repository.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { type CrashPoint, everyCrash } from "./every_crash.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { changeSmallSource, noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { errorOf } from "../fixtures/tampering.ts";
import {
  bringBack,
  emptyRepository,
  opened,
  save,
  SECRET,
  SMALL_PACKS,
  testContext,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();
const KEEPS = [0, 0.5, 0.999];

Deno.test("(1) (2) init that dies at any storage call leaves nothing that stands in the way of the next one", async () => {
  const points = await everyCrash({
    before: new Map(),
    keeps: KEEPS,
    run: (store) => Repository.create(store, { secret: SECRET }, testContext()),
    async examine(store, { endedWell, effect, call }) {
      const before = await opened(store).then(() => true, (error) => {
        ok(error instanceof AxiomError, String(error));
        ok(error.exitCode > 0);
        return false;
      });
      if (endedWell) ok(before);
      if (effect === "torn" && call.key.startsWith("config/")) {
        const error = await errorOf(Repository.create(store, { secret: SECRET }, testContext()));
        equal(error.kind, "repository_exists");
        return ok(error.hint);
      }
      if (!before) await Repository.create(store, { secret: SECRET }, testContext());
      await withFolder(async (folder) => {
        writeFiles(folder, { "a": "a" });
        const repository = await opened(store);
        await save(repository, folder);
        equal((await repository.snapshots()).snapshots.length, 1);
      });
    },
  });
  console.log(`init: ${points} crash points`);
});

interface Scene {
  name: string;
  /** Brings the store and the folder to where the backup that dies begins. */
  before: MemoryState;
  folder: string;
  /** Of the snapshots that were there before, oldest first. */
  earlier: Picture[];
}

async function crashEverywhere({ name, before, folder, earlier }: Scene): Promise<void> {
  const now = pictureOfFolder(files, folder);
  const points = await everyCrash({
    before,
    keeps: KEEPS,
    run: async (store) => save(await opened(store), folder),
    async examine(store, point) {
      await examine(store, point, folder, earlier, now);
    },
  });
  console.log(`${name}: ${points} crash points`);
}

async function examine(
  store: MemoryStore,
  { endedWell }: CrashPoint,
  folder: string,
  earlier: readonly Picture[],
  now: Picture,
): Promise<void> {
  const repository = await opened(store);
  const left = (await repository.snapshots()).snapshots;
  const isThere = left.length === earlier.length + 1;
  ok(isThere || (!endedWell && left.length === earlier.length), `${left.length} snapshots are left`);
  const expected = isThere ? [...earlier, now] : earlier;
  for (const [i, snapshot] of left.entries()) {
    deepEqual(await pictureOfSnapshot(repository, snapshot, folder), expected[i]);
  }

  const { snapshotId } = await save(repository, folder);
  const healed = (await repository.snapshots()).snapshots;
  deepEqual(healed.map(({ id }) => id), [...left.map(({ id }) => id), snapshotId]);
  for (const [i, snapshot] of healed.entries()) {
    deepEqual(await pictureOfSnapshot(repository, snapshot, folder), expected[i] ?? now);
  }
  await withFolder(async (target) => {
    await bringBack(repository, healed.at(-1)!, folder, target);
    deepEqual(pictureOfFolder(files, target), now);
  });
}

Deno.test("(1) (2) the first backup dies at any storage call", async () => {
  await withFolder(async (folder) => {
    writeSmallSource(folder);
    await crashEverywhere({ name: "first backup", before: await emptyRepository(), folder, earlier: [] });
  });
});

Deno.test("(1) (2) a second backup, with changes, dies at any storage call", async () => {
  await withFolder(async (folder) => {
    const store = memoryStore();
    store.restore(await emptyRepository());
    writeSmallSource(folder);
    await save(await opened(store), folder);
    const earlier = [pictureOfFolder(files, folder)];
    changeSmallSource(folder);
    await crashEverywhere({ name: "second backup", before: store.snapshot(), folder, earlier });
  });
});

Deno.test("(1) (2) a backup that fills several packs dies at any storage call", async () => {
  await withFolder(async (folder) => {
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    writeSmallSource(folder);
    await save(await opened(store), folder);
    const earlier = [pictureOfFolder(files, folder)];
    for (let i = 0; i < 12; i++) writeFiles(folder, { [`big/${i}`]: noise(`big ${i}`, 40_000) });
    changeSmallSource(folder);
    await crashEverywhere({ name: "several packs", before: store.snapshot(), folder, earlier });
  });
});
