import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Clock } from "../../src/base/clock.ts";
import { AxiomError } from "../../src/base/errors.ts";
import { PREFIX } from "../../src/model/object_keys.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { BackupSummary } from "../../src/operations/backup.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { type CallRecord, faultyStore, SimulatedCrash } from "./faulty_store.ts";
import { HookedStore } from "./hooked_store.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { SimulatedDeleter } from "./simulated_deleter.ts";
import { lateClock, opened, save, savedBeforeAndAfter, withFolder } from "./test_repository.ts";

const files = openFileSystem();

interface Scene {
  folder: string;
  before: MemoryState;
  now: Picture;
}

/** Two snapshots of a folder that a third backup finds changed in part. */
async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const store = await savedBeforeAndAfter(folder);
    Deno.writeTextFileSync(`${folder}/later`, "later");
    await run({ folder, before: store.snapshot(), now: pictureOfFolder(files, folder) });
  });
}

interface Trial {
  store: MemoryStore;
  deleter: SimulatedDeleter;
  summary?: BackupSummary;
  error?: unknown;
  calls: CallRecord[];
}

/** Runs a backup and, ahead of its storage call number n, what `at` says for n. */
async function backupWith(
  { folder, before }: Scene,
  at: (number: number, deleter: SimulatedDeleter, call: CallRecord) => Promise<unknown> | undefined,
): Promise<Trial> {
  const store = memoryStore();
  store.restore(before);
  const deleter = new SimulatedDeleter(await opened(store));
  const calls: CallRecord[] = [];
  const hooked = new HookedStore(store, async (call) => {
    await at(calls.push(call), deleter, call);
  });
  const trial: Trial = { store, deleter, calls };
  try {
    trial.summary = await save(await opened(hooked), folder);
  } catch (error) {
    trial.error = error;
  }
  return trial;
}

/** What reports success counts and is whole; what counts is whole; and the next backup succeeds. */
async function assertSafe({ store, summary, error }: Trial, { folder, now }: Scene): Promise<void> {
  const repository = await opened(store);
  const { snapshots } = await repository.snapshots();
  if (summary !== undefined) ok(snapshots.some(({ id }) => id === summary.snapshotId), "a reported snapshot is gone");
  else if (!(error instanceof SimulatedCrash)) {
    ok(error instanceof AxiomError, String(error));
    ok(error.exitCode > 0);
  }
  for (const snapshot of snapshots) {
    const picture = await pictureOfSnapshot(repository, snapshot, folder);
    if (snapshot.id === summary?.snapshotId) deepEqual(picture, now);
  }
  const { snapshotId } = await save(repository, folder);
  const healed = (await repository.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
  deepEqual(await pictureOfSnapshot(repository, healed, folder), now);
}

async function attempt(what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    throw new Error(`${what}: ${cause}`, { cause });
  }
}

async function allSnapshots(store: MemoryStore): Promise<string[]> {
  return (await (await opened(store)).snapshots()).snapshots.map(({ id }) => id);
}

function nameOf(calls: readonly CallRecord[], number: number): string {
  const call = calls[number - 1];
  return call === undefined ? "the end" : `call ${number}, ${call.call} ${call.key}`;
}

async function firstSnapshots({ before }: Scene): Promise<string[]> {
  const store = memoryStore();
  store.restore(before);
  return await allSnapshots(store);
}

Deno.test("(4) (5) a session that is fenced ahead of any storage call is withdrawn and started over", async () => {
  await withScene(async (scene) => {
    let points = 0;
    for (let at = 1;; at++) {
      const trial = await backupWith(scene, (number, deleter) => number === at ? fenceAll(deleter) : undefined);
      if (trial.calls.length < at) break;
      await attempt(`fenced ahead of ${nameOf(trial.calls, at)}`, async () => {
        ok(trial.summary, String(trial.error));
        await assertSafe(trial, scene);
        equal((await allSnapshots(trial.store)).length, 3 + 1);
      });
      points++;
    }
    console.log(`fenced at ${points} points`);
  });
});

/** Of all pairs of points, one in so many is tried. */
const STRIDE = 9;

async function fenceAll(deleter: SimulatedDeleter): Promise<void> {
  const { store } = deleter.repository;
  for await (const { key } of store.list(PREFIX.sessions)) await store.remove(key);
}

Deno.test("(4) (7) a whole deletion runs ahead of any storage call, with the session fenced", async () => {
  await withScene(async (scene) => {
    const earlier = await firstSnapshots(scene);
    let points = 0;
    for (const forgotten of [2, 1, 0]) {
      for (let at = 1;; at++) {
        const trial = await backupWith(
          scene,
          (number, deleter) => number === at ? deleteAll(deleter, earlier.slice(0, forgotten)) : undefined,
        );
        if (trial.calls.length < at) break;
        await attempt(`deletion, ${forgotten} forgotten, ahead of ${nameOf(trial.calls, at)}`, async () => {
          ok(trial.summary, String(trial.error));
          await assertSafe(trial, scene);
        });
        points++;
      }
    }
    console.log(`deletion at ${points} points`);
  });
});

async function deleteAll(deleter: SimulatedDeleter, forgotten: readonly string[]): Promise<void> {
  await deleter.forget(forgotten);
  await deleter.condemn();
  await deleter.fence();
  await deleter.removeUnfinished();
  await deleter.sweep();
}

Deno.test("(4) (7) a deletion condemns and fences ahead of one call, and sweeps ahead of a later one", async () => {
  await withScene(async (scene) => {
    const earlier = await firstSnapshots(scene);
    let points = 0;
    for (let first = 1;; first++) {
      let length = 0;
      for (let second = first + (first % STRIDE);; second += STRIDE) {
        const trial = await backupWith(scene, async (number, deleter) => {
          if (number === first) {
            await deleter.forget(earlier);
            await deleter.condemn();
            await deleter.fence();
          }
          if (number === second) await deleter.sweep();
        });
        length = trial.calls.length;
        if (length < second) break;
        await attempt(`condemned ahead of ${nameOf(trial.calls, first)}, swept ahead of call ${second}`, async () => {
          ok(trial.summary, String(trial.error));
          await assertSafe(trial, scene);
        });
        points++;
      }
      if (length < first) break;
    }
    console.log(`condemned and swept at ${points} pairs of points`);
  });
});

Deno.test("(6) (7) a deletion that waits for the session never hurts it, wherever it begins", async () => {
  await withScene(async (scene) => {
    const earlier = await firstSnapshots(scene);
    let points = 0;
    for (let at = 1;; at++) {
      const trial = await backupWith(scene, async (number, deleter) => {
        if (number !== at) return;
        await deleter.forget(earlier);
        await deleter.condemn();
        if (await deleter.mayMark()) await deleter.sweep();
      });
      if (trial.calls.length < at) break;
      await attempt(`condemned ahead of ${nameOf(trial.calls, at)}`, async () => {
        ok(trial.summary, String(trial.error));
        ok(await trial.deleter.mayMark(), "the session is left");
        await trial.deleter.sweep();
        await assertSafe(trial, scene);
      });
      points++;
    }
    console.log(`waited at ${points} points`);
  });
});

Deno.test("(4) (9) packs that were condemned before a backup began may go ahead of any of its calls", async () => {
  await withScene(async (scene) => {
    const earlier = await firstSnapshots(scene);
    let points = 0;
    for (const rewriteIndex of [false, true]) {
      for (let at = 1;; at++) {
        const trial = await backupWith(scene, async (number, deleter) => {
          if (number === 1) {
            await deleter.forget(earlier);
            await deleter.condemn();
          }
          if (number === at) await deleter.sweep({ rewriteIndex });
        });
        if (trial.calls.length < at) break;
        await attempt(`swept ahead of ${nameOf(trial.calls, at)}`, async () => {
          ok(trial.summary, String(trial.error));
          await assertSafe(trial, scene);
        });
        points++;
      }
    }
    console.log(`swept at ${points} points`);
  });
});

Deno.test("(1) (4) a writer that was fenced and dies at any later call leaves nothing that counts and dangles", async () => {
  await withScene(async (scene) => {
    const earlier = await firstSnapshots(scene);
    let points = 0;
    for (let first = 1;; first++) {
      let length = 0;
      for (let second = first + (first % STRIDE);; second += STRIDE) {
        const trial = await backupWith(scene, async (number, deleter) => {
          if (number === first) await deleteAll(deleter, earlier);
          if (number >= second) throw new SimulatedCrash("dead");
        });
        length = trial.calls.length;
        if (length < second) break;
        await attempt(`deleted ahead of ${nameOf(trial.calls, first)}, dead at ${nameOf(trial.calls, second)}`, () => {
          return assertSafe(trial, scene);
        });
        points++;
      }
      if (length < first) break;
    }
    console.log(`deleted and dead at ${points} pairs of points`);
  });
});

Deno.test("(4) (36) where nothing may be deleted, a fenced session leaves a manifest that does not count, or one that is whole", async () => {
  await withScene(async (scene) => {
    const earlier = await firstSnapshots(scene);
    let points = 0, unfinished = 0;
    for (let at = 1;; at++) {
      const trial = await backupWith(scene, async (number, deleter, { call, key }) => {
        if (number === at) {
          await deleter.forget(earlier);
          await deleter.condemn();
          await deleter.fence();
          await deleter.sweep();
        }
        if (call === "remove") throw new AxiomError("storage_denied", `Cannot remove ${key}: this store only adds`);
      });
      if (trial.calls.length < at) break;
      await attempt(`deleted ahead of ${nameOf(trial.calls, at)}`, async () => {
        ok(trial.summary, String(trial.error));
        unfinished += (await (await opened(trial.store)).snapshots()).unfinished.length;
        await assertSafe(trial, scene);
      });
      points++;
    }
    ok(unfinished > 0);
    console.log(`deleted at ${points} points of an append-only client, ${unfinished} manifests without marker`);
  });
});

Deno.test("(4) where listings may be stale, a backup waits until it sees what was condemned before it began", async () => {
  await withScene(async (scene) => {
    const inner = memoryStore({ traits: { staleListingMs: 60_000 } });
    inner.restore(scene.before);
    const stale = faultyStore(inner);
    let sleptMs = 0;
    const clock: Clock = {
      ...lateClock,
      sleep(ms) {
        sleptMs += ms;
        if (sleptMs >= 60_000) stale.thawListings();
        return Promise.resolve();
      },
    };
    const deleter = new SimulatedDeleter(await opened(inner));
    await stale.freezeListings();
    await deleter.forget(await firstSnapshots(scene));
    await deleter.condemn();
    const hooked = new HookedStore(stale, async ({ call }) => {
      if (call === "commit") await deleter.sweep();
    });
    const summary = await save(await opened(hooked, undefined, clock), scene.folder);
    await assertSafe({ store: inner, deleter, summary, calls: [] }, scene);
    equal(sleptMs, 60_000);
  });
});
