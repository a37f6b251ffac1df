import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Clock } from "../../src/base/clock.ts";
import { isKind } from "../../src/base/errors.ts";
import { check } from "../../src/operations/check.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { type MemoryState, memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { HookedStore } from "./hooked_store.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { SimulatedDeleter } from "./simulated_deleter.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { bringBack, emptyRepository, IDENTITY, lateClock, opened, save, withFolder } from "./test_repository.ts";
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
): Promise<number> {
  let rounds = 0;
  for (; !isOver(); rounds++) {
    const repository = await opened(store);
    const deleter = new SimulatedDeleter(repository);
    const ids = (await repository.snapshots()).snapshots.map(({ id }) => id).filter(() => fraction() < 0.5);
    for (const id of ids) forgotten.add(id);
    await deleter.forget(ids);
    await deleter.condemn();
    for (let patience = 6 * fraction(); !await deleter.mayMark() && patience > 0; patience--);
    await deleter.fence();
    await deleter.removeUnfinished();
    await deleter.sweep({ rewriteIndex: fraction() < 0.7 });
  }
  return rounds;
}

interface Played {
  outcomes: Outcome[];
  rounds: number;
  steps: number;
}

async function play(scene: Scene, seed: number, withDeleter: boolean): Promise<Played> {
  const fraction = seededFraction(seed);
  const store = memoryStore();
  store.restore(scene.before);
  const turns = new Turns(fraction);
  const client = (number: number) => new HookedStore(store, () => turns.take(number));
  let writing = WRITERS.length;
  const forgotten = new Set<string>();
  const deleting = withDeleter ? deleteOften(client(99), fraction, forgotten, () => writing === 0) : Promise.resolve(0);
  const running = WRITERS.map((_, number) => writer(client(number), scene, number).finally(() => writing--));
  const [outcomes, rounds] = await Promise.all([Promise.all(running), deleting]).finally(() => turns.stop());
  await assertWhole(store, scene, outcomes, forgotten);
  return { outcomes, rounds, steps: turns.steps };
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

async function playAll(name: string, seeds: number, withDeleter: boolean): Promise<void> {
  await withScene(async (scene) => {
    const sums = { done: 0, fenced: 0, rounds: 0, steps: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const { outcomes, rounds, steps } = await play(scene, seed, withDeleter).catch((cause) => {
        throw new Error(`seed ${seed}: ${cause}`, { cause });
      });
      sums.done += outcomes.filter(({ snapshotId }) => snapshotId !== undefined).length;
      sums.fenced += outcomes.filter(({ snapshotId }) => snapshotId === undefined).length;
      sums.rounds += rounds;
      sums.steps += steps;
    }
    const { done, fenced, rounds, steps } = sums;
    console.log(`${name}: ${seeds} interleavings, ${steps} steps, ${done} done, ${fenced} fenced, ${rounds} deletions`);
    ok(done > 0);
    if (!withDeleter) equal(fenced, 0);
  });
}

Deno.test("(5) (6) (8) four backups into one repository at once, sharing chunks, all succeed and are whole", async () => {
  await playAll("writers", 20, false);
});

Deno.test("(4) (5) (6) (7) (8) four backups and deletions at once: what reports success is whole, nothing dangles", async () => {
  await playAll("writers and a deleter", 40, true);
});
