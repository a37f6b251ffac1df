import { deepStrictEqual as deepEqual, fail, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { fromHex } from "../base/bytes.ts";
import { ignoreEvents } from "../base/events.ts";
import { everyCrash } from "../../tests/faults/every_crash.ts";
import { writeFiles } from "../../tests/faults/source_folder.ts";
import {
  emptyRepository,
  IDENTITY,
  opened,
  save,
  SMALL_PACKS,
  withFolder,
} from "../../tests/faults/test_repository.ts";
import { ForwardingStore } from "../storage/forwarding.ts";
import { type MemoryState, memoryStore } from "../storage/memory.ts";
import { AxiomError } from "../base/errors.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { encodeCondemned } from "../repository/condemned.ts";
import { readLedger } from "../repository/ledger.ts";
import type { Repository } from "../repository/repository.ts";
import { SnapshotCommit, type StoredSnapshot } from "../repository/snapshots.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { ReachableChunks } from "./reachable_chunks.ts";
import { checkTag, type TagOptions, tagSnapshots, type TagSummary } from "./tag.ts";

const context = { onEvent: ignoreEvents, identity: IDENTITY };
const files = openFileSystem();

/** A repository with snapshots of two folders, tagged `a` and `b`. */
async function twoSnapshots(): Promise<MemoryState> {
  const store = memoryStore();
  store.restore(await emptyRepository(SMALL_PACKS));
  await withFolder(async (folder) => {
    writeFiles(folder, { "one/file": "one", "two/file": "two" });
    await save(await opened(store), `${folder}/one`, { tags: ["a"], files });
    await save(await opened(store), `${folder}/two`, { tags: ["b"], files });
  });
  return store.snapshot();
}

async function snapshotsOf(repository: Repository): Promise<StoredSnapshot[]> {
  return (await repository.snapshots()).snapshots;
}

async function tag(store: ObjectStore, options: Omit<TagOptions, "snapshots">): Promise<TagSummary> {
  const repository = await opened(store);
  return await tagSnapshots(repository, { snapshots: await snapshotsOf(repository), ...options }, context);
}

function shown(snapshots: readonly StoredSnapshot[]): string[] {
  return snapshots.map(({ snapshot }) => snapshot.tags.join(","));
}

Deno.test("tags are added, removed and set; snapshots that have them already keep their ids", async () => {
  const store = memoryStore();
  store.restore(await twoSnapshots());
  const repository = await opened(store);
  const before = await snapshotsOf(repository);
  const added = await tag(store, { add: ["b", "c"], remove: ["x"] });
  deepEqual(shown(await snapshotsOf(repository)), ["a,b,c", "b,c"]);
  equal(added.changed.length, 2);
  const removed = await tag(store, { remove: ["a"] });
  deepEqual(shown(await snapshotsOf(repository)), ["b,c", "b,c"]);
  deepEqual([removed.changed.length, removed.unchanged.length], [1, 1]);
  await tag(store, { set: [] });
  const after = await snapshotsOf(repository);
  deepEqual(shown(after), ["", ""]);
  deepEqual(after.map(({ snapshot }) => snapshot.original), before.map(({ id }) => id));
  deepEqual((await tag(store, { set: [] })).changed, []);
  const keys = [...store.snapshot().keys()];
  equal(keys.filter((key) => key.startsWith("snapshots/")).length, 4);
  equal(keys.filter((key) => key.startsWith("sessions/")).length, 0);
  const { records } = await readLedger(store, repository.sealer);
  deepEqual(records.map(({ record }) => record.removed.length), [2, 1, 2]);
  const replaced = records.flatMap(({ record }) => record.removed);
  deepEqual(replaced.slice(0, 2).map(({ id }) => id).sort(), before.map(({ id }) => id).sort());
  deepEqual(replaced.slice(-2).map((each) => each.replaced_by).sort(), after.map(({ id }) => id).sort());
  const { client, host, user } = IDENTITY;
  deepEqual([records[0].record.by, records[0].record.reason], [{ client, host, user }, "tag"]);
});

Deno.test("(41) everything else in a manifest stays, also what a later version wrote", async () => {
  const store = memoryStore();
  store.restore(await twoSnapshots());
  const repository = await opened(store);
  const [{ snapshot }] = await snapshotsOf(repository);
  const later: Snapshot = { ...snapshot, time: "9".repeat(19), later: { nested: ["kept", null] } };
  const commit = new SnapshotCommit(store, repository.sealer, "f".repeat(32), later);
  await commit.putManifest();
  await commit.putMarker();
  await tag(store, { add: ["new"] });
  const renewed = (await snapshotsOf(repository)).at(-1)!;
  const { session, ...rest } = renewed.snapshot;
  ok(session !== snapshot.session, "the manifest names the session that wrote it");
  const { session: _, ...expected } = { ...later, tags: ["a", "new"], original: "f".repeat(32) };
  deepEqual(rest, expected);
});

Deno.test("(1) a change of tags that dies at any storage call leaves the old, both or the new; the next one ends it", async () => {
  const before = await twoSnapshots();
  const original = memoryStore();
  original.restore(before);
  const old = await snapshotsOf(await opened(original));
  const points = await everyCrash({
    before,
    async run(store) {
      const repository = await opened(store);
      await tagSnapshots(repository, { snapshots: await snapshotsOf(repository), add: ["new"] }, context);
    },
    async examine(store, { endedWell }) {
      const repository = await opened(store);
      const list = await repository.snapshots();
      deepEqual(list.damaged.filter(({ id }) => old.some((each) => each.id === id)), []);
      for (const { id, snapshot } of old) {
        const heirs = list.snapshots.filter((each) => each.id === id || each.snapshot.original === id);
        ok(heirs.length === 1 || heirs.length === 2, `${heirs.length} snapshots in place of ${id}`);
        for (const heir of heirs) equal(heir.snapshot.root, snapshot.root);
        if (endedWell) deepEqual(heirs.map((each) => each.snapshot.tags.includes("new")), [true]);
        if (!heirs.some((each) => each.id === id)) {
          const { records } = await readLedger(store, repository.sealer);
          ok(
            records.some(({ record }) => record.removed.some((removed) => removed.id === id)),
            "gone without a record",
          );
        }
      }
      await tag(store, { add: ["new"] });
      const healed = (await repository.snapshots()).snapshots;
      deepEqual(shown(healed), ["a,new", "b,new"]);
      deepEqual(healed.map(({ snapshot }) => snapshot.original), old.map(({ id }) => id));
    },
  });
  ok(points > 40, `${points} crash points`);
});

/** Calls back after each put, as another client that looks at the store then. */
class WatchedStore extends ForwardingStore {
  constructor(inner: ObjectStore, readonly after: (key: string) => Promise<void>) {
    super(inner);
  }

  override async put(...args: Parameters<ObjectStore["put"]>): Promise<void> {
    await this.inner.put(...args);
    await this.after(args[0]);
  }
}

const FENCED = [
  { name: "before the manifest", at: /^sessions\/[0-9a-f]{32}$/ },
  { name: "between manifest and marker", at: /^snapshots\/[0-9a-f]{32}$/ },
  { name: "after the marker", at: /^snapshots\/[0-9a-f]{32}\.ok$/ },
];

for (const { name, at } of FENCED) {
  Deno.test(`(4) a session that is fenced ${name} takes its manifest back and starts over`, async () => {
    const store = memoryStore();
    store.restore(await twoSnapshots());
    let left = 1;
    const fence = async (key: string) => {
      if (!at.test(key) || left-- <= 0) return;
      for await (const session of store.list("sessions/")) await store.remove(session.key);
    };
    await tag(new WatchedStore(store, fence), { add: ["new"] });
    const repository = await opened(store);
    deepEqual(shown(await snapshotsOf(repository)), ["a,new", "b,new"]);
    deepEqual((await repository.snapshots()).unfinished, []);
    left = Infinity;
    const again = tag(new WatchedStore(store, fence), { add: ["newer"] });
    await rejects(again, { kind: "session_fenced" });
    const list = await repository.snapshots();
    deepEqual(shown(list.snapshots), ["a,new", "b,new"]);
    deepEqual([list.unfinished, list.orphans], [[], []]);
  });
}

Deno.test("(9) tags are not changed while a deletion may take what the snapshot needs", async () => {
  const store = memoryStore();
  store.restore(await twoSnapshots());
  const repository = await opened(store);
  const [first, second] = await snapshotsOf(repository);
  const view = await repository.loadIndex();
  const packsOf = async ({ snapshot }: StoredSnapshot) => {
    const chunks = new ReachableChunks(repository.trees(view), {
      expectedChunks: 100,
      onDamage: (error) => fail(error),
    });
    const packs = new Set<string>();
    for await (const { id } of chunks.below(snapshot.root)) packs.add(view.index.lookup(fromHex(id))[0].pack.name);
    return packs;
  };
  const others = await packsOf(first);
  const doomed = [...await packsOf(second)].filter((name) => !others.has(name));
  ok(doomed.length > 0);
  const key = "condemned/x";
  await store.put(key, await repository.sealer.seal("condemned", key, encodeCondemned(doomed)));
  await rejects(tagSnapshots(repository, { snapshots: [second], add: ["new"] }, context), { kind: "storage_busy" });
  deepEqual(shown(await snapshotsOf(repository)), ["a", "b"]);
  await tagSnapshots(repository, { snapshots: [first], add: ["new"] }, context);
  deepEqual(shown(await snapshotsOf(repository)), ["a,new", "b"]);
});

Deno.test("(36) a store that lets nothing go keeps both, and says so", async () => {
  const store = memoryStore();
  store.restore(await twoSnapshots());
  class Retaining extends ForwardingStore {
    override remove(key: string): Promise<void> {
      if (!key.startsWith("snapshots/")) return this.inner.remove(key);
      return Promise.reject(new AxiomError("storage_denied", `Cannot remove ${key}: retained`));
    }
  }
  const summary = await tag(new Retaining(store), { add: ["new"] });
  equal(summary.remaining.length, 2);
  deepEqual(shown(await snapshotsOf(await opened(store))).sort(), ["a", "a,new", "b", "b,new"]);
  deepEqual((await tag(store, { add: ["new"] })).changed.length, 2);
  deepEqual(shown(await snapshotsOf(await opened(store))), ["a,new", "b,new"]);
});

Deno.test("a snapshot that another client removed meanwhile is not brought back", async () => {
  const store = memoryStore();
  store.restore(await twoSnapshots());
  const repository = await opened(store);
  const [first, second] = await snapshotsOf(repository);
  await new SnapshotCommit(store, repository.sealer, first.id, first.snapshot).withdraw();
  const tagged = tagSnapshots(repository, { snapshots: [second, first], add: ["new"] }, context);
  await rejects(tagged, { kind: "snapshot_missing" });
  deepEqual(shown(await snapshotsOf(repository)), ["b,new"]);
});

Deno.test("an interrupted change of tags ends what was committed", async () => {
  const store = memoryStore();
  store.restore(await twoSnapshots());
  const controller = new AbortController();
  const watched = new WatchedStore(store, (key) => {
    if (key.endsWith(".ok")) controller.abort();
    return Promise.resolve();
  });
  const repository = await opened(watched);
  const options = { snapshots: await snapshotsOf(repository), add: ["new"] };
  const running = tagSnapshots(repository, options, { ...context, signal: controller.signal });
  await rejects(running, { kind: "interrupted" });
  deepEqual(shown(await snapshotsOf(repository)), ["a,new", "b"]);
  equal([...store.snapshot().keys()].filter((key) => key.startsWith("sessions/")).length, 0);
});

Deno.test("tags that a list could not hold are refused", async () => {
  for (const bad of ["", " ", " a", "a ", "a,b", "a\nb", "a\u0000", "x".repeat(300), "\ud800"]) {
    let kind: string | undefined;
    try {
      checkTag(bad);
    } catch (error) {
      kind = (error as AxiomError).kind;
    }
    equal(kind, "usage", JSON.stringify(bad));
  }
  for (const good of ["a", "a b", "ünï", "2026-11-22", "x".repeat(256)]) checkTag(good);
  const store = memoryStore();
  store.restore(await twoSnapshots());
  await rejects(tag(store, {}), { kind: "usage" });
  await rejects(tag(store, { set: ["a"], add: ["b"] }), { kind: "usage" });
  await rejects(tag(store, { add: ["a,b"] }), { kind: "usage" });
});
