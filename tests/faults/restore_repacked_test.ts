/** Restores while another client deletes packs whose content it has stored elsewhere. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { ChunkKind } from "../../src/model/chunk.ts";
import { packKey } from "../../src/model/object_keys.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { HookedStore } from "./hooked_store.ts";
import { pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, emptyRepository, opened, save, SMALL_PACKS, withFolder } from "./test_repository.ts";

const files = openFileSystem();

Deno.test("(4) a pack that goes during a restore: the index is read again, once, and says where its content is now", async (t) => {
  await withFolder(async (folder) => {
    for (let i = 0; i < 40; i++) writeFiles(folder, { [`f${i}`]: noise(`file ${i}`, 20_000) });
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    const first = await opened(store);
    await save(first, folder);
    const [snapshot] = (await first.snapshots()).snapshots;
    const packs = (await first.loadIndex()).index.packs().filter(({ kinds }) => kinds === 1 << ChunkKind.data);
    ok(packs.length > 1);
    const gone = packs.map(({ name }) => packKey(name));
    const before = store.snapshot();
    for (const key of gone) await store.remove(key);
    const lost = store.snapshot();
    await save(await opened(store), folder, { force: true });
    const repacked = store.snapshot();
    const cases = [
      { name: "stored elsewhere", after: repacked, isLost: false },
      { name: "not stored elsewhere", after: lost, isLost: true },
    ];
    for (const { name, after, isLost } of cases) {
      await t.step(name, async () => {
        store.restore(before);
        let hasGone = false;
        const hooked = new HookedStore(store, ({ call, key }) => {
          if (call === "get" && gone.includes(key) && !hasGone) {
            store.restore(after);
            hasGone = true;
          }
          return Promise.resolve();
        });
        await withFolder(async (target) => {
          const repository = await opened(hooked);
          const loadIndex = repository.loadIndex.bind(repository);
          let loads = 0;
          repository.loadIndex = (signal) => (loads++, loadIndex(signal));
          const { filesFailed } = await bringBack(repository, snapshot, folder, target);
          ok(hasGone, "no pack went");
          equal(filesFailed > 0, isLost);
          const picture = pictureOfFolder(files, target);
          if (!isLost) deepEqual(picture, pictureOfFolder(files, folder));
          for (const [path, line] of picture) {
            if (path.startsWith("f")) equal(line, pictureOfFolder(files, folder).get(path), "whole or not there");
          }
          equal(loads, 2, "at the start, and once after the pack went");
        });
      });
    }
  });
});
