import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { systemRandom } from "../../src/base/random.ts";
import { packKey, PREFIX } from "../../src/model/object_keys.ts";
import { check } from "../../src/operations/check.ts";
import { repairPacks, type RepairPacksSummary } from "../../src/operations/repair_packs.ts";
import { encodeCondemned, readCondemned } from "../../src/repository/condemned.ts";
import { Repository } from "../../src/repository/repository.ts";
import { aesGcmCipher } from "../../src/stages/seal.ts";
import { builtInStages, FormatRegistry, StageRegistry } from "../../src/stages/registry.ts";
import { ForwardingStore } from "../../src/storage/forwarding.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { flipBit } from "./damage.ts";
import { everyCrash } from "./every_crash.ts";
import { type EveryKind, everyKind } from "./every_kind.ts";
import { faultyStore } from "./faulty_store.ts";
import { HookedStore } from "./hooked_store.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import {
  emptyRepository,
  type Events,
  IDENTITY,
  lateClock,
  opened,
  POLICY,
  save,
  savedInTwoPacks,
  SECRET,
  SMALL_PACKS,
  storeOf,
  STYLE,
  testContext,
  withFolder,
} from "./test_repository.ts";

const ALL = { readData: { kind: "all" as const } };
const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };
const REPAIR = { selection: { kind: "all" as const }, dryRun: false, metadataStyle: STYLE };
/** What a call has done in whole is what the next one finds that does nothing. */
const EFFECTS = ["none", "torn"] as const;

async function repair(store: ObjectStore, options = {}): Promise<RepairPacksSummary> {
  return await repairPacks(await opened(store), { ...REPAIR, ...options }, context);
}

interface ManyFrames extends EveryKind {
  /** A pack of several frames, and a bit in one of them, which holds data. */
  key: string;
  bit: number;
}

async function manyFrames(folder: string): Promise<ManyFrames> {
  const scene = await everyKind(folder);
  const store = storeOf(scene.state);
  const repository = await opened(store);
  // Owners do not share frames, so four owners make four frames.
  for (let i = 0; i < 4; i++) writeFiles(folder, { [`owners/${i}`]: noise(`owner ${i}`, 9000) });
  let owner = 0;
  await save(repository, folder, {
    policy: {
      ...POLICY,
      plan: (path) => ({ style: { ...STYLE, owner: path.includes("owners") ? ++owner : 0 } }),
    },
  });
  const { index } = await repository.loadIndex();
  for (const pack of index.packs()) {
    const { frames } = await repository.packs.table(pack);
    if (frames.length < 4) continue;
    const first = frames.find(({ kind }) => kind === 0)!;
    return { ...scene, state: store.snapshot(), key: packKey(pack.name), bit: 8 * (first.offset + 30) };
  }
  throw new Error("there is no such pack");
}

async function lostPaths(repository: Repository): Promise<string[]> {
  const { errors } = await check(repository, ALL, context);
  return [...new Set(errors.flatMap(({ affected }) => affected.map(({ snapshotId, path }) => `${snapshotId} ${path}`)))]
    .sort();
}

Deno.test("(43) repair packs keeps what is whole of a damaged pack, and takes the rest out of use", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const store = storeOf(scene.state);
    await flipBit(store, scene.key, scene.bit);
    const before = await lostPaths(await opened(store));
    ok(before.length > 0);
    const unchanged = store.snapshot();
    const planned = await repair(store, { dryRun: true });
    deepEqual(store.snapshot(), unchanged, "a dry run changes nothing");
    const done = await repair(store);
    deepEqual(
      done.packs.map(({ asideKey: _, ...rest }) => rest),
      planned.packs.map(({ asideKey: _, ...rest }) => rest),
    );
    const [pack] = done.packs;
    equal(packKey(pack.name), scene.key);
    ok(pack.chunksLost > 0 && pack.chunksWhole > 0);
    equal(done.chunksCopied, pack.chunksWhole);
    ok(store.snapshot().has(pack.asideKey!));
    deepEqual(await lostPaths(await opened(store)), before, "neither more nor less is lost than before");
    equal((await readCondemned((await opened(store)).indexSource(), () => {})).has(pack.name), false);
    const view = await (await opened(store)).loadIndex();
    deepEqual([view.missingPacks, view.damagedPacks, view.unindexed, view.objects.damaged], [[], [], [], []]);
    equal(view.listed.has(pack.name), false);
    const again = store.snapshot();
    deepEqual((await repair(store)).packs, []);
    deepEqual(store.snapshot(), again, "a second run finds nothing to do");
    await save(await opened(store), folder);
    deepEqual(await lostPaths(await opened(store)), [], "the next backup stores again what was lost");
  });
});

Deno.test("(43) damage in the padding of a pack: everything is kept, nothing is lost", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const store = storeOf(scene.state);
    const repository = await opened(store);
    const pack = (await repository.loadIndex()).index.pack(scene.key.slice(-64))!;
    const { frames } = await repository.packs.table(pack);
    const end = Math.max(...frames.map(({ offset, storedBytes }) => offset + storedBytes));
    ok(end < pack.storedBytes - pack.tableBytes - 64, "the pack has padding");
    await flipBit(store, scene.key, 8 * end);
    const done = await repair(store);
    deepEqual(done.packs.map(({ name, chunksLost }) => [packKey(name), chunksLost]), [[scene.key, 0]]);
    const { errors } = await check(await opened(store), ALL, context);
    deepEqual(errors, []);
  });
});

Deno.test("what another pack holds whole is not copied, what it holds damaged is", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { "a": noise("a", 30_000), "b/c": "text" });
    const store = storeOf(await emptyRepository(SMALL_PACKS));
    const [first, second] = await savedInTwoPacks(store, folder);
    const repository = await opened(store);
    const pack = (await repository.loadIndex()).index.pack(first.slice(-64))!;
    const end = pack.storedBytes - pack.tableBytes - 64;
    const twice = store.snapshot();
    // Padding: all of the first pack is whole.
    await flipBit(store, first, 8 * (end - 1));
    const whole = await repair(store);
    equal(whole.packs.length, 1);
    ok(whole.chunksCopied < whole.packs[0].chunksWhole, "what the second pack has was copied");
    store.restore(twice);
    await flipBit(store, first, 8 * (end - 1));
    // A frame of data: documents of folders above the source differ from backup to backup.
    const other = (await repository.loadIndex()).index.pack(second.slice(-64))!;
    const { offset } = (await repository.packs.table(other)).frames.find(({ kind }) => kind === 0)!;
    await flipBit(store, second, 8 * (offset + 30));
    const both = await repair(store);
    equal(both.packs.length, 2);
    ok(both.chunksCopied > whole.chunksCopied);
    deepEqual((await check(await opened(store), ALL, context)).errors, []);
  });
});

Deno.test("(1) (24) repair packs that dies at any storage call loses nothing, and the next one ends its work", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const before = storeOf(scene.state);
    await flipBit(before, scene.key, scene.bit);
    const lost = await lostPaths(await opened(before));
    const points = await everyCrash({
      before: before.snapshot(),
      effects: EFFECTS,
      run: async (store) => await repair(store),
      async examine(store, { call, effect }) {
        const isTorn = effect === "torn" &&
          (call.key.startsWith(PREFIX.condemned) || call.key.startsWith(PREFIX.sessions));
        deepEqual(await lostPaths(await opened(store)), lost);
        if (isTorn && call.key.startsWith(PREFIX.condemned)) {
          return equal((await errorOf(repair(store))).kind, "data_damaged");
        }
        await repair(store);
        await save(await opened(store), folder);
        deepEqual(await lostPaths(await opened(store)), []);
        const view = await (await opened(store)).loadIndex();
        equal(view.listed.has(scene.key.slice(-64)), false);
      },
    });
    console.log(`repair packs: ${points} crash points`);
  });
});

/** Condemns packs as another deleter does. */
async function condemn(store: ObjectStore, names: readonly string[]): Promise<void> {
  const { sealer } = await opened(store);
  const key = PREFIX.condemned + Array.from(systemRandom(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  await store.put(key, await sealer.seal("condemned", key, encodeCondemned(names)));
}

Deno.test("(4) (6) a deleter that has condemned the copies takes nothing away that is needed", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const store = storeOf(scene.state);
    await flipBit(store, scene.key, scene.bit);
    const lost = await lostPaths(await opened(store));
    const old = new Set((await Array.fromAsync(store.list(PREFIX.packs))).map(({ key }) => key));
    const doomed: string[] = [];
    // Between the copy and the list of the damaged pack: the copy looks like garbage to whoever marks now.
    let acted = false;
    const acting = new HookedStore(store, async ({ call, key }) => {
      if (acted || call !== "put" || !key.startsWith(PREFIX.condemned)) return;
      acted = true;
      for await (const { key } of store.list(PREFIX.packs)) if (!old.has(key)) doomed.push(key.slice(-64));
      await condemn(store, doomed);
    });
    const done = await repair(acting);
    ok(acted && doomed.length > 0);
    equal(done.chunksCopied, 2 * done.packs[0].chunksWhole, "copies on another's list were made again");
    for (const name of doomed) await store.remove(packKey(name));
    deepEqual(await lostPaths(await opened(store)), lost);
  });
});

Deno.test("(4) where listings may be stale, repair packs waits until it sees what condemned its copies", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const inner = memoryStore({ traits: { staleListingMs: 60_000 } });
    inner.restore(scene.state);
    await flipBit(inner, scene.key, scene.bit);
    const old = new Set((await Array.fromAsync(inner.list(PREFIX.packs))).map(({ key }) => key));
    const stale = faultyStore(inner);
    const doomed: string[] = [];
    const sleep = () => {
      stale.thawListings();
      return Promise.resolve();
    };
    const acting = new HookedStore(stale, async ({ call, key }) => {
      if (doomed.length > 0 || call !== "put" || !key.startsWith(PREFIX.condemned)) return;
      await stale.freezeListings();
      for await (const { key } of inner.list(PREFIX.packs)) if (!old.has(key)) doomed.push(key.slice(-64));
      await condemn(inner, doomed);
    });
    const repository = await opened(acting, undefined, { ...lateClock, sleep });
    const done = await repairPacks(repository, REPAIR, context);
    ok(doomed.length > 0);
    equal(done.chunksCopied, 2 * done.packs[0].chunksWhole, "copies on another's list were made again");
  });
});

Deno.test("while a list of condemned packs is damaged, or condemns every copy, repair packs gives up and changes nothing", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const damaged = storeOf(scene.state);
    await flipBit(damaged, scene.key, scene.bit);
    const lost = await lostPaths(await opened(damaged));
    await damaged.put(`${PREFIX.condemned}0`, new Uint8Array(5));
    equal((await errorOf(repair(damaged))).kind, "data_damaged");
    await damaged.remove(`${PREFIX.condemned}0`);
    const greedy = new class extends ForwardingStore {
      override async *list(prefix: string, signal?: AbortSignal) {
        const { inner } = this;
        if (prefix === PREFIX.condemned) {
          const packs = await Array.fromAsync(inner.list(PREFIX.packs, signal));
          await condemn(inner, packs.map(({ key }) => key.slice(-64)));
        }
        yield* inner.list(prefix, signal);
      }
    }(damaged);
    equal((await errorOf(repair(greedy))).kind, "storage_busy");
    deepEqual(await lostPaths(await opened(damaged)), lost);
  });
});

Deno.test("a pack that reads differently each time is left alone, and the machine is blamed", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const store = storeOf(scene.state);
    let reads = 0;
    const flaky = new class extends ForwardingStore {
      override async get(...[key, range, signal]: Parameters<ObjectStore["get"]>) {
        const data = await super.get(key, range, signal);
        if (key === scene.key && range !== "all" && range.offset === 0 && reads++ === 0) data[20] ^= 1;
        return data;
      }
    }(store);
    const events: Events = [];
    const done = await repairPacks(await opened(flaky), REPAIR, { ...context, onEvent: (event) => events.push(event) });
    deepEqual(done.packs, []);
    ok(events.some((event) => event.type === "warning" && event.code === "flaky_read"));
    deepEqual([...store.snapshot().keys()], [...scene.state.keys()]);
  });
});

Deno.test("where nothing can be moved a damaged pack stays condemned, and the next backup heals all the same", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const inner = storeOf(scene.state);
    await flipBit(inner, scene.key, scene.bit);
    const store = Object.assign(new ForwardingStore(inner), { repair: undefined });
    const done = await repair(store);
    equal(done.packs[0].asideKey, null);
    const repository = await opened(store);
    ok((await readCondemned(repository.indexSource(), () => {})).has(scene.key.slice(-64)));
    await save(repository, folder);
    const { snapshots } = await repository.snapshots();
    for (const stored of snapshots) await pictureOfSnapshot(await opened(store), stored, folder);
  });
});

Deno.test("sessions that repair packs uses end with it", async () => {
  await withFolder(async (folder) => {
    const scene = await manyFrames(folder);
    const store = storeOf(scene.state);
    await flipBit(store, scene.key, scene.bit);
    const before = [...store.snapshot().keys()].filter((key) => key.startsWith(PREFIX.sessions));
    await repair(store);
    deepEqual([...store.snapshot().keys()].filter((key) => key.startsWith(PREFIX.sessions)), before);
  });
});

Deno.test("(41) a cipher that is only there for reading seals nothing of what repair packs stores again", async () => {
  const rare = { ...aesGcmCipher(), pluginId: "encryption_rare", formatId: "rare-1", version: "3.2.1" };
  const { codecs, ciphers } = builtInStages();
  const writing = new StageRegistry(codecs, ciphers.with(rare));
  const reading = new StageRegistry(codecs, new FormatRegistry("cipher", ciphers.all, undefined, [rare]));
  await withFolder(async (folder) => {
    for (let i = 0; i < 4; i++) writeFiles(folder, { [`${i}`]: noise(`owner ${i}`, 9000) });
    const store = storeOf(await emptyRepository(SMALL_PACKS));
    const openedWith = (registry: StageRegistry) => Repository.open(store, SECRET, { ...testContext(), registry });
    let owner = 0;
    await save(await openedWith(writing), folder, {
      pool: () => inProcessPool({ registry: writing }),
      policy: { ...POLICY, plan: () => ({ style: { ...STYLE, cipher: rare.formatId, owner: ++owner } }) },
    });
    const repository = await openedWith(reading);
    const [pack] = (await repository.loadIndex()).index.packs();
    const { frames } = await repository.packs.table(pack);
    await flipBit(store, packKey(pack.name), 8 * (frames.find(({ kind }) => kind === 0)!.offset + 30));
    const pool = () => inProcessPool({ registry: reading });
    const { packs, chunksCopied } = await repairPacks(repository, REPAIR, { ...context, pool });
    equal(packs.length, 1);
    ok(chunksCopied > 0);
    for (const each of (await (await openedWith(reading)).loadIndex()).index.packs()) {
      const { dictionary } = await repository.packs.table(each);
      deepEqual(dictionary.filter(({ formatId }) => formatId === rare.formatId), []);
    }
  });
});
