/** What a client remembers of unchanged folders: it saves reading, and never a folder that is not as the repository has it. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { PREFIX } from "../../src/model/object_keys.ts";
import type { BackupSummary } from "../../src/operations/backup.ts";
import { KnownFoldersFile } from "../../src/operations/known_folders_file.ts";
import { repairIndex } from "../../src/operations/repair_index.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { RepositoryWriter } from "../../src/repository/writer.ts";
import { type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { SimulatedDeleter } from "./simulated_deleter.ts";
import { noise, writeFiles } from "./source_folder.ts";
import {
  emptyRepository,
  IDENTITY,
  opened,
  POLICY,
  save,
  type SaveOptions,
  SMALL_PACKS,
  STYLE,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();
const ignore = files.packed === undefined;
const FILES = 12;

interface Scene {
  folder: string;
  cache: string;
  store: MemoryStore;
  /** Document of the source. */
  id: string;
}

async function saveWith({ folder, cache, store }: Scene, options: SaveOptions = {}): Promise<BackupSummary> {
  return await save(await opened(store), folder, { files, cache, ...options });
}

/** Whether a backup that begins now would take the source over without reading of it. */
async function isKnown({ folder, cache, store, id }: Scene, policy = POLICY): Promise<boolean> {
  const writer = await RepositoryWriter.begin(await opened(store), inProcessPool(), IDENTITY, STYLE);
  try {
    const file = await KnownFoldersFile.open(cache, writer, policy, files.otherClocks());
    return file?.known.find(id, folder, files.packed!(folder)!) !== undefined;
  } finally {
    await writer.end();
  }
}

async function documentOf({ folder, store }: Scene): Promise<string> {
  const repository = await opened(store);
  const trees = repository.trees(await repository.loadIndex());
  let id = (await repository.snapshots()).snapshots.at(-1)!.snapshot.root;
  for (const name of folder.split("/").slice(1)) id = (await trees.find(id, name))!.subtree!;
  return id;
}

/** A source of which everything was remembered, and used, by a backup. */
async function remembered(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (top) => {
    const scene = { folder: `${top}/source`, cache: `${top}/cache`, store: memoryStore(), id: "" };
    scene.store.restore(await emptyRepository(SMALL_PACKS));
    for (let i = 0; i < FILES; i++) writeFiles(scene.folder, { [`${i % 3}/${i}`]: noise(`file ${i}`, 50_000) });
    writeFiles(scene.folder, { "other/deeper/file": "text", "other/é": "name" });
    await saveWith(scene);
    scene.id = await documentOf(scene);
    equal(await isKnown(scene), false);
    await saveWith(scene);
    equal(await isKnown(scene), true);
    const { filesUnmodified, dirsUnmodified, bytesProcessed } = await saveWith(scene);
    deepEqual({ filesUnmodified, dirsUnmodified }, { filesUnmodified: FILES + 2, dirsUnmodified: 6 });
    equal(bytesProcessed, FILES * 50_000 + 8);
    await run(scene);
  });
}

/** What the newest snapshot gives back is what is on the disk. */
async function assertWhole({ folder, store }: Scene): Promise<void> {
  const repository = await opened(store);
  const last = (await repository.snapshots()).snapshots.at(-1)!;
  deepEqual(await pictureOfSnapshot(repository, last, folder), pictureOfFolder(files, folder));
}

const packsOf = ({ store }: Scene) => [...store.snapshot().keys()].filter((key) => key.startsWith(PREFIX.packs)).sort();

Deno.test({
  name: "remembered folders are not read, and one that changed is saved",
  ignore,
  fn: () =>
    remembered(async (scene) => {
      writeFiles(scene.folder, { "1/new": "new" });
      const { filesNew, filesUnmodified, dirsUnmodified } = await saveWith(scene);
      deepEqual({ filesNew, filesUnmodified, dirsUnmodified }, {
        filesNew: 1,
        filesUnmodified: FILES + 2,
        dirsUnmodified: 4,
      });
      await assertWhole(scene);
    }),
});

Deno.test({
  name: "what the repository lost meanwhile is saved again",
  ignore,
  fn: () =>
    remembered(async (scene) => {
      const state = scene.store.snapshot();
      const losses: Record<string, (pack: string) => Promise<unknown>> = {
        "a pack": (pack) => scene.store.remove(pack),
        "a pack and what the index said of it": async (pack) => {
          await scene.store.remove(pack);
          await repairIndex(await opened(scene.store), { dryRun: false }, { onEvent: () => {} });
        },
        "packs that are condemned": async () => await new SimulatedDeleter(await opened(scene.store)).condemn(),
      };
      for (const [what, lose] of Object.entries(losses)) {
        let healed = 0;
        for (const pack of packsOf(scene)) {
          scene.store.restore(state);
          await lose(pack);
          equal(await isKnown(scene), false, `${what}: ${pack}`);
          healed += (await saveWith(scene)).chunksNew;
          await scene.store.remove(pack);
          await assertWhole(scene);
          await saveWith(scene);
          await assertWhole(scene);
        }
        ok(healed > FILES, what);
      }
    }),
});

Deno.test({
  name: "nothing is remembered for other rules, or of a file that was altered",
  ignore,
  fn: () =>
    remembered(async (scene) => {
      const [repository] = [...Deno.readDirSync(scene.cache)].filter(({ isDirectory }) => isDirectory);
      const cached = `${scene.cache}/${repository.name}`;
      const [{ name }] = [...Deno.readDirSync(cached)];
      const path = `${cached}/${name}`, stored = Deno.readFileSync(path);
      for (let at = 0; at < stored.length; at += 31) {
        Deno.writeFileSync(path, stored.with(at, stored[at] ^ 1));
        equal(await isKnown(scene), false, `byte ${at}`);
      }
      for (const length of [0, 7, 40, 45, stored.length - 1]) {
        Deno.writeFileSync(path, stored.subarray(0, length));
        equal(await isKnown(scene), false, `${length} bytes`);
      }
      await saveWith(scene);
      equal(await isKnown(scene), true);
      const policy = (selectsBy: string | undefined) => ({ ...POLICY, selectsBy });
      for (let rules = 0; rules < 10; rules++) {
        equal(await isKnown(scene, policy(`${rules}`)), false);
        await saveWith(scene, { policy: policy(`${rules}`) });
      }
      equal([...Deno.readDirSync(cached)].length, 8);
      equal(await isKnown(scene, policy("9")), true);
      for (const other of [policy(undefined), { ...policy("9"), unchanged: "selected" as const }]) {
        equal(await isKnown(scene, other), false);
      }
    }),
});
