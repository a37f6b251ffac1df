import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { type AxiomEvent, ignoreEvents } from "../base/events.ts";
import { type EntrySpec, fakeContent, type FolderSpec, MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import { type ListEntriesOptions, listTree } from "./list_entries.ts";
import { absolutePath } from "./listed_entry.ts";

const context = { onEvent: ignoreEvents };

function folder(entries: Record<string, EntrySpec>): FolderSpec {
  return new Map(Object.entries(entries));
}

async function paths(trees: MemoryTrees, options: ListEntriesOptions): Promise<string[]> {
  return (await Array.fromAsync(listTree(trees.reader, options, context))).map(({ path }) => path);
}

Deno.test("ls lists a tree, a level, a folder or one entry", async () => {
  const trees = new MemoryTrees();
  const snapshot = await trees.snapshot(folder({
    home: { children: folder({ ann: { children: folder({ "a\udcff": fakeContent("x") }) }, "b c": { type: "fifo" } }) },
    "home.txt": fakeContent("text"),
  }));
  const all = ["/home", "/home/ann", "/home/ann/a\udcff", "/home/b c", "/home.txt"];
  deepEqual(await paths(trees, { snapshot, recursive: true }), all);
  deepEqual(await paths(trees, { snapshot, recursive: false }), ["/home", "/home.txt"]);
  deepEqual(await paths(trees, { snapshot, recursive: false, path: "home/" }), ["/home/ann", "/home/b c"]);
  deepEqual(await paths(trees, { snapshot, recursive: true, path: "//home/./ann" }), ["/home/ann/a\udcff"]);
  deepEqual(await paths(trees, { snapshot, recursive: true, path: "/home/ann/a\udcff" }), ["/home/ann/a\udcff"]);
  await rejects(paths(trees, { snapshot, recursive: true, path: "/home/bob" }), { kind: "path_missing" });
  await rejects(paths(trees, { snapshot, recursive: true, path: "/home.txt/x" }), { kind: "path_missing" });
});

Deno.test("ls shows every field of an entry", async () => {
  const trees = new MemoryTrees();
  const xattrs = [{ name: "user.a", value: "AQID" }];
  const base = {
    mode: 0o4755,
    uid: 7,
    gid: 8,
    user: "ann",
    group: "staff",
    mtime: "-1",
    ctime: "2",
    inode: "18446744073709551615",
  };
  const snapshot = await trees.snapshot(folder({
    file: { ...base, ...fakeContent("text"), links: 2, device: "5", xattrs },
    link: { ...base, type: "symlink", target: "a\udcff" },
    tty: { ...base, type: "chardev", rdev: [4, 64] },
  }));
  const [file, link, tty] = await Array.fromAsync(listTree(trees.reader, { snapshot, recursive: true }, context));
  const common = {
    mode: 0o4755,
    uid: 7,
    gid: 8,
    user: "ann",
    group: "staff",
    mtimeNs: "-1",
    ctimeNs: "2",
    inode: base.inode,
  };
  deepEqual(file, { path: "/file", type: "file", sizeBytes: 4, ...common, links: 2, xattrs });
  deepEqual(link, { path: "/link", type: "symlink", ...common, links: 1, target: "a\udcff", xattrs: [] });
  deepEqual(tty, { path: "/tty", type: "chardev", ...common, links: 1, device: [4, 64], xattrs: [] });
});

Deno.test("ls names a folder that cannot be read and goes on; ends when told to", async () => {
  const trees = new MemoryTrees();
  const lost = await trees.write(folder({ file: fakeContent("lost") }));
  const snapshot = await trees.snapshot(
    folder({ a: { children: folder({ file: fakeContent("lost") }) }, b: fakeContent("b") }),
  );
  trees.documents.delete(lost);
  const events: AxiomEvent[] = [];
  const onEvent = (event: AxiomEvent) => events.push(event);
  const seen = await Array.fromAsync(listTree(trees.reader, { snapshot, recursive: true }, { onEvent }));
  deepEqual(seen.map(({ path }) => path), ["/a", "/b"]);
  ok(events.length === 1 && events[0].type === "error");
  equal(events[0].path, "/a");
  const signal = AbortSignal.abort();
  const stopped = Array.fromAsync(listTree(trees.reader, { snapshot, recursive: true }, { onEvent, signal }));
  await rejects(stopped, { kind: "interrupted" });
});

Deno.test("(39) a chain of 3,000 folders is listed", async () => {
  const trees = new MemoryTrees();
  let children: FolderSpec = folder({ end: fakeContent("end") });
  for (let i = 0; i < 3000; i++) children = folder({ d: { children } });
  const listed = await paths(trees, { snapshot: await trees.snapshot(children), recursive: true });
  equal(listed.length, 3001);
  equal(listed.at(-1), `${"/d".repeat(3000)}/end`);
});

Deno.test("paths are brought into one form", () => {
  const cases = [["", "/"], ["/", "/"], ["a", "/a"], ["/a//b/", "/a/b"], ["./a/.", "/a"], ["/a/../b", "/a/../b"]];
  for (const [text, path] of cases) equal(absolutePath(text), path);
  equal(absolutePath(undefined), "/");
});
