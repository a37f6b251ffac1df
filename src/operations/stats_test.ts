import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { type AxiomEvent, ignoreEvents } from "../base/events.ts";
import { noise, writeFiles } from "../../tests/faults/source_folder.ts";
import { emptyRepository, opened, save, SMALL_PACKS, withFolder } from "../../tests/faults/test_repository.ts";
import { type EntrySpec, fakeContent, type FolderSpec, MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import { plant } from "../../tests/fixtures/tampering.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import type { Repository } from "../repository/repository.ts";
import { memoryStore } from "../storage/memory.ts";
import { SnapshotSizes } from "./snapshot_sizes.ts";
import { type RawStatistics, statistics } from "./stats.ts";

const files = openFileSystem();
const context = { onEvent: ignoreEvents };

function folder(entries: Record<string, EntrySpec>): FolderSpec {
  return new Map(Object.entries(entries));
}

Deno.test("sizes of snapshots: shared folders are read once, files with several names count once in each", async () => {
  const trees = new MemoryTrees();
  const linked = { ...fakeContent("linked"), links: 2, device: "1", inode: "7" };
  const plain = { children: folder({ a: fakeContent("12345"), b: fakeContent(""), c: { type: "fifo" } }) };
  const withLinks = { children: folder({ x: linked, y: linked }) };
  const first = await trees.snapshot(folder({ plain, again: plain, withLinks }));
  const second = await trees.snapshot(folder({ plain, withLinks, new: fakeContent("new") }));
  const sizes = new SnapshotSizes(trees.reader, context);
  deepEqual(await sizes.of(first.snapshot.root), { files: 6, dirs: 3, others: 2, bytes: 5 + 5 + 6 });
  deepEqual(await sizes.of(second.snapshot.root), { files: 5, dirs: 2, others: 1, bytes: 5 + 6 + 3 });
  const plainReads = trees.reads.filter((id, i, all) => all.indexOf(id) === i).map((id) =>
    trees.reads.filter((each) => each === id).length
  );
  deepEqual(plainReads.sort(), [1, 1, 1, 2]);
  await rejects(new SnapshotSizes(trees.reader, { ...context, signal: AbortSignal.abort() }).of(first.snapshot.root), {
    kind: "interrupted",
  });
});

async function savedTwice(run: (repository: Repository, folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (path) => {
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    const repository = await opened(store);
    writeFiles(path, {
      "a/text": Array.from({ length: 10_000 }, (_, line) => `line ${1000 + line}`.slice(0, 9).padEnd(10)).join(""),
      "a/noise": noise("noise", 200_000),
      "b/copy": "same",
      "c": "same",
    });
    await save(repository, path, { files });
    writeFiles(path, { "b/new": noise("new", 50_000), "b/copy": "other" });
    await save(repository, path, { files });
    await run(repository, path);
  });
}

Deno.test("restore-size of two snapshots, one by one and in all", async () => {
  await savedTwice(async (repository) => {
    const { snapshots } = await repository.snapshots();
    const sizes = await statistics(repository, { snapshots, mode: "restore-size" }, context);
    ok(sizes.mode === "restore-size");
    const bytes = [100_000 + 200_000 + 8, 100_000 + 200_000 + 50_000 + 9];
    deepEqual(sizes.snapshots.map((each) => [each.id, each.files, each.bytes]), [
      [snapshots[0].id, 4, bytes[0]],
      [snapshots[1].id, 5, bytes[1]],
    ]);
    deepEqual([sizes.files, sizes.bytes], [9, bytes[0] + bytes[1]]);
  });
});

Deno.test("files-by-contents counts equal files once, in one snapshot and over several", async () => {
  await savedTwice(async (repository) => {
    const { snapshots } = await repository.snapshots();
    const mode = "files-by-contents";
    const one = await statistics(repository, { snapshots: snapshots.slice(0, 1), mode }, context);
    deepEqual(one, { mode, snapshotCount: 1, files: 3, bytes: 300_004 });
    const both = await statistics(repository, { snapshots, mode }, context);
    deepEqual(both, { mode, snapshotCount: 2, files: 5, bytes: 350_009 });
  });
});

Deno.test("raw-data counts each chunk once, and of packs what is needed of them", async () => {
  await savedTwice(async (repository) => {
    const { snapshots } = await repository.snapshots();
    const raw = await statistics(repository, { snapshots, mode: "raw-data" }, context) as RawStatistics;
    const view = await repository.loadIndex();
    const lengths = [...view.index.entries()].map(({ place }) => place);
    const sum = (isTree: boolean) =>
      lengths.filter(({ kind }) => (kind === 1) === isTree).reduce((total, { length }) => total + length, 0);
    equal(raw.files.chunks + raw.trees.chunks, lengths.length);
    deepEqual([raw.files.plainBytes, raw.trees.plainBytes, raw.missing], [sum(false), sum(true), 0]);
    ok(raw.files.storedBytes > 250_000, "noise does not shrink");
    ok(raw.files.storedBytes < raw.files.plainBytes, "texts shrink");
    ok(raw.files.storedBytes + raw.trees.storedBytes < raw.packBytes);
    ok(raw.deduplicationRatio! > 1.7 && raw.deduplicationRatio! < 2, String(raw.deduplicationRatio));
    const stored = raw.files.storedBytes + raw.trees.storedBytes;
    equal(raw.compressionRatio, (raw.files.plainBytes + raw.trees.plainBytes) / stored);
    const first = await statistics(repository, { snapshots: snapshots.slice(0, 1), mode: "raw-data" }, context);
    ok(first.mode === "raw-data" && first.files.plainBytes < raw.files.plainBytes);
    const none = await statistics(repository, { snapshots: [], mode: "raw-data" }, context) as RawStatistics;
    deepEqual([none.files.chunks, none.compressionRatio, none.deduplicationRatio], [0, null, null]);
  });
});

Deno.test("statistics tell of what is missing", async () => {
  await withFolder(async (path) => {
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    writeFiles(path, { noise: noise("noise", 300_000) });
    await save(await opened(store), path, { files });
    const view = await (await opened(store)).loadIndex();
    for (const key of store.snapshot().keys()) if (key.startsWith("index/")) plant(store, key, undefined);
    const lost = [...view.listed.keys()].find((name) => view.index.pack(name)!.kinds === 1)!;
    plant(store, `packs/${lost.slice(0, 2)}/${lost}`, undefined);
    const repository = await opened(store);
    const { snapshots } = await repository.snapshots();
    const raw = await statistics(repository, { snapshots, mode: "raw-data" }, context) as RawStatistics;
    ok(raw.missing > 0);
    for (const name of view.listed.keys()) plant(store, `packs/${name.slice(0, 2)}/${name}`, undefined);
    const events: AxiomEvent[] = [];
    const onEvent = (event: AxiomEvent) => events.push(event);
    await statistics(await opened(store), { snapshots, mode: "restore-size" }, { onEvent });
    ok(events.some((event) => event.type === "error" && event.error.kind === "object_missing"));
  });
});
