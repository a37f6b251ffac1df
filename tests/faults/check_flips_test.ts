import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Bytes } from "../../src/base/bytes.ts";
import { AxiomError } from "../../src/base/errors.ts";
import type { ObjectFormType } from "../../src/model/object_forms.ts";
import { check } from "../../src/operations/check.ts";
import { Findings } from "../../src/operations/check_findings.ts";
import { checkKeys } from "../../src/operations/check_keys.ts";
import { type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { type EveryKind, everyKind } from "./every_kind.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfSnapshot } from "./pictures.ts";
import { opened, withFolder } from "./test_repository.ts";

const SEED = Deno.env.get("AXIOM_TEST_SEED") ?? crypto.randomUUID();
const context = { pool: () => inProcessPool(), onEvent: () => {} };
const SEALED: ObjectFormType[] = [
  "index",
  "snapshot",
  "marker",
  "keyring",
  "session",
  "heartbeat",
  "condemned",
  "ledger",
];
/** Magic, type, suite and epoch of an envelope. */
const ENVELOPE_START_BITS = 10 * 8;

/** All bits of the first `wholeBits`, and of the rest one bit of every so many bytes. */
function* sampledBits(length: number, wholeBits: number, strideBytes: number): Generator<number> {
  const random = seededRandom(`${SEED} ${length}`);
  for (let bit = 0; bit < wholeBits; bit++) yield bit;
  for (let byte = wholeBits / 8; byte < length; byte += strideBytes) {
    const [at, bit] = random(2);
    yield 8 * Math.min(byte + at % strideBytes, length - 1) + bit % 8;
  }
  yield 8 * length - 1;
}

function flip(stored: Bytes, bit: number): Bytes {
  const data = stored.slice();
  data[bit >>> 3] ^= 1 << (bit & 7);
  return data;
}

async function replace(store: MemoryStore, key: string, data: Bytes): Promise<void> {
  await store.remove(key);
  await store.put(key, data);
}

function flipped(scene: EveryKind, key: string, bit: number): MemoryStore {
  const store = memoryStore();
  store.restore(new Map(scene.state).set(key, flip(scene.state.get(key)!, bit)));
  return store;
}

Deno.test("(43) check finds nothing wrong with a repository that has an object of every kind", async () => {
  await withFolder(async (folder) => {
    const { state } = await everyKind(folder);
    const store = memoryStore();
    store.restore(state);
    const found = await check(await opened(store), { readData: { kind: "all" } }, context);
    deepEqual(found.errors, []);
    equal(found.snapshotsChecked, 2);
    equal(found.packsChecked, found.packsRead);
    deepEqual(found.notes.map(({ code }) => code).sort(), [
      "condemned_packs",
      "session_at_work",
      "snapshot_unfinished",
    ]);
    deepEqual(store.snapshot(), state, "a check changes nothing");
  });
});

Deno.test("(25) (43) check finds every flipped bit of configs and key slots", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = memoryStore();
    store.restore(scene.state);
    const repository = await opened(store);
    for (const key of [scene.keysOf("config")[0], scene.keysOf("slot")[0]]) {
      const stored = scene.state.get(key)!;
      for (let bit = 0; bit < stored.length * 8; bit++) {
        await replace(store, key, flip(stored, bit));
        const findings = new Findings(() => {});
        await checkKeys(repository, findings);
        deepEqual(findings.errors.map(({ object }) => object), [key], `bit ${bit}`);
      }
      await replace(store, key, stored);
    }
  });
});

Deno.test("(43) check finds flipped bits in every part of each sealed object", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const type of SEALED) {
      const [key] = scene.keysOf(type);
      const stored = scene.state.get(key)!;
      await t.step(type, async () => {
        const store = memoryStore();
        store.restore(scene.state);
        // A client that comes later may not even get in.
        const repository = await opened(store);
        for (const bit of sampledBits(stored.length, ENVELOPE_START_BITS, 128)) {
          await replace(store, key, flip(stored, bit));
          const { errors } = await check(repository, {}, context);
          const objects = errors.map(({ object }) => `${object}.ok`.startsWith(key) ? key : object);
          deepEqual(objects, [key], `bit ${bit} of ${key}, seed ${SEED}`);
        }
      });
    }
  });
});

Deno.test("(25) (43) what flipped bits do to opening a repository is an error that says so, or a warning", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const key of scene.keysOf("config", "slot", "keyring")) {
      for (const bit of sampledBits(scene.state.get(key)!.length, 0, 40)) {
        const result = await opened(flipped(scene, key, bit)).catch((error) => error);
        if (result instanceof Error) ok(result instanceof AxiomError, `${key} ${bit}: ${result}`);
      }
    }
  });
});

Deno.test("(43) reading all data finds flipped bits in every part of each pack, and no snapshot gives wrong bytes", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const key of scene.keysOf("pack")) {
      await t.step(key.slice(0, 12), async () => {
        const { length } = scene.state.get(key)!;
        // The trailer is 64 bytes, the table before it some 4 KiB, before that lie padding and frames.
        const bits = [...sampledBits(length - 64, 0, Math.ceil(length / 30))];
        for (let byte = length - 64; byte < length; byte++) bits.push(8 * byte + byte % 8);
        for (const bit of bits) await examine(scene, folder, key, bit);
      });
    }
  });
});

async function examine(scene: EveryKind, folder: string, key: string, bit: number): Promise<void> {
  const what = `bit ${bit} of ${key}, seed ${SEED}`;
  const repository = await opened(flipped(scene, key, bit));
  const { errors } = await check(repository, { readData: { kind: "all" } }, context);
  deepEqual([...new Set(errors.map(({ object }) => object))], [key], what);
  const { snapshots } = await repository.snapshots();
  for (const [i, stored] of snapshots.entries()) {
    const isAffected = errors.some(({ affected }) => affected.some(({ snapshotId }) => snapshotId === stored.id));
    const picture = await pictureOfSnapshot(repository, stored, folder).catch((error) => error);
    if (picture instanceof Error) {
      ok(picture instanceof AxiomError, `${what}: ${picture}`);
      ok(isAffected, `${what}: snapshot ${i} cannot be read and check does not say so`);
    } else {
      deepEqual(picture, scene.pictures[i], what);
      ok(!isAffected, `${what}: snapshot ${i} is whole and check says otherwise`);
    }
  }
}
