import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { AxiomError } from "../../src/base/errors.ts";
import type { AxiomEvent } from "../../src/base/events.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import type { ObjectFormType } from "../../src/model/object_forms.ts";
import { packKey, PREFIX } from "../../src/model/object_keys.ts";
import { check, type CheckSummary } from "../../src/operations/check.ts";
import { repairIndex } from "../../src/operations/repair_index.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { appendLedger, readLedger } from "../../src/repository/ledger.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { ForwardingStore } from "../../src/storage/forwarding.ts";
import { type MemoryState, type MemoryStore } from "../../src/storage/memory.ts";
import type { ByteRange, ObjectInfo, ObjectStore } from "../../src/storage/object_store.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { flipBit } from "./damage.ts";
import { type EveryKind, everyKind } from "./every_kind.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import {
  bringBack,
  emptyRepository,
  opened,
  save,
  savedInTwoPacks,
  SMALL_PACKS,
  storeOf,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();
const ALL = { readData: { kind: "all" as const } };
const context = { pool: () => inProcessPool(), onEvent: () => {} };

const KINDS: ObjectFormType[] = ["config", "slot", "keyring", "pack", "index", "snapshot", "marker", "session"];
const ALL_KINDS: ObjectFormType[] = [...KINDS, "heartbeat", "condemned", "ledger"];

/** By a client that opened the repository before it was damaged. */
async function checkDamaged(scene: EveryKind, damaged: MemoryState, options = {}): Promise<CheckSummary> {
  const store = storeOf(scene.state);
  const repository = await opened(store);
  store.restore(damaged);
  return await check(repository, options, context);
}

/** Errors about a marker are about its snapshot. */
function subject(key: string): string {
  return key.replace(/\.ok$/, "");
}

Deno.test("(2) (3) (25) check finds every object that is empty, cut or longer than it was", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const key of scene.keysOf(...ALL_KINDS)) {
      await t.step(key.slice(0, 20), async () => {
        const data = scene.state.get(key)!;
        const half = data.slice(0, data.length / 2);
        for (const bytes of [data.slice(0, 0), half, data.slice(0, -1), Uint8Array.from([...data, 7])]) {
          const { errors } = await checkDamaged(scene, new Map(scene.state).set(key, bytes));
          const what = `${bytes.length} of ${data.length} bytes: ${JSON.stringify(errors)}`;
          deepEqual(errors.map(({ object }) => object), [subject(key)], what);
        }
      });
    }
  });
});

Deno.test("(27) check finds any two objects of a kind that were swapped", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const type of ALL_KINDS) {
      const [first, second] = scene.keysOf(type);
      if (second === undefined) continue;
      await t.step(type, async () => {
        const damaged = new Map(scene.state);
        damaged.set(first, scene.state.get(second)!).set(second, scene.state.get(first)!);
        const { errors } = await checkDamaged(scene, damaged);
        deepEqual(errors.map(({ object }) => object).sort(), [subject(first), subject(second)]);
      });
    }
  });
});

Deno.test("(26) (27) check finds an object that took the place of one of another kind", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const type of ALL_KINDS) {
      for (const other of ALL_KINDS) {
        if (type === other) continue;
        const key = scene.keysOf(type).at(-1)!;
        const damaged = new Map(scene.state).set(key, scene.state.get(scene.keysOf(other)[0])!);
        const { errors } = await checkDamaged(scene, damaged);
        deepEqual(errors.map(({ object }) => object), [subject(key)], `${other} as ${type}`);
      }
    }
  });
});

Deno.test("check finds what is gone: config, keyring, slot, manifest and every pack that a snapshot needs", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    const { slotId } = (await opened(store)).opened;
    for (const key of scene.keysOf("config", "keyring", "slot", "pack", "snapshot")) {
      if (key.startsWith(PREFIX.keys) && !key.endsWith(slotId)) continue;
      if (key.startsWith(PREFIX.snapshots) && !scene.state.has(`${key}.ok`)) continue;
      const damaged = new Map(scene.state);
      damaged.delete(key);
      const { errors } = await checkDamaged(scene, damaged);
      deepEqual(errors.map(({ object }) => object), [key]);
    }
  });
});

/** What a restore of everything fails at, by path; what it does not fail at must be right. */
async function restoreFailures(
  repository: Repository,
  scene: EveryKind,
  folder: string,
): Promise<Map<string, string[]>> {
  const failures = new Map<string, string[]>();
  const { snapshots } = await repository.snapshots();
  for (const [i, stored] of snapshots.entries()) {
    const paths: string[] = [];
    const target = await Deno.makeTempDir({ prefix: "axiom-faults-" });
    try {
      const onEvent = (event: AxiomEvent) => {
        if (event.type === "error") paths.push(`${folder}/${event.path}`);
      };
      await bringBack(repository, stored, folder, target, { onEvent });
      const picture = pictureOfFolder(files, target);
      for (const [path, line] of scene.pictures[i]) {
        const isLost = paths.some((lost) => `${folder}/${path}/`.startsWith(`${lost}/`));
        if (!isLost && !line.includes('"type":"dir"')) equal(withoutGroup(picture.get(path)), withoutGroup(line), path);
      }
    } catch (error) {
      ok(error instanceof AxiomError, String(error));
      paths.push(folder);
    } finally {
      await Deno.remove(target, { recursive: true });
    }
    failures.set(stored.id, paths.sort());
  }
  return failures;
}

/** Which name of a hard link comes first may differ where one was not restored. */
function withoutGroup(line: string | undefined): string | undefined {
  return line?.replace(/"group":"[^"]*",/, "");
}

Deno.test("(43) what check says is affected is exactly what a restore fails at", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const key of scene.keysOf("pack")) {
      const { length } = scene.state.get(key)!;
      const ways: [string, (store: MemoryStore) => Promise<void>][] = [
        ["is gone", (store) => store.remove(key)],
        ["has a bad first frame", (store) => flipBit(store, key, 8 * 40)],
        ["has a bad frame in the middle", (store) => flipBit(store, key, 8 * Math.floor(length / 2))],
        ["has a bad table", (store) => flipBit(store, key, 8 * (length - 100))],
      ];
      for (const [name, damage] of ways) {
        await t.step(`${key.slice(0, 12)} ${name}`, async () => {
          const store = storeOf(scene.state);
          await damage(store);
          const repository = await opened(store);
          const { errors } = await check(repository, ALL, context);
          equal(errors.length, 1, JSON.stringify(errors));
          const expected = await restoreFailures(await opened(store), scene, folder);
          for (const [id, paths] of expected) {
            const affected = errors[0].affected.filter(({ snapshotId }) => snapshotId === id).map(({ path }) => path);
            const root = affected.some((path) => folder.startsWith(path === "/" ? "" : path));
            deepEqual(root ? [folder] : withoutLinks(affected), withoutLinks(paths));
          }
        });
      }
    }
  });
});

/** A restore fails at the first name of a hard link and says of the others only that. */
function withoutLinks(paths: string[]): string[] {
  return [...new Set(paths.map((path) => path.replace("/c/noise", "/a/noise")))].sort();
}

Deno.test("(28) a record of the ledger that was taken away is missed", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    const { sealer } = await opened(store);
    const record = (await readLedger(store, sealer)).records[0].record;
    for (let i = 0; i < 3; i++) await appendLedger(store, sealer, record);
    deepEqual((await check(await opened(store), {}, context)).errors, []);
    await store.remove("ledger/0000000002");
    const { errors } = await check(await opened(store), {}, context);
    deepEqual(errors.map(({ object }) => object), ["ledger/0000000002"]);
  });
});

Deno.test("a damaged pack of which everything has another copy is an error that affects nothing", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { "a": noise("a", 30_000), "b/c": "text" });
    const store = storeOf(await emptyRepository(SMALL_PACKS));
    const [first] = await savedInTwoPacks(store, folder);
    deepEqual((await check(await opened(store), ALL, context)).errors, []);
    await flipBit(store, first, 8 * 30);
    const repository = await opened(store);
    const { errors } = await check(repository, ALL, context);
    deepEqual(errors.map(({ kind, object }) => [kind, object]), [["pack_damaged", first]]);
    const data = errors[0].affected.filter(({ path }) => path.startsWith(folder));
    deepEqual(data, []);
  });
});

Deno.test("(43) many folders in one damaged frame are one error, also where the packs are not read in full", async () => {
  await withFolder(async (folder) => {
    for (let i = 0; i < 40; i++) writeFiles(folder, { [`d${i}/file`]: noise(`file ${i}`, 2000) });
    const store = storeOf(await emptyRepository(SMALL_PACKS));
    await save(await opened(store), folder);
    await save(await opened(store), folder);
    const repository = await opened(store);
    const frames: { key: string; offset: number; documents: number }[] = [];
    for (const pack of (await repository.loadIndex()).index.packs()) {
      for (const { kind, offset, chunks } of (await repository.packs.table(pack)).frames) {
        if (kind === ChunkKind.tree) frames.push({ key: packKey(pack.name), offset, documents: chunks.length });
      }
    }
    // How the documents are spread over packs and frames differs from run to run.
    const { key, offset, documents } = frames.reduce((a, b) => a.documents > b.documents ? a : b);
    ok(documents > 1);
    await flipBit(store, key, 8 * (offset + 40));
    const { errors } = await check(await opened(store), {}, context);
    deepEqual(errors.map(({ kind, object }) => [kind, object]), [["pack_damaged", key]]);
    ok(errors[0].affectedCount > 0);
  });
});

Deno.test("(43) damage in padding affects nothing, and only reading all data finds it", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const repository = await opened(storeOf(scene.state));
    const { index } = await repository.loadIndex();
    for (const pack of index.packs()) {
      const table = await repository.packs.table(pack);
      const end = Math.max(...table.frames.map(({ offset, storedBytes }) => offset + storedBytes));
      const key = scene.keysOf("pack").find((key) => key.endsWith(pack.name))!;
      if (end >= pack.storedBytes - pack.tableBytes - 64) continue;
      const store = storeOf(scene.state);
      await flipBit(store, key, 8 * end);
      deepEqual((await check(await opened(store), {}, context)).errors, []);
      const { errors } = await check(await opened(store), ALL, context);
      deepEqual(errors.map(({ object, affectedCount }) => [object, affectedCount]), [[key, 0]]);
      ok(errors[0].message.includes("padding"), errors[0].message);
    }
  });
});

Deno.test("a part of the data is read in every n-th run, a sample says its seed", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const repository = await opened(storeOf(scene.state));
    const [whole] = [await check(repository, ALL, context)];
    let packsRead = 0;
    for (const part of [1, 2, 3]) {
      const found = await check(repository, { readData: { kind: "part", part, of: 3 } }, context);
      packsRead += found.packsRead;
      equal(found.seed, null);
    }
    equal(packsRead, whole.packsRead);
    const sample = await check(repository, { readData: { kind: "bytes", bytes: 1, seed: "abc" } }, context);
    deepEqual([sample.packsRead, sample.seed], [1, "abc"]);
  });
});

Deno.test("check notes what does not belong here, what was left behind and what nobody needs", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    for (const key of scene.keysOf("session")) await store.remove(key);
    for (const key of ["readme", "index/abc", "packs/00/x", "damaged/index-abc.00"]) await store.put(key, utf8("x"));
    const { snapshots } = await (await opened(store)).snapshots();
    for (const end of ["", ".ok"]) await store.remove(`${PREFIX.snapshots}${snapshots[1].id}${end}`);
    const found = await check(await opened(store), {}, { ...context, foreignPaths: () => ["packs/.DS_Store"] });
    deepEqual(found.errors, []);
    const codes = found.notes.map(({ code, object }) => `${code} ${object}`);
    for (
      const note of [
        "foreign_object readme",
        "foreign_object index/abc",
        "foreign_object packs/00/x",
        "foreign_object packs/.DS_Store",
        "set_aside damaged/",
        "heartbeats_left sessions/0123456789abcdef0123456789abcdef",
        "snapshot_abandoned snapshots/0123456789abcdef0123456789abcdef",
      ]
    ) ok(codes.includes(note), `${note} is not in ${codes}`);
    ok(found.packsUnused > 0 && found.bytesUnused > 0);
  });
});

Deno.test("packs that no index object describes are a note, and read from their own tables", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const store = storeOf(scene.state);
    for (const key of scene.keysOf("index")) await store.remove(key);
    const found = await check(await opened(store), ALL, context);
    deepEqual(found.errors, []);
    ok(found.notes.some(({ code }) => code === "unindexed_packs"));
  });
});

/** Lets another client act at the first call that `when` says. */
class Interposed extends ForwardingStore {
  #acted = false;

  constructor(
    inner: ObjectStore,
    readonly when: (call: string, key: string) => boolean,
    readonly act: () => Promise<unknown>,
  ) {
    super(inner);
  }

  async #maybe(call: string, key: string): Promise<void> {
    if (this.#acted || !this.when(call, key)) return;
    this.#acted = true;
    await this.act();
  }

  override async get(key: string, range: ByteRange | "all", signal?: AbortSignal) {
    await this.#maybe("get", key);
    return await super.get(key, range, signal);
  }

  override async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo> {
    await this.#maybe("list", prefix);
    yield* super.list(prefix, signal);
  }
}

Deno.test("(28) check is not misled by clients that compact, delete or back up while it reads", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const moments: [string, (call: string, key: string) => boolean][] = [
      ["before the snapshots are listed", (call, key) => call === "list" && key === PREFIX.snapshots],
      ["before the index is listed", (call, key) => call === "list" && key === PREFIX.index],
      ["before an index object is read", (call, key) => call === "get" && key.startsWith(PREFIX.index)],
      ["before the packs are listed", (call, key) => call === "list" && key === PREFIX.packs],
      ["before a pack is read", (call, key) => call === "get" && key.startsWith(PREFIX.packs)],
    ];
    const acts: [string, (store: MemoryStore) => Promise<unknown>][] = [
      ["another backup", async (store) => save(await opened(store), folder, { force: true })],
      ["a compaction", async (store) => {
        const options = { dryRun: false, partitionBytes: 1000 };
        await repairIndex(await opened(store), options, context);
      }],
      ["all packs under other names", (store) => repackAll(store, folder)],
      ["a snapshot and its packs gone", (store) => forgetNewest(store, scene)],
    ];
    for (const [when, isMoment] of moments) {
      for (const [what, act] of acts) {
        await t.step(`${what} ${when}`, async () => {
          const inner = storeOf(scene.state);
          // A compaction needs something to do.
          if (what === "a compaction") await inner.remove(scene.keysOf("index")[0]);
          const store = new Interposed(inner, isMoment, () => act(inner));
          const { errors } = await check(await opened(store), ALL, context);
          deepEqual(errors, []);
        });
      }
    }
  });
});

/** What a prune that copies everything does, as far as a reader can see it. */
async function repackAll(store: MemoryStore, folder: string): Promise<void> {
  const old = await Array.fromAsync(store.list(PREFIX.packs));
  const oldIndexes = await Array.fromAsync(store.list(PREFIX.index));
  const state = store.snapshot();
  const snapshots = [...state].filter(([key]) => key.startsWith(PREFIX.snapshots));
  for (const { key } of [...old, ...oldIndexes]) await store.remove(key);
  await save(await opened(store), folder, { force: true });
  // Of what is only in earlier snapshots there is no other source: those snapshots are forgotten.
  for (const [key] of snapshots) await store.remove(key);
}

async function forgetNewest(store: MemoryStore, scene: EveryKind): Promise<void> {
  const repository = await opened(store);
  const { snapshots } = await repository.snapshots();
  const { id } = snapshots.at(-1)!;
  await store.remove(`${PREFIX.snapshots}${id}.ok`);
  await store.remove(`${PREFIX.snapshots}${id}`);
  await store.remove(scene.keysOf("heartbeat")[0]);
  const { index, listed } = await repository.loadIndex();
  const needed = new Set<string>();
  const left = await check(repository, {}, context);
  if (left.packsUnused === 0) return;
  for (const { name } of index.packs()) if (listed.has(name)) needed.add(name);
}

Deno.test("a pack that the disk fails at is an error, a store that fails altogether ends the check", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const [bad] = scene.keysOf("pack");
    const failing = (isBad: (key: string) => boolean) =>
      new class extends ForwardingStore {
        override get(key: string, range: ByteRange | "all", signal?: AbortSignal) {
          if (!isBad(key)) return super.get(key, range, signal);
          return Promise.reject(new AxiomError("storage_failed", `Cannot read ${key}: EIO`));
        }
      }(storeOf(scene.state));
    for (const options of [{}, ALL]) {
      const { errors } = await check(await opened(failing((key) => key === bad)), options, context);
      deepEqual(errors.map(({ kind, object }) => [kind, object]), [["pack_unreadable", bad]]);
      ok(errors[0].affectedCount > 0);
    }
    let works = true;
    const repository = await opened(failing((key) => !works && !key.startsWith("keys/")));
    works = false;
    equal((await errorOf(check(repository, {}, context))).kind, "storage_failed");
  });
});

Deno.test("a check that is interrupted ends with that", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    const repository = await opened(storeOf(scene.state));
    const abort = new AbortController();
    const onEvent = () => abort.abort();
    const error = await errorOf(
      check(repository, ALL, { ...context, onEvent, signal: abort.signal }).catch((error) => {
        throw error instanceof AxiomError ? new AxiomError(error.kind, `Cannot go on: ${error.message}`) : error;
      }),
    );
    equal(error.kind, "interrupted");
  });
});
