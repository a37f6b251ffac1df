import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { PREFIX } from "../../src/model/object_keys.ts";
import { check } from "../../src/operations/check.ts";
import { repairPacks } from "../../src/operations/repair_packs.ts";
import { repairSnapshots, type RepairSnapshotsSummary } from "../../src/operations/repair_snapshots.ts";
import { walkTree } from "../../src/operations/tree_walk.ts";
import { encodeCondemned } from "../../src/repository/condemned.ts";
import { readLedger } from "../../src/repository/ledger.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { type MemoryState, type MemoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { flipBit } from "./damage.ts";
import { everyCrash } from "./every_crash.ts";
import { type EveryKind, everyKind } from "./every_kind.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfSnapshot } from "./pictures.ts";
import { IDENTITY, opened, save, storeOf, STYLE, withFolder } from "./test_repository.ts";

const context = { pool: () => inProcessPool(), identity: IDENTITY, onEvent: () => {} };
const REPAIR = { keepFiles: false, forget: false, dryRun: false, metadataStyle: STYLE };
/** What a call has done in whole is what the next one finds that does nothing. */
const EFFECTS = ["none", "torn"] as const;

async function repair(store: ObjectStore, options = {}): Promise<RepairSnapshotsSummary> {
  return await repairSnapshots(await opened(store), { ...REPAIR, ...options }, context);
}

/** Stores of which one pack is gone, each with the roots of all snapshots still readable. */
async function* withoutOnePack(scene: EveryKind): AsyncGenerator<{ key: string; store: MemoryStore }> {
  for (const key of scene.keysOf("pack")) {
    const store = storeOf(scene.state);
    await store.remove(key);
    yield { key, store };
  }
}

async function readable(repository: Repository, stored: StoredSnapshot, folder: string): Promise<Picture | undefined> {
  try {
    return await pictureOfSnapshot(repository, stored, folder);
  } catch {
    return undefined;
  }
}

Deno.test("repair snapshots does nothing where nothing is lost", async () => {
  await withFolder(async (folder) => {
    const { state } = await everyKind(folder);
    const store = storeOf(state);
    const done = await repair(store);
    deepEqual([done.repairs, done.snapshotsChecked], [[], 2]);
    deepEqual((await (await opened(store)).snapshots()).snapshots.length, 2);
  });
});

Deno.test("repair snapshots makes new snapshots without what is lost, says what that is, and keeps the old ones", async (t) => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    let repaired = 0;
    const untouched = await opened(storeOf(scene.state));
    for (const stored of (await untouched.snapshots()).snapshots) await demandCounts(untouched, stored);
    for await (const { key, store } of withoutOnePack(scene)) {
      await t.step(key.slice(0, 12), async () => {
        const before = store.snapshot();
        const { errors } = await check(await opened(store), {}, context);
        const planned = await repair(store, { dryRun: true });
        deepEqual(store.snapshot(), before, "a dry run changes nothing");
        const done = await repair(store);
        const withoutIds = ({ repairs }: RepairSnapshotsSummary) =>
          repairs.map((one) => ({ ...one, newSnapshotId: null }));
        deepEqual(withoutIds(done), withoutIds(planned));
        const repository = await opened(store);
        const { snapshots } = await repository.snapshots();
        for (const { snapshotId, newSnapshotId, reason, dropped, droppedCount } of done.repairs) {
          const old = snapshots.find(({ id }) => id === snapshotId)!;
          const affected = errors.flatMap((error) => error.affected).filter((path) => path.snapshotId === snapshotId);
          deepEqual(dropped.map(({ path }) => path).sort(), [...new Set(affected.map(({ path }) => path))].sort());
          equal(droppedCount, dropped.length);
          equal(reason === null, newSnapshotId !== null);
          if (newSnapshotId === null) continue;
          repaired++;
          const fresh = snapshots.find(({ id }) => id === newSnapshotId)!;
          deepEqual(fresh.snapshot.tags, ["repaired"]);
          equal(fresh.snapshot.original, snapshotId);
          equal(fresh.snapshot.time, old.snapshot.time);
          deepEqual(fresh.snapshot.faults!.map(({ path }) => path), dropped.map(({ path }) => path));
          await demandCounts(repository, fresh);
          await demandRest(repository, scene, fresh, dropped.map(({ path }) => path), folder);
        }
        const again = await repair(store);
        deepEqual(again.repairs.map((one) => one.newSnapshotId), done.repairs.map((one) => one.newSnapshotId));
        equal((await (await opened(store)).snapshots()).snapshots.length, snapshots.length, "made once only");
      });
    }
    ok(repaired > 2, `${repaired} snapshots could be repaired`);
  });
});

/** The statistics are those of what the snapshot holds. */
async function demandCounts(repository: Repository, { snapshot }: StoredSnapshot): Promise<void> {
  const counts = { files: 0, dirs: 0, others: 0, bytes: 0 };
  const trees = repository.trees(await repository.loadIndex());
  for await (const { path, entry } of walkTree(trees, snapshot.root, "/", context)) {
    if (entry.type === "file") counts.files++;
    else if (entry.type !== "dir") counts.others++;
    else if (snapshot.paths.some((source) => path === source || path.startsWith(`${source}/`))) counts.dirs++;
    counts.bytes += entry.type === "file" ? Number(entry.size) : 0;
  }
  const { files, dirs, others, bytes } = snapshot.statistics;
  deepEqual({ files, dirs, others, bytes }, counts);
}

/** Everything that was not dropped is as it was. */
async function demandRest(
  repository: Repository,
  scene: EveryKind,
  fresh: StoredSnapshot,
  dropped: readonly string[],
  folder: string,
): Promise<void> {
  if (dropped.some((path) => folder === path || folder.startsWith(`${path}/`))) return;
  const { snapshots } = await repository.snapshots();
  const old = snapshots.findIndex(({ id }) => id === fresh.snapshot.original);
  const number = snapshots.filter(({ snapshot }) => snapshot.original === undefined).indexOf(snapshots[old]);
  const picture = await pictureOfSnapshot(repository, fresh, folder);
  const isDropped = (path: string) => dropped.some((lost) => `${folder}/${path}/`.startsWith(`${lost}/`));
  const expected = [...scene.pictures[number]].filter(([path]) => !isDropped(path));
  deepEqual([...picture.keys()], expected.map(([path]) => path));
  for (const [path, line] of expected) equal(withoutGroup(picture.get(path)!), withoutGroup(line), path);
}

/** The first name of a hard link may be among what was dropped. */
function withoutGroup(line: string): string {
  return line.replace(/"group":"[^"]*",/, "");
}

Deno.test("files whose content is lost can be kept, in the hope that a backup brings it back, as it does", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    let kept = 0;
    for await (const { store } of withoutOnePack(scene)) {
      const dropping = await repair(store, { dryRun: true });
      const keeping = await repair(store, { dryRun: true, keepFiles: true });
      const files = dropping.repairs.flatMap(({ dropped }) => dropped).filter(({ what }) => what === "file").length;
      const others = keeping.repairs.flatMap(({ dropped }) => dropped);
      deepEqual(others.filter(({ what }) => what === "file"), []);
      kept += files;
      const done = await repair(store, { keepFiles: true });
      await save(await opened(store), folder);
      const repository = await opened(store);
      const { snapshots } = await repository.snapshots();
      for (const { newSnapshotId } of done.repairs) {
        if (newSnapshotId === null) continue;
        const fresh = snapshots.find(({ id }) => id === newSnapshotId)!;
        ok(await readable(repository, fresh, folder) !== undefined || fresh.snapshot.original === snapshots[0].id);
      }
    }
    ok(kept > 5, `${kept} files were kept`);
  });
});

Deno.test("with forget the old snapshot goes once the new one counts, and the ledger says so", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for await (const { store } of withoutOnePack(scene)) {
      const ledgerBefore = (await readLedger(store, (await opened(store)).sealer)).records.length;
      // Also where a run before it has made the new one already.
      await repair(store);
      const done = await repair(store, { forget: true });
      const repository = await opened(store);
      const { snapshots } = await repository.snapshots();
      const ids = snapshots.map(({ id }) => id);
      const { records } = await readLedger(store, repository.sealer);
      const removed = records.slice(ledgerBefore).flatMap(({ record }) => record.removed);
      for (const { snapshotId, newSnapshotId, forgotten } of done.repairs) {
        ok(forgotten && !ids.includes(snapshotId));
        ok(newSnapshotId === null || ids.includes(newSnapshotId));
        ok(removed.some((one) => one.id === snapshotId && (one.replaced_by ?? null) === newSnapshotId));
      }
      equal(removed.length, done.repairs.filter(({ forgotten }) => forgotten).length);
      deepEqual((await check(repository, {}, context)).errors.flatMap(({ affected }) => affected), []);
    }
  });
});

Deno.test("(1) repair snapshots that dies at any storage call leaves old, both or new, and the next one ends its work", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    let before: MemoryState | undefined;
    for await (const { store } of withoutOnePack(scene)) {
      const planned = await repair(store, { dryRun: true });
      if (planned.repairs.length > 0 && planned.repairs.every(({ reason }) => reason === null)) {
        before = store.snapshot();
      }
    }
    ok(before !== undefined);
    const points = await everyCrash({
      before,
      effects: EFFECTS,
      run: async (store) => await repair(store, { forget: true }),
      async examine(store) {
        const { snapshots } = await (await opened(store)).snapshots();
        for (const number of [0, 1]) {
          const time = (await (await opened(storeOf(scene.state))).snapshots()).snapshots[number].snapshot.time;
          ok(snapshots.some(({ snapshot }) => snapshot.time === time), `snapshot ${number} is gone`);
        }
        await repair(store, { forget: true });
        const { errors } = await check(await opened(store), {}, context);
        deepEqual(
          errors.filter(({ kind }) => !["session_damaged", "object_damaged", "snapshot_damaged"].includes(kind)),
          [],
        );
        const after = (await (await opened(store)).snapshots()).snapshots;
        equal(after.length, 2);
      },
    });
    console.log(`repair snapshots: ${points} crash points`);
  });
});

Deno.test("what repair packs has taken out of use is left out by repair snapshots, and then check finds nothing", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    for (const key of scene.keysOf("pack")) {
      const store = storeOf(scene.state);
      await flipBit(store, key, 8 * 40);
      const selection = { kind: "all" as const };
      await repairPacks(await opened(store), { selection, dryRun: false, metadataStyle: STYLE }, context);
      const done = await repair(store, { forget: true });
      const { errors } = await check(await opened(store), { readData: selection }, context);
      const unsaved = done.repairs.filter(({ reason }) => reason !== null).map(({ snapshotId }) => snapshotId);
      const affected = errors.flatMap((error) => error.affected).filter(({ snapshotId }) =>
        !unsaved.includes(snapshotId)
      );
      deepEqual(affected, []);
    }
  });
});

Deno.test("(4) while a deletion may take away what a new snapshot needs, none is made", async () => {
  await withFolder(async (folder) => {
    const scene = await everyKind(folder);
    let refused = 0;
    for await (const { store } of withoutOnePack(scene)) {
      const repository = await opened(store);
      const { repairs } = await repair(store, { dryRun: true });
      const key = `${PREFIX.condemned}1`;
      const { listed } = await repository.loadIndex();
      await store.put(key, await repository.sealer.seal("condemned", key, encodeCondemned([...listed.keys()])));
      const before = (await repository.snapshots()).snapshots.length;
      if (!repairs.some(({ reason }) => reason === null)) continue;
      equal((await errorOf(repair(store))).kind, "storage_busy");
      equal((await repository.snapshots()).snapshots.length, before);
      refused++;
    }
    ok(refused > 0);
  });
});
