import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { ignoreEvents } from "../base/events.ts";
import type { AxiomEvent } from "../base/events.ts";
import { editedFolder } from "../../tests/fixtures/arbitrary_trees.ts";
import { type EntrySpec, fakeContent, type FolderSpec, MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { leafEnds } from "../repository/tree_writer.ts";
import { type DiffSide, diffTrees, type EntryChange } from "./diff.ts";
import { listTree } from "./list_entries.ts";
import type { ListedEntry } from "./listed_entry.ts";

const context = { onEvent: ignoreEvents };

async function changesOf(trees: MemoryTrees, before: DiffSide, after: DiffSide): Promise<EntryChange[]> {
  return await Array.fromAsync((await diffTrees(trees.reader, before, after, context)).changes);
}

async function listing(trees: MemoryTrees, snapshot: StoredSnapshot): Promise<Map<string, ListedEntry>> {
  const entries = await Array.fromAsync(listTree(trees.reader, { snapshot, recursive: true }, context));
  return new Map(entries.map((entry) => [entry.path, entry]));
}

function apply(before: Map<string, ListedEntry>, changes: readonly EntryChange[]): Map<string, ListedEntry> {
  const result = new Map(before);
  for (const change of changes) {
    if (change.before === undefined) ok(!before.has(change.path), `added twice: ${change.path}`);
    else deepEqual(result.get(change.path), change.before);
    if (change.after === undefined) result.delete(change.path);
    else result.set(change.path, change.after);
  }
  return result;
}

Deno.test("diff(a, b) applied to the listing of a is the listing of b", async () => {
  await fc.assert(
    fc.asyncProperty(editedFolder(3), async ([first, second]) => {
      const trees = new MemoryTrees();
      const before = await trees.snapshot(first);
      const after = await trees.snapshot(second);
      const changes = await changesOf(trees, { snapshot: before }, { snapshot: after });
      const result = apply(await listing(trees, before), changes);
      const expected = await listing(trees, after);
      deepEqual([...result.keys()].sort(), [...expected.keys()].sort());
      for (const [path, entry] of expected) deepEqual(result.get(path), entry);
      for (const { kind, before, after } of changes) {
        if (kind === "content" || kind === "metadata") equal(before!.type, after!.type);
        if (kind === "type") ok(before!.type !== after!.type);
      }
      equal(new Set(changes.map(({ path }) => path)).size, changes.length);
    }),
    { numRuns: 300 },
  );
});

function folder(entries: Record<string, EntrySpec>): FolderSpec {
  return new Map(Object.entries(entries));
}

Deno.test("diff tells apart what is new, gone, rewritten, touched and of another type", async () => {
  const trees = new MemoryTrees();
  const before = await trees.snapshot(folder({
    same: fakeContent("same"),
    rewritten: { ...fakeContent("old"), mtime: "1" },
    touched: { ...fakeContent("touched"), mtime: "1" },
    gone: fakeContent("gone"),
    turned: { children: folder({ inside: fakeContent("inside") }) },
    link: { type: "symlink", target: "a" },
    dir: { mode: 0o755, children: folder({ deep: fakeContent("deep") }) },
  }));
  const after = await trees.snapshot(folder({
    same: fakeContent("same"),
    rewritten: { ...fakeContent("newer"), mtime: "2" },
    touched: { ...fakeContent("touched"), mtime: "2", xattrs: [{ name: "user.a", value: "" }] },
    turned: fakeContent("a file"),
    link: { type: "symlink", target: "b" },
    dir: { mode: 0o700, children: folder({ deep: fakeContent("deep") }) },
    new: { children: folder({ file: fakeContent("12345") }) },
  }));
  const { changes, statistics } = await diffTrees(trees.reader, { snapshot: before }, { snapshot: after }, context);
  const seen = (await Array.fromAsync(changes)).map(({ kind, path, metadata }) => [kind, path, ...metadata].join(" "));
  deepEqual(seen, [
    "metadata /dir mode",
    "removed /gone",
    "content /link",
    "added /new",
    "added /new/file",
    "content /rewritten mtime",
    "metadata /touched mtime xattrs",
    "type /turned",
    "removed /turned/inside",
  ]);
  deepEqual({ ...statistics.added }, { files: 2, dirs: 1, others: 0, bytes: 5 + 6 });
  deepEqual({ ...statistics.removed }, { files: 2, dirs: 1, others: 0, bytes: 4 + 6 });
  deepEqual([statistics.contentChanged, statistics.metadataChanged, statistics.typeChanged], [2, 2, 1]);
});

function bigFolder(count: number, changed: number): FolderSpec {
  const children = new Map<string, EntrySpec>();
  for (let i = 0; i < count; i++) {
    children.set(`file ${String(i).padStart(6, "0")}`, fakeContent(i === changed ? "changed" : `content ${i}`));
  }
  return children;
}

Deno.test("(39) diff reads only what differs: of a folder of 20,000 entries one leaf of each side", async () => {
  const trees = new MemoryTrees();
  const unchanged = { children: bigFolder(50, -1) };
  const before = await trees.snapshot(folder({ big: { children: bigFolder(20_000, -1) }, unchanged }));
  const after = await trees.snapshot(folder({ big: { children: bigFolder(20_000, 7777) }, unchanged }));
  const documents = trees.documents.size;
  ok(documents > 30, `${documents} documents`);
  const changes = await changesOf(trees, { snapshot: before }, { snapshot: after });
  deepEqual(changes.map(({ kind, path }) => `${kind} ${path}`), ["content /big/file 007777"]);
  ok(new Set(trees.reads).size <= 10, `${new Set(trees.reads).size} of ${documents} documents`);
  trees.reads.length = 0;
  deepEqual(await changesOf(trees, { snapshot: after }, { snapshot: after }), []);
  equal(trees.reads.length, 0);
});

Deno.test("diff of a folder that grew from one leaf to many, and back", async () => {
  const trees = new MemoryTrees();
  const small = await trees.snapshot(folder({ dir: { children: bigFolder(10, -1) } }));
  const large = await trees.snapshot(folder({ dir: { children: bigFolder(3000, -1) } }));
  const grown = await changesOf(trees, { snapshot: small }, { snapshot: large });
  equal(grown.length, 2990);
  ok(grown.every(({ kind }) => kind === "added"));
  const shrunk = await changesOf(trees, { snapshot: large }, { snapshot: small });
  deepEqual(shrunk.map(({ path }) => path), grown.map(({ path }) => path));
});

Deno.test("diff of a folder whose only leaf became the first of two", async () => {
  const endsLeaf = leafEnds(new Uint8Array(32));
  const names = [...bigFolder(5000, -1).keys()];
  const count = names.findIndex((name, i) => i > 500 && endsLeaf(name)) + 1;
  const trees = new MemoryTrees();
  const before = await trees.snapshot(new Map([...bigFolder(count, -1)].slice(lastEnd(names, count, endsLeaf))));
  const after = await trees.snapshot(new Map([...bigFolder(count + 1, -1)].slice(lastEnd(names, count, endsLeaf))));
  const node = await trees.reader.node(after.snapshot.root);
  ok("children" in node && node.children[0].id === before.snapshot.root);
  const added = await changesOf(trees, { snapshot: before }, { snapshot: after });
  deepEqual(added.map(({ kind, path }) => `${kind} ${path}`), [`added /${names[count]}`]);
  const removed = await changesOf(trees, { snapshot: after }, { snapshot: before });
  deepEqual(removed.map(({ kind, path }) => `${kind} ${path}`), [`removed /${names[count]}`]);
});

/** Behind the last name before `count` - 1 at which a leaf may end. */
function lastEnd(names: readonly string[], count: number, endsLeaf: (name: string) => boolean): number {
  return names.slice(0, count - 1).findLastIndex(endsLeaf) + 1;
}

Deno.test("diff of paths: of files, of folders, and of what is not there", async () => {
  const trees = new MemoryTrees();
  const snapshot = await trees.snapshot(folder({
    one: { children: folder({ x: fakeContent("1"), y: fakeContent("y") }) },
    two: { children: folder({ x: fakeContent("2"), y: fakeContent("y") }) },
  }));
  const seen = async (a: string, b: string) =>
    (await changesOf(trees, { snapshot, path: a }, { snapshot, path: b })).map(({ kind, path }) => `${kind} ${path}`);
  deepEqual(await seen("/one", "/two/"), ["content /two/x"]);
  deepEqual(await seen("one/x", "/two/x"), ["content /two/x"]);
  deepEqual(await seen("/one/x", "/one"), ["type /one", "added /one/x", "added /one/y"]);
  await rejects(seen("/one/z", "/two"), { kind: "path_missing" });
  await rejects(seen("/one/x", "/"), { kind: "usage" });
});

Deno.test("diff names a folder that cannot be read and goes on", async () => {
  const trees = new MemoryTrees();
  const inside = (text: string) => folder({ file: fakeContent(text) });
  const before = await trees.snapshot(folder({ a: { children: inside("1") }, b: fakeContent("1") }));
  const lost = await trees.write(inside("2"));
  const after = await trees.snapshot(folder({ a: { children: inside("2") }, b: fakeContent("2") }));
  trees.documents.delete(lost);
  const events: AxiomEvent[] = [];
  const onEvent = (event: AxiomEvent) => events.push(event);
  const diff = await diffTrees(trees.reader, { snapshot: before }, { snapshot: after }, { onEvent });
  deepEqual((await Array.fromAsync(diff.changes)).map(({ path }) => path), ["/b"]);
  deepEqual(events.map((event) => event.type === "error" && [event.error.kind, event.path]), [[
    "object_missing",
    "/a",
  ]]);
});

Deno.test("diff stops when it is told to", async () => {
  const trees = new MemoryTrees();
  const before = await trees.snapshot(folder({}));
  const after = await trees.snapshot(folder({ a: fakeContent("a"), b: fakeContent("b") }));
  const controller = new AbortController();
  const { signal } = controller;
  const { changes } = await diffTrees(trees.reader, { snapshot: before }, { snapshot: after }, { ...context, signal });
  equal((await changes.next()).value.path, "/a");
  controller.abort();
  await rejects(changes.next(), { kind: "interrupted" });
});
