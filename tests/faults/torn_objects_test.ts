import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../../src/base/errors.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import { packKey, PREFIX } from "../../src/model/object_keys.ts";
import { repairPacks } from "../../src/operations/repair_packs.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { type MemoryState, memoryStore } from "../../src/storage/memory.ts";
import { SteadyFiles } from "./faulty_files.ts";
import { flipBit } from "./damage.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { changeSmallSource, noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import {
  emptyRepository,
  type Events,
  IDENTITY,
  opened,
  save,
  SMALL_PACKS,
  STYLE,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();
const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };

/** Two snapshots in several packs, the second one of `folder` as it is. */
async function twoSnapshots(folder: string): Promise<{ state: MemoryState; pictures: Picture[] }> {
  const store = memoryStore();
  store.restore(await emptyRepository(SMALL_PACKS));
  writeSmallSource(folder);
  for (let i = 0; i < 4; i++) writeFiles(folder, { [`big/${i}`]: noise(`big ${i}`, 40_000) });
  await save(await opened(store), folder, { files: new SteadyFiles(folder) });
  const first = pictureOfFolder(files, folder);
  changeSmallSource(folder);
  await save(await opened(store), folder, { files: new SteadyFiles(folder) });
  return { state: store.snapshot(), pictures: [first, pictureOfFolder(files, folder)] };
}

function objectsBelow(state: MemoryState, ...prefixes: string[]): string[] {
  return [...state.keys()].filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
}

function cuts(length: number): number[] {
  return [0, Math.floor(length / 2), length - 1];
}

Deno.test("(2) (3) a pack or index object that is torn is set aside, told of, and healed by the next backup", async (t) => {
  await withFolder(async (folder) => {
    const { state, pictures } = await twoSnapshots(folder);
    for (const key of objectsBelow(state, PREFIX.packs, PREFIX.index)) {
      for (const length of cuts(state.get(key)!.length)) {
        await t.step(`${key.slice(0, 14)} of ${state.get(key)!.length} bytes has ${length}`, async () => {
          const store = memoryStore();
          store.restore(new Map(state).set(key, state.get(key)!.slice(0, length)));
          const events: Events = [];
          const repository = await opened(store, events);
          const { snapshotId, filesFailed } = await save(repository, folder, { files: new SteadyFiles(folder) });
          equal(filesFailed, 0);
          const name = key.slice(key.lastIndexOf("/") + 1);
          ok(events.some((event) => event.type === "warning" && event.message.includes(name)), "nothing was told");
          ok(objectsBelow(store.snapshot(), PREFIX.damaged).length > 0, "nothing was set aside");
          const { snapshots } = await repository.snapshots();
          equal(snapshots.at(-1)!.id, snapshotId);
          deepEqual(await pictureOfSnapshot(repository, snapshots.at(-1)!, folder), pictures[1]);
          deepEqual(await pictureOfSnapshot(repository, snapshots[1], folder), pictures[1], "the one before");
          const oldest = await pictureOfSnapshot(repository, snapshots[0], folder).catch((error) => error);
          if (oldest instanceof Error) ok(oldest instanceof AxiomError && key.startsWith(PREFIX.packs), String(oldest));
          else deepEqual(oldest, pictures[0]);
        });
      }
    }
  });
});

Deno.test("(24) a pack that became longer stays where it is: what is in it can be read, and is stored again for new snapshots", async () => {
  await withFolder(async (folder) => {
    const { state, pictures } = await twoSnapshots(folder);
    for (const key of objectsBelow(state, PREFIX.packs)) {
      const store = memoryStore();
      store.restore(new Map(state).set(key, Uint8Array.from([...state.get(key)!, 7])));
      const events: Events = [];
      const repository = await opened(store, events);
      await save(repository, folder, { files: new SteadyFiles(folder) });
      const told = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
      ok(told.some((message) => message.includes(`${key.slice(9)} is damaged`) && message.includes("left where")));
      deepEqual(objectsBelow(store.snapshot(), PREFIX.damaged), []);
      const repair = { selection: { kind: "all" as const }, dryRun: false, metadataStyle: STYLE };
      for (const repaired of [false, true]) {
        if (repaired) await repairPacks(await opened(store), repair, context);
        const { snapshots } = await repository.snapshots();
        const seen = [];
        for (const snapshot of snapshots) seen.push(await pictureOfSnapshot(await opened(store), snapshot, folder));
        deepEqual(seen, [...pictures, pictures[1]], `repaired: ${repaired}`);
      }
      ok(objectsBelow(store.snapshot(), PREFIX.damaged).length > 0, "repair did not take it out of use");
    }
  });
});

Deno.test("(2) (3) a torn manifest or marker does not count, is listed as damaged, and the next backup works", async () => {
  await withFolder(async (folder) => {
    const { state, pictures } = await twoSnapshots(folder);
    for (const key of objectsBelow(state, PREFIX.snapshots)) {
      for (const length of cuts(state.get(key)!.length)) {
        const store = memoryStore();
        store.restore(new Map(state).set(key, state.get(key)!.slice(0, length)));
        const repository = await opened(store);
        const before = await repository.snapshots();
        equal(before.snapshots.length, 1);
        match(before.damaged[0].reason, /^Cannot /);
        await save(repository, folder, { files: new SteadyFiles(folder) });
        const after = await repository.snapshots();
        equal(after.snapshots.length, 2);
        deepEqual(await pictureOfSnapshot(repository, after.snapshots.at(-1)!, folder), pictures[1]);
      }
    }
  });
});

Deno.test("(3) torn sessions, heartbeats and lists of condemned packs block nothing", async () => {
  await withFolder(async (folder) => {
    const { state, pictures } = await twoSnapshots(folder);
    const id = "0123456789abcdef0123456789abcdef";
    for (const key of [`sessions/${id}`, `sessions/${id}.1`, `condemned/${id}`]) {
      for (const length of [0, 10, 4000]) {
        const store = memoryStore();
        store.restore(new Map(state).set(key, noise("torn", length)));
        const events: Events = [];
        const repository = await opened(store, events);
        await save(repository, folder, { files: new SteadyFiles(folder) });
        const { snapshots } = await repository.snapshots();
        deepEqual(await pictureOfSnapshot(repository, snapshots.at(-1)!, folder), pictures[1]);
        if (key.startsWith("condemned/")) {
          ok(events.some((event) => event.type === "warning" && event.message.includes(key)));
        }
      }
    }
  });
});

/** Where every frame of every pack lies, with its kind. */
async function framesOf(state: MemoryState): Promise<{ key: string; kind: ChunkKind; at: number }[]> {
  const store = memoryStore();
  store.restore(state);
  const repository = await opened(store);
  const { index } = await repository.loadIndex();
  const tables = index.packs().map(async (pack) => {
    const { frames } = await repository.packs.table(pack);
    return frames.map(({ kind, offset, storedBytes }) => {
      return { key: packKey(pack.name), kind: kind as ChunkKind, at: offset + Math.floor(storedBytes / 2) };
    });
  });
  return (await Promise.all(tables)).flat();
}

Deno.test("(10) (43) rotten documents of the parent are told of, and stored again by the next backup", async () => {
  await withFolder(async (folder) => {
    const { state, pictures } = await twoSnapshots(folder);
    let hits = 0;
    for (const { key, at, kind } of await framesOf(state)) {
      const store = memoryStore();
      store.restore(state);
      await flipBit(store, key, 8 * at);
      const events: Events = [];
      const repository = await opened(store, events);
      await save(repository, folder, { files: new SteadyFiles(folder) });
      const { snapshots } = await repository.snapshots();
      const told = events.some((event) => event.type === "warning" && event.code === "damaged_tree");
      const picture = await pictureOfSnapshot(repository, snapshots[2], folder).catch((error) => error);
      if (told) hits++;
      if (kind === ChunkKind.tree) deepEqual(picture, pictures[1], `${key} at ${at}`);
      else if (picture instanceof Error) equal((picture as AxiomError).kind, "data_damaged");
      else deepEqual(picture, pictures[1]);
    }
    ok(hits > 0);
  });
});
