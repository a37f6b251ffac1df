import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import type { Clock } from "../../src/base/clock.ts";
import { isKind } from "../../src/base/errors.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { type MemoryState, memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { HookedStore } from "./hooked_store.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { SimulatedDeleter } from "./simulated_deleter.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { emptyRepository, IDENTITY, lateClock, opened, save, withFolder } from "./test_repository.ts";
import { seededFraction, Turns } from "./turns.ts";

const files = openFileSystem();

/** Folders that overlap in what they hold; two writers save the first one. */
const WRITERS = [0, 0, 1, 2];

interface Scene {
  folders: string[];
  pictures: Picture[];
  before: MemoryState;
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
    await save(await opened(store), folders[0]);
    writeFiles(folders[0], { "a/text": "changed since" });
    await run({ folders, pictures: folders.map((folder) => pictureOfFolder(files, folder)), before: store.snapshot() });
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

async function assertWhole(
  store: ObjectStore,
  { folders, pictures }: Scene,
  outcomes: Outcome[],
  forgotten: ReadonlySet<string>,
): Promise<void> {
  const repository = await opened(store);
  const { snapshots } = await repository.snapshots();
  for (const { snapshotId } of outcomes) {
    if (snapshotId === undefined || forgotten.has(snapshotId)) continue;
    ok(snapshots.some(({ id }) => id === snapshotId), `the reported snapshot ${snapshotId} is gone`);
  }
  for (const stored of snapshots) {
    const picture = await pictureOfSnapshot(repository, stored, stored.snapshot.paths[0]);
    const outcome = outcomes.find(({ snapshotId }) => snapshotId === stored.id);
    if (outcome !== undefined) deepEqual(picture, pictures[outcome.folder]);
  }
  const { snapshotId } = await save(repository, folders[1]);
  const last = (await repository.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
  deepEqual(await pictureOfSnapshot(repository, last, folders[1]), pictures[1]);
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
  });
}

Deno.test("(5) (6) (8) four backups into one repository at once, sharing chunks, all succeed and are whole", async () => {
  await playAll("writers", 20, false);
});

Deno.test("(4) (5) (6) (7) (8) four backups and deletions at once: what reports success is whole, nothing dangles", async () => {
  await playAll("writers and a deleter", 40, true);
});
