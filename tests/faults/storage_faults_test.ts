import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { AxiomError, type ErrorKind } from "../../src/base/errors.ts";
import { packName, PREFIX } from "../../src/model/object_keys.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { isPackWhole } from "../../src/repository/pack_hash.ts";
import { DEFAULT_RETRY } from "../../src/resilience/retry.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { retryingStore } from "../../src/storage/retrying.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { type CallRecord, faultyStore } from "./faulty_store.ts";
import { HookedStore } from "./hooked_store.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { changeSmallSource, noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import {
  bringBack,
  emptyRepository,
  type Events,
  lateClock,
  opened,
  save,
  type SaveOptions,
  SMALL_PACKS,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();

interface Scene {
  folder: string;
  before: MemoryState;
  earlier: Picture;
  now: Picture;
}

/** A repository of several small packs, and a folder that changed since. */
async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    writeSmallSource(folder);
    await save(await opened(store), folder);
    const earlier = pictureOfFolder(files, folder);
    changeSmallSource(folder);
    for (let i = 0; i < 6; i++) writeFiles(folder, { [`big/${i}`]: noise(`big ${i}`, 40_000) });
    await run({ folder, before: store.snapshot(), earlier, now: pictureOfFolder(files, folder) });
  });
}

interface Attempt {
  inner: MemoryStore;
  error: unknown;
  snapshotId: string | null | undefined;
  events: Events;
}

async function attempt(
  { folder, before }: Scene,
  wrap: (inner: MemoryStore) => ObjectStore,
  options: SaveOptions = {},
): Promise<Attempt> {
  const inner = memoryStore();
  inner.restore(before);
  const events: Events = [];
  try {
    const { snapshotId } = await save(await opened(wrap(inner), events), folder, options);
    return { inner, error: undefined, snapshotId, events };
  } catch (error) {
    return { inner, error, snapshotId: undefined, events };
  }
}

/** The five things: earlier ones restore, the new one is whole or absent, the error says it, fails, and the next run heals. */
async function assertSafe({ inner, error, snapshotId }: Attempt, scene: Scene): Promise<void> {
  const { folder, earlier, now } = scene;
  const repository = await opened(inner);
  for (const [key, data] of inner.snapshot()) {
    const name = packName(key);
    if (name !== undefined) ok(await isPackWhole(inner, name, data.length), `${key} is not what its name says`);
  }
  const { snapshots } = await repository.snapshots();
  deepEqual(await pictureOfSnapshot(repository, snapshots[0], folder), earlier);
  if (snapshots.length > 1) deepEqual(await pictureOfSnapshot(repository, snapshots[1], folder), now);
  if (error === undefined) equal(snapshots.at(-1)!.id, snapshotId);
  else {
    ok(error instanceof AxiomError, String(error));
    match(error.message, /^Cannot /);
    ok(error.exitCode > 0);
  }
  await save(repository, folder);
  const healed = (await repository.snapshots()).snapshots;
  equal(healed.length, snapshots.length + 1);
  deepEqual(await pictureOfSnapshot(repository, healed.at(-1)!, folder), now);
}

/** Runs the backup with a fault ahead of call 1, 2, … until it gets through without meeting it. */
async function atEveryCall(
  scene: Scene,
  fault: (call: CallRecord) => AxiomError | undefined,
  persistent: boolean,
): Promise<number> {
  for (let at = 1;; at++) {
    let number = 0;
    let met: CallRecord | undefined;
    const result = await attempt(scene, (inner) =>
      new HookedStore(inner, (call) => {
        const hit = ++number === at || (persistent && number > at);
        const error = hit ? fault(call) : undefined;
        if (number === at) met = call;
        return error === undefined ? Promise.resolve() : Promise.reject(error);
      }));
    if (met === undefined) return at - 1;
    try {
      await assertSafe(result, scene);
    } catch (cause) {
      throw new Error(`fault at call ${at}, ${met.call} ${met.key}: ${cause}`, { cause });
    }
  }
}

Deno.test("(11) a repository that is full from any byte on fails the backup, and keeps nothing broken", async () => {
  await withScene(async (scene) => {
    const whole = await attempt(scene, (inner) => inner);
    const needed = bytesIn(whole.inner.snapshot()) - bytesIn(scene.before);
    const STEPS = 40;
    for (let step = 0; step < STEPS; step++) {
      const fullAfterBytes = Math.floor((needed * step) / STEPS);
      const result = await attempt(scene, (inner) => faultyStore(inner, { fullAfterBytes }));
      ok(result.error instanceof AxiomError, `${fullAfterBytes} of ${needed} bytes: ${result.error}`);
      equal(result.error.kind, "storage_full");
      equal(result.error.exitCode, 1);
      await assertSafe(result, scene);
      equal((await (await opened(result.inner)).snapshots()).snapshots.length, 2);
    }
    console.log(`full at ${STEPS} of ${needed} bytes`);
  });
});

function bytesIn(state: MemoryState): number {
  return [...state.values()].reduce((sum, { length }) => sum + length, 0);
}

Deno.test("(34) a store that fails, denies or is full at any one call, or from it on, costs at most this run", async (t) => {
  await withScene(async (scene) => {
    const cases = [
      { kind: "storage_failed", persistent: false },
      { kind: "storage_failed", persistent: true },
      { kind: "storage_denied", persistent: true },
      { kind: "storage_full", persistent: false },
    ] as const;
    for (const { kind, persistent } of cases) {
      await t.step(`${kind} ${persistent ? "from any call on" : "once"}`, async () => {
        const points = await atEveryCall(scene, faultOf(kind), persistent);
        console.log(`${kind} at ${points} calls`);
      });
    }
  });
});

function faultOf(kind: ErrorKind): (call: CallRecord) => AxiomError {
  return ({ call, key }) => new AxiomError(kind, `Cannot ${call} ${key}: a test says so`, { hint: "None" });
}

Deno.test("(33) (34) a store that is busy twice at any call is asked again; a busy write costs the run, and is told", async () => {
  await withScene(async (scene) => {
    const environment = { clock: lateClock, random: seededRandom("retry") };
    const calls = [];
    for (let at = 1;; at++) {
      let faulty: ReturnType<typeof faultyStore> | undefined;
      const result = await attempt(scene, (inner) => {
        faulty = faultyStore(inner, { busy: { fromCall: at, times: 2 } });
        return retryingStore(faulty, DEFAULT_RETRY, environment);
      });
      const call = faulty!.calls[at - 1];
      if (call === undefined) break;
      calls.push(call);
      if (call.call !== "write" && faulty!.calls[at].call !== "write") {
        ok(!result.error, `${call.call}: ${result.error}`);
      } else if (result.error !== undefined) equal((result.error as AxiomError).kind, "storage_busy");
      await assertSafe(result, scene);
    }
    console.log(`busy at ${calls.length} calls`);
  });
});

Deno.test("(33) the answer to a put, commit or removal is lost after it took effect: the retry meets its own object", async () => {
  await withScene(async (scene) => {
    let lost = 0;
    for (let at = 1;; at++) {
      let number = 0;
      let met = false;
      const result = await attempt(scene, (inner) => {
        const losing = new LosingStore(inner, () => {
          if (++number !== at) return;
          met = true;
          throw new AxiomError("storage_busy", "Cannot tell: the answer was lost");
        });
        return retryingStore(losing, DEFAULT_RETRY, { clock: lateClock, random: seededRandom("retry") });
      });
      if (!met) break;
      lost++;
      equal(result.error, undefined);
      await assertSafe(result, scene);
      equal((await (await opened(result.inner)).snapshots()).snapshots.length, 3);
    }
    console.log(`${lost} answers were lost`);
  });
});

/** Calls `after` once a call that changes something took effect. */
class LosingStore extends HookedStore {
  constructor(inner: ObjectStore, readonly after: () => void) {
    super(inner, () => Promise.resolve());
  }

  override async put(key: string, data: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
    await super.put(key, data, signal);
    this.after();
  }

  override async create(signal?: AbortSignal) {
    const writer = await super.create(signal);
    let committed = false;
    return {
      write: (data: Uint8Array<ArrayBuffer>) => writer.write(data),
      commit: async (key: string) => {
        if (!committed) await writer.commit(key);
        committed = true;
        this.after();
      },
      abort: () => writer.abort(),
    };
  }

  override async remove(key: string, signal?: AbortSignal): Promise<void> {
    await super.remove(key, signal);
    this.after();
  }
}

Deno.test("(1) a backup that is interrupted at any storage call ends in good order, and what arrived is used", async () => {
  await withScene(async (scene) => {
    let points = 0, kept = 0;
    for (let at = 1;; at++) {
      const interruption = new AbortController();
      let number = 0;
      const result = await attempt(scene, (inner) => {
        return new HookedStore(inner, () => {
          if (++number === at) interruption.abort(new AxiomError("interrupted", "Cannot go on: interrupted"));
          return Promise.resolve();
        });
      }, { signal: interruption.signal });
      if (number < at) break;
      points++;
      if (result.error !== undefined) {
        equal((result.error as AxiomError).kind, "interrupted", `at ${at}: ${result.error}`);
        equal((result.error as AxiomError).exitCode, 130);
      }
      const left = [...result.inner.snapshot().keys()];
      ok(!left.some((key) => key.startsWith(PREFIX.sessions)), `at ${at}: a session is left`);
      const packs = left.filter((key) => packName(key) !== undefined && !scene.before.has(key));
      if (result.error !== undefined) kept += packs.length;
      const view = await (await opened(result.inner)).loadIndex();
      deepEqual(view.unindexed, [], `at ${at}: packs are left without an index`);
      await assertSafe(result, scene);
    }
    ok(kept > 0);
    console.log(`interrupted at ${points} calls, ${kept} packs were kept`);
  });
});

Deno.test("(43) a bit that flips in any read of a restore never reaches a file unnoticed", async () => {
  await withScene(async (scene) => {
    const { inner } = await attempt(scene, (store) => store);
    const total = await withFolder((target) => restored(inner, scene, target, {}).then(({ gets }) => gets));
    let told = 0;
    for (let atGet = 1; atGet <= total; atGet++) {
      for (const bit of [3, 1001, 123_457]) {
        await withFolder(async (target) => {
          const { error, events, snapshotRead } = await restored(inner, scene, target, { flip: { atGet, bit } });
          const there = pictureOfFolder(files, target);
          const failed = events.flatMap((event) => event.type === "error" ? [event.path!] : []);
          if (error !== undefined || failed.length > 0) told++;
          if (!snapshotRead) return;
          for (const [path, line] of scene.now) {
            const isRight = there.get(path) === line || path === "." || line.startsWith('{"type":"dir"');
            const isTold = error !== undefined || failed.some((of) => path === of || path.startsWith(`${of}/`));
            ok(isRight || isTold, `flip in get ${atGet}, bit ${bit}: ${path} is ${there.get(path)}`);
          }
        });
      }
    }
    ok(told > 0);
    console.log(`flips in ${total} reads, 3 bits each; ${told} were told of, the others repaired or without effect`);
  });
});

async function restored(
  inner: MemoryStore,
  { folder }: Scene,
  target: string,
  plan: Parameters<typeof faultyStore>[1],
): Promise<{ gets: number; error: unknown; events: Events; snapshotRead: boolean }> {
  const store = faultyStore(inner, plan);
  const events: Events = [];
  let snapshotRead = false;
  let error: unknown;
  try {
    const repository = await opened(store, events);
    const stored = (await repository.snapshots()).snapshots.at(-1);
    if (stored !== undefined && stored.snapshot.sequence === 2) {
      snapshotRead = true;
      await bringBack(repository, stored, folder, target);
    }
  } catch (thrown) {
    ok(thrown instanceof AxiomError, String(thrown));
    ok(thrown.exitCode > 0);
    error = thrown;
  }
  return { gets: store.calls.filter(({ call }) => call === "get").length, error, events, snapshotRead };
}

Deno.test("(43) a bit that flips in any read of a backup leaves the new snapshot whole, or none", async () => {
  await withScene(async (scene) => {
    let points = 0;
    for (let atGet = 1;; atGet++) {
      let faulty: ReturnType<typeof faultyStore> | undefined;
      const result = await attempt(scene, (inner) => {
        return faulty = faultyStore(inner, { flip: { atGet, bit: 7919 * atGet } });
      });
      if (faulty!.calls.filter(({ call }) => call === "get").length < atGet) break;
      await assertSafe(result, scene);
      points++;
    }
    console.log(`flips in ${points} reads of a backup`);
  });
});

Deno.test("(28) a backup that sees the listings of before another one is whole", async () => {
  await withScene(async (scene) => {
    const result = await attempt(scene, (inner) => inner);
    const stale = faultyStore(result.inner);
    const store = memoryStore();
    store.restore(scene.before);
    await stale.freezeListings();
    writeFiles(scene.folder, { "newest": noise("newest", 50_000) });
    await save(await opened(result.inner), scene.folder);
    const repository = await opened(stale);
    const { snapshotId } = await save(repository, scene.folder);
    const fresh = await opened(result.inner);
    const stored = (await fresh.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
    deepEqual(await pictureOfSnapshot(fresh, stored, scene.folder), pictureOfFolder(files, scene.folder));
  });
});

Deno.test("a backup that waits because listings may be stale says how long and why", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { a: "a" });
    const slept: number[] = [];
    const clock = { ...lateClock, sleep: (ms: number) => Promise.resolve(void slept.push(ms)) };
    for (const staleListingMs of [0, 60_000]) {
      const store = memoryStore({ traits: { staleListingMs, staleListingReason: "nfs(5): acdirmax, 60 s" } });
      store.restore(await emptyRepository());
      const events: Events = [];
      await save(await opened(store, events, clock), folder);
      const told = events.flatMap((event) => event.type === "notice" ? [event] : []);
      equal(slept.includes(60_000), staleListingMs > 0);
      deepEqual(told.map(({ code }) => code), staleListingMs > 0 ? ["stale_listings"] : []);
      if (staleListingMs > 0) match(told[0].message, /^Waiting 60 s, .* memory.* \(nfs\(5\): acdirmax, 60 s\)/);
    }
  });
});
