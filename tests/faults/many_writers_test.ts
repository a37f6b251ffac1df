import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Clock } from "../../src/base/clock.ts";
import { isKind } from "../../src/base/errors.ts";
import { packKey } from "../../src/model/object_keys.ts";
import { check } from "../../src/operations/check.ts";
import { repairPacks } from "../../src/operations/repair_packs.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { flipBit } from "./damage.ts";
import { HookedStore } from "./hooked_store.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { SimulatedDeleter } from "./simulated_deleter.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { bringBack, emptyRepository, IDENTITY, lateClock, opened, save, STYLE, withFolder } from "./test_repository.ts";
import { seededFraction, Turns } from "./turns.ts";

const files = openFileSystem();

/** Folders that overlap in what they hold; two writers save the first one. */
const WRITERS = [0, 0, 1, 2];

interface Scene {
  top: string;
  folders: string[];
  pictures: Picture[];
  before: MemoryState;
  /** Of the first folder as it was before the writers came. */
  earlier: { snapshotId: string; picture: Picture };
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (top) => {
    const folders = [0, 1, 2].map((i) => `${top}/${i}`);
    for (const [i, folder] of folders.entries()) {
      writeSmallSource(folder);
      writeFiles(folder, { [`own/${i}`]: noise(`own ${i}`, 5000), [`shared/${(i + 1) % 3}`]: noise("shared", 4000) });
    }
    const store = memoryStore();
    store.restore(await emptyRepository());
    const { snapshotId } = await save(await opened(store), folders[0]);
    const earlier = { snapshotId: snapshotId!, picture: pictureOfFolder(files, folders[0]) };
    writeFiles(folders[0], { "a/text": "changed since" });
    const pictures = folders.map((folder) => pictureOfFolder(files, folder));
    await run({ top, folders, pictures, before: store.snapshot(), earlier });
  });
}

interface Outcome {
  folder: number;
  snapshotId?: string;
}

/** Two machines that were cloned: same client id, same host name; and every clock is wrong in its own way. */
async function writer(store: ObjectStore, { folders }: Scene, number: number): Promise<Outcome> {
  const folder = WRITERS[number];
  try {
    const identity = { ...IDENTITY, client: `client ${folder}` };
    const repository = await opened(store, undefined, skewedClock(number));
    const { snapshotId } = await save(repository, folders[folder], { identity });
    return { folder, snapshotId: snapshotId! };
  } catch (error) {
    if (!isKind(error, "session_fenced")) throw error;
    return { folder };
  }
}

const DAY_NS = 86_400_000_000_000n;

function skewedClock(number: number): Clock {
  let looks = 0;
  const skews = [() => 0n, () => DAY_NS, () => -DAY_NS, () => -BigInt(looks++) * DAY_NS];
  return { ...lateClock, nowNs: () => (BigInt(lateClock.nowNs()) + skews[number]()).toString() };
}

/** Deletes again and again while `isOver` says no: forgets, condemns, fences or waits, and sweeps. */
async function deleteOften(
  store: ObjectStore,
  fraction: () => number,
  forgotten: Set<string>,
  isOver: () => boolean,
  share: number,
): Promise<Deletions> {
  const sums = { rounds: 0, chunksCopied: 0 };
  for (; !isOver(); sums.rounds++) {
    const repository = await opened(store);
    const deleter = new SimulatedDeleter(repository);
    const ids = (await repository.snapshots()).snapshots.map(({ id }) => id).filter(() => fraction() < 0.5);
    for (const id of ids) forgotten.add(id);
    await deleter.forget(ids);
    await deleter.condemn(() => fraction() < share);
    for (let patience = 6 * fraction(); !await deleter.mayMark() && patience > 0; patience--);
    await deleter.fence();
    await deleter.removeUnfinished();
    await deleter.sweep({ rewriteIndex: fraction() < 0.7 });
    sums.chunksCopied += deleter.chunksCopied;
  }
  return sums;
}

interface Deletions {
  rounds: number;
  chunksCopied: number;
}

/** Takes packs with damaged padding out of use, again and again; others may be too busy for it. */
async function repairOften(store: ObjectStore, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    try {
      await repaired(store);
    } catch (error) {
      if (!isKind(error, "storage_busy")) throw error;
    }
  }
}

async function repaired(store: ObjectStore): Promise<void> {
  const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };
  await repairPacks(await opened(store), { selection: { kind: "all" }, dryRun: false, metadataStyle: STYLE }, context);
}

/** Two snapshots of one folder, by writers that knew nothing of each other, so that every chunk of it is in two packs. */
async function doubleSnapshots(store: MemoryStore, { folders, before }: Scene): Promise<Outcome[]> {
  const isNew = ([key]: [string, unknown]) => /^(packs|index|snapshots)\//.test(key);
  const outcomes: Outcome[] = [];
  const all = new Map(before);
  for (let i = 0; i < 2; i++) {
    store.restore(new Map([...before].filter((entry) => !isNew(entry))));
    const { snapshotId } = await save(await opened(store), folders[1]);
    outcomes.push({ folder: 1, snapshotId: snapshotId! });
    for (const [key, data] of [...store.snapshot()].filter(isNew)) all.set(key, data);
  }
  store.restore(all);
  return outcomes;
}

/** Every pack is not what its name says any more, and all that it holds is whole. */
async function withDamagedPadding(before: MemoryState): Promise<MemoryState> {
  const store = memoryStore();
  store.restore(before);
  const repository = await opened(store);
  for (const pack of (await repository.loadIndex()).index.packs()) {
    const { frames } = await repository.packs.table(pack);
    const end = Math.max(...frames.map(({ offset, storedBytes }) => offset + storedBytes));
    ok(end < pack.storedBytes - pack.tableBytes - 64, "there is no padding");
    await flipBit(store, packKey(pack.name), 8 * end);
  }
  return store.snapshot();
}

interface Played extends Deletions {
  outcomes: Outcome[];
  steps: number;
}

interface Rivals {
  writers: number;
  deleters: number;
  repairs?: boolean;
}

async function play(scene: Scene, seed: number, { writers, deleters, repairs = false }: Rivals): Promise<Played> {
  const fraction = seededFraction(seed);
  const store = memoryStore();
  const extra: Outcome[] = [];
  store.restore(scene.before);
  if (deleters > 1) extra.push(...await doubleSnapshots(store, scene));
  if (repairs) store.restore(await withDamagedPadding(scene.before));
  const turns = new Turns(fraction);
  const client = (number: number) => new HookedStore(store, () => turns.take(number));
  let writing = writers;
  const forgotten = new Set<string>();
  const isOver = () => writing === 0;
  const deleting = Array.from(
    { length: deleters },
    (_, i) => deleteOften(client(99 + i), fraction, forgotten, isOver, 1 / deleters),
  );
  const repairing = repairs ? repairOften(client(98), isOver) : Promise.resolve();
  const running = WRITERS.slice(0, writers).map((_, number) =>
    writer(client(number), scene, number).finally(() => writing--)
  );
  const [outcomes, deletions] = await Promise.all([Promise.all(running), Promise.all(deleting), repairing])
    .finally(() => turns.stop());
  if (repairs) await repaired(store);
  await assertWhole(store, scene, [...extra, ...outcomes], forgotten);
  const [rounds, chunksCopied] = [sumOf(deletions, "rounds"), sumOf(deletions, "chunksCopied")];
  return { outcomes, rounds, chunksCopied, steps: turns.steps };
}

function sumOf(deletions: readonly Deletions[], what: keyof Deletions): number {
  return deletions.reduce((sum, each) => sum + each[what], 0);
}

/** Every snapshot is one that was asked for and has exactly its source; the next backup and a check find nothing amiss. */
async function assertWhole(
  store: ObjectStore,
  { top, folders, pictures, earlier }: Scene,
  outcomes: Outcome[],
  forgotten: ReadonlySet<string>,
): Promise<void> {
  const expected = new Map([[earlier.snapshotId, earlier.picture]]);
  for (const { snapshotId, folder } of outcomes) {
    if (snapshotId !== undefined) expected.set(snapshotId, pictures[folder]);
  }
  const repository = await opened(store);
  const { snapshots } = await repository.snapshots();
  const ids = snapshots.map(({ id }) => id);
  deepEqual(ids.filter((id) => !expected.has(id)), [], "snapshots that no writer reported");
  deepEqual([...expected.keys()].filter((id) => !ids.includes(id) && !forgotten.has(id)), [], "lost snapshots");
  await assertClean(repository);
  for (const stored of snapshots) {
    const source = stored.snapshot.paths[0];
    deepEqual(await pictureOfSnapshot(repository, stored, source), expected.get(stored.id));
    const target = `${top}/target`;
    equal((await bringBack(repository, stored, source, target)).filesFailed, 0);
    deepEqual(pictureOfFolder(files, target), expected.get(stored.id));
    Deno.removeSync(target, { recursive: true });
  }
  const { snapshotId } = await save(repository, folders[1]);
  const last = (await repository.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
  deepEqual(await pictureOfSnapshot(repository, last, folders[1]), pictures[1]);
  await assertClean(repository);
}

async function assertClean(repository: Repository): Promise<void> {
  const context = { pool: () => inProcessPool(), onEvent: () => {} };
  const { errors } = await check(repository, { readData: { kind: "all" } }, context);
  deepEqual(errors, []);
}

async function playAll(name: string, seeds: number, rivals: Rivals): Promise<void> {
  await withScene(async (scene) => {
    const sums = { done: 0, fenced: 0, rounds: 0, copied: 0, steps: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const { outcomes, rounds, chunksCopied, steps } = await play(scene, seed, rivals).catch((cause) => {
        throw new Error(`seed ${seed}: ${cause}`, { cause });
      });
      sums.done += outcomes.filter(({ snapshotId }) => snapshotId !== undefined).length;
      sums.fenced += outcomes.filter(({ snapshotId }) => snapshotId === undefined).length;
      sums.rounds += rounds;
      sums.copied += chunksCopied;
      sums.steps += steps;
    }
    const { done, fenced, rounds, copied, steps } = sums;
    const deletions = `${rounds} deletions with ${copied} copies`;
    console.log(`${name}: ${seeds} interleavings, ${steps} steps, ${done} done, ${fenced} fenced, ${deletions}`);
    ok(done > 0);
    if (rivals.deleters === 0) equal(fenced, 0);
    if (rivals.deleters > 1) ok(copied > 0, "no deleter had to copy what another one condemned");
  });
}

Deno.test("(5) (6) (8) four backups into one repository at once, sharing chunks, all succeed and are whole", async () => {
  await playAll("writers", 20, { writers: 4, deleters: 0 });
});

Deno.test("(4) (5) (6) (7) (8) four backups and deletions at once: what reports success is whole, nothing dangles", async () => {
  await playAll("writers and a deleter", 40, { writers: 4, deleters: 1 });
});

Deno.test("(4) (5) (6) (9) two rival deleters beside two backups: neither relies on what the other condemns", async () => {
  await playAll("two deleters", 10, { writers: 2, deleters: 2 });
});

Deno.test("(4) (6) (43) a repair of packs beside two backups and a deleter: each whole chunk is kept by one of them", async () => {
  await playAll("a repair and a deleter", 6, { writers: 2, deleters: 1, repairs: true });
});
