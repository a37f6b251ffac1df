import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { PREFIX } from "../../src/model/object_keys.ts";
import { repairSnapshots, type RepairSnapshotsSummary } from "../../src/operations/repair_snapshots.ts";
import type { Xattr } from "../../src/platform/file_system.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { ForwardingFiles } from "./faulty_files.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { changeSmallSource, noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { emptyRepository, IDENTITY, opened, save, SMALL_PACKS, STYLE, withFolder } from "./test_repository.ts";

/** Below `root` everything has two extended attributes, of which one is stored as a chunk. */
class WithAttributes extends ForwardingFiles {
  constructor(readonly root: string) {
    super();
  }

  override xattrs(path: string): Xattr[] {
    if (!path.startsWith(`${this.root}/`)) return super.xattrs(path);
    return [
      { name: "user.large", value: noise("attribute", 10_000) },
      { name: "user.small", value: noise("small", 10) },
    ];
  }
}

interface Scene {
  folder: string;
  files: WithAttributes;
  state: MemoryState;
  packs: string[];
}

/** Two snapshots; the first one has stored the attribute that the second one uses too. */
async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const files = new WithAttributes(folder);
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    writeSmallSource(folder);
    for (let i = 0; i < 4; i++) writeFiles(folder, { [`big/${i}`]: noise(`big ${i}`, 40_000) });
    await save(await opened(store), folder, { files });
    changeSmallSource(folder);
    await save(await opened(store), folder, { files });
    const packs = [...store.snapshot().keys()].filter((key) => key.startsWith(PREFIX.packs)).sort();
    await run({ folder, files, state: store.snapshot(), packs });
  });
}

async function repair(
  store: MemoryStore,
  options: { keepFiles: boolean; forget: boolean },
): Promise<RepairSnapshotsSummary> {
  const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };
  return await repairSnapshots(await opened(store), { ...options, dryRun: false, metadataStyle: STYLE }, context);
}

Deno.test("whatever a repair leaves out, the next backup saves again: files, folders, extended attributes", async (t) => {
  await withScene(async ({ folder, files, state, packs }) => {
    const dropped = new Set<string>();
    const expected = pictureOfFolder(files, folder);
    for (const pack of packs) {
      for (const options of [{ keepFiles: false, forget: true }, { keepFiles: true, forget: false }]) {
        await t.step(`${pack.slice(0, 12)} ${JSON.stringify(options)}`, async () => {
          const store = memoryStore();
          store.restore(state);
          await store.remove(pack);
          for (const each of (await repair(store, options)).repairs) {
            for (const { what } of each.dropped) dropped.add(what);
          }
          const { snapshotId } = await save(await opened(store), folder, { files });
          const repository = await opened(store);
          const saved = (await repository.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
          deepEqual(await pictureOfSnapshot(repository, saved, folder), expected);
        });
      }
    }
    ok(["file", "xattr"].every((what) => dropped.has(what)), [...dropped].join(" "));
  });
});

Deno.test("an entry of any type that lost an extended attribute is marked, so that it is read again, and only once", async () => {
  await withFolder(async (folder) => {
    const files = new WithAttributes(folder);
    const store = memoryStore();
    store.restore(await emptyRepository());
    writeFiles(folder, { "first": "first" });
    await save(await opened(store), folder, { files });
    const firstPacks = [...store.snapshot().keys()].filter((key) => key.startsWith(PREFIX.packs));
    Deno.removeSync(`${folder}/first`);
    writeFiles(folder, { "file": "content", "folder/in": "it" });
    Deno.symlinkSync("file", `${folder}/link`);
    await save(await opened(store), folder, { files });
    for (const key of firstPacks) await store.remove(key);
    await repair(store, { keepFiles: false, forget: true });
    const marks: Record<string, [changed: unknown, attributes: string]>[] = [];
    for (const round of ["repaired", "saved", "saved again"]) {
      if (round !== "repaired") await save(await opened(store), folder, { files });
      const repository = await opened(store);
      const trees = repository.trees(await repository.loadIndex());
      let id = (await repository.snapshots()).snapshots.at(-1)!.snapshot.root;
      for (const name of folder.split("/").filter((part) => part !== "")) id = (await trees.find(id, name))!.subtree!;
      const entries = await Array.fromAsync(trees.entries(id));
      marks.push(Object.fromEntries(
        entries.map(({ name, changed, xattrs }) => [name, [changed, xattrs!.map((each) => each.name).join()]]),
      ));
    }
    const all = (changed: unknown, attributes: string) =>
      Object.fromEntries(["file", "folder", "link"].map((name) => [name, [changed, attributes]]));
    const whole = all(undefined, "user.large,user.small");
    deepEqual(marks, [all(true, "user.small"), whole, whole]);
  });
});
