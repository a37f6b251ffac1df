/** (43) Whatever of a file can be had, nothing has its final name before all of it is there. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { fromHex } from "../../src/base/bytes.ts";
import { packKey } from "../../src/model/object_keys.ts";
import { isInOneFrame, layoutOf } from "../../src/operations/restore_plan.ts";
import { resolvePath } from "../../src/operations/snapshot_paths.ts";
import { SystemError, type TargetFile, type TargetTree } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { flipBit } from "./damage.ts";
import { AlteredTargets } from "./faulty_files.ts";
import { pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import {
  bringBack,
  emptyRepository,
  type Events,
  opened,
  save,
  savedOnce,
  SMALL_PACKS,
  withFolder,
} from "./test_repository.ts";

const BYTES = 30_000;

async function layoutIn(store: MemoryStore, path: string) {
  const repository = await opened(store);
  const snapshot = (await repository.snapshots()).snapshots.find((each) => each.snapshot.paths.includes(path))!;
  const view = await repository.loadIndex();
  const trees = repository.trees(view);
  const place = await resolvePath(trees, snapshot, `${path}/f`);
  ok(!("folder" in place));
  return { snapshot, index: view.index, layout: await layoutOf(place.entry.content, BYTES, trees, view.index, "f") };
}

/** A file in one frame, which is damaged; copies of its first chunk, or of all of its chunks, are in another pack. */
async function damagedFile(
  root: string,
  copies: "first" | "all",
): Promise<{ store: MemoryStore; snapshot: StoredSnapshot }> {
  const [source, other] = [`${root}/source`, `${root}/other`];
  writeFiles(source, { f: noise("f", BYTES) });
  for (;;) {
    const store = memoryStore();
    const empty = await emptyRepository(SMALL_PACKS);
    store.restore(empty);
    await save(await opened(store), source);
    const one = store.snapshot();
    const { layout } = await layoutIn(store, source);
    ok(layout.chunks.length > 1);
    for (const [i, { offset, length }] of layout.chunks.entries()) {
      if (i === 0 || copies === "all") {
        writeFiles(other, { [`${i}`]: noise("f", BYTES).slice(offset, offset + length) });
      }
    }
    store.restore(empty);
    await save(await opened(store), other);
    store.restore(new Map([...store.snapshot(), ...one]));
    const both = await layoutIn(store, source);
    // Which of two copies is read first is a matter of the packs' names.
    if (!isInOneFrame(both.layout) || both.layout.chunks[0].pack.name !== layout.chunks[0].pack.name) continue;
    equal(both.index.lookup(fromHex(layout.chunks[0].id)).length, 2);
    await flipBit(store, packKey(layout.chunks[0].pack.name), 8 * 5000);
    return { store, snapshot: both.snapshot };
  }
}

for (const before of ["nothing", "an older file"]) {
  Deno.test(`(43) half of what a damaged frame held is elsewhere: no half file, and ${before} stays`, async () => {
    await withFolder(async (root) => {
      const { store, snapshot } = await damagedFile(root, "first");
      const target = `${root}/target`;
      Deno.mkdirSync(target);
      if (before !== "nothing") writeFiles(target, { f: "older" });
      for (let round = 0; round < 2; round++) {
        const events: Events = [];
        const { filesFailed } = await bringBack(await opened(store, events), snapshot, `${root}/source`, target);
        equal(filesFailed, 1);
        const faults = events.flatMap((event) => event.type === "error" ? [event.error.hint] : []);
        deepEqual(faults, ["Run `axiom check --read-data` to see what else is damaged"]);
        const there = [...Deno.readDirSync(target)].map(({ name }) => name);
        deepEqual(there, before === "nothing" ? [] : ["f"]);
        if (before !== "nothing") equal(Deno.readTextFileSync(`${target}/f`), "older");
      }
    });
  });
}

/** Calls `watch` with each file that was made or opened. */
function watchedTargets(watch: (file: TargetFile, tree: TargetTree) => void): AlteredTargets {
  return new AlteredTargets((tree, call, args, go) => {
    if (call !== "createFile" && call !== "openFile") return go(...args);
    const file = go(...args) as TargetFile;
    watch(file, tree);
    return file;
  });
}

for (const remove of [false, true]) {
  Deno.test(`(43) all that a damaged frame held is elsewhere: the file is made beside its name, delete: ${remove}`, async () => {
    await withFolder(async (root) => {
      const { store, snapshot } = await damagedFile(root, "all");
      const [source, target] = [`${root}/source`, `${root}/target`];
      Deno.mkdirSync(target);
      let writes = 0;
      const files = watchedTargets((file, tree) => {
        const write = file.write.bind(file);
        file.write = (data, offset) => {
          writes++;
          equal(tree.lstat("f"), undefined, "half a file has its name");
          write(data, offset);
        };
      });
      const options = { files, delete: remove, verify: true };
      const { filesFailed, filesDeleted } = await bringBack(await opened(store, []), snapshot, source, target, options);
      ok(writes > 1);
      equal(filesFailed, 0);
      equal(filesDeleted, 0);
      deepEqual(pictureOfFolder(openFileSystem(), target), pictureOfFolder(openFileSystem(), source));
    });
  });
}

Deno.test("(14) of a file that cannot be made nothing is left, whatever call fails", async (t) => {
  const cases: Record<string, (file: TargetFile, tree: TargetTree) => void> = {
    "in the middle of a write": (file) => {
      const write = file.write.bind(file);
      file.write = (data, offset) => {
        write(data.subarray(0, 2), offset);
        throw new SystemError("EIO", "write", "f");
      };
    },
    "its metadata": (file) => {
      file.setMetadata = () => {
        throw new SystemError("EIO", "fchmod", "f");
      };
    },
    "when it is closed": (file) => {
      const close = file.close.bind(file);
      file.close = () => {
        close();
        throw new SystemError("EIO", "close", "f");
      };
    },
  };
  const sparse = "a hole that is longer than the target takes";
  cases[sparse] = (file, tree) => {
    file.truncate = () => {
      equal(tree.lstat("f"), undefined, "it has its name before it has its length");
      throw new SystemError("EFBIG", "ftruncate", "f");
    };
  };
  for (const [name, fail] of Object.entries(cases)) {
    await t.step(name, () =>
      withFolder(async (root) => {
        const [source, target] = [`${root}/source`, `${root}/target`], events: Events = [];
        writeFiles(source, { f: name === sparse ? "" : "content", sub: "" });
        if (name === sparse) Deno.truncateSync(`${source}/f`, 10_000_000);
        Deno.mkdirSync(target);
        const { repository, snapshot } = await savedOnce(source, events);
        const files = watchedTargets(fail);
        const { filesFailed } = await bringBack(repository, snapshot, `${source}/f`, target, { files });
        equal(filesFailed, 1);
        deepEqual([...Deno.readDirSync(target)], []);
        equal((await bringBack(repository, snapshot, source, target)).filesFailed, 0);
        deepEqual(pictureOfFolder(openFileSystem(), target), pictureOfFolder(openFileSystem(), source));
      }));
  }
});
