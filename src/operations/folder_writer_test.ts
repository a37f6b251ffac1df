import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, toHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { compareNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import { TreeReader } from "../repository/tree_reader.ts";
import { leafEnds } from "../repository/tree_writer.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import { FolderWriter } from "./folder_writer.ts";
import { ParentCursor } from "./parent_cursor.ts";

const SPLIT_KEY = new Uint8Array(32).fill(3);

/** Documents by id, and the ids that were put since the last look. */
class Documents {
  readonly all = new Map<string, Bytes>();
  put: string[] = [];
  readonly #identify = chunkIdentifier(new Uint8Array(32));
  /** One that cannot be read. */
  bad: string | undefined;
  readonly reader = new TreeReader((id) =>
    id === this.bad
      ? Promise.reject(new AxiomError("data_damaged", "Cannot read it: a test says so"))
      : Promise.resolve(this.all.get(id)!)
  );

  readonly store = (data: Bytes): Promise<string> => {
    const id = toHex(this.#identify(data));
    this.all.set(id, data);
    this.put.push(id);
    return Promise.resolve(id);
  };

  async entries(id: string): Promise<Entry[]> {
    return await Array.fromAsync(this.reader.entries(id));
  }
}

const nameOf = (number: number) => `${String(number).padStart(6, "0")} ${"name ".repeat(30)}`;
const entryOf = (number: number, mtime: string): Entry => ({
  name: nameOf(number),
  type: "fifo",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime,
  ctime: "0",
  inode: "1",
});

/** How far the walk may be ahead of what is written, in entries. */
const AHEAD = 900;

/** Saves a folder as a backup does: the parent's own entry where the time is the same. */
async function write(
  documents: Documents,
  folder: ReadonlyMap<number, string>,
  parentId?: string,
  has = (_id: string) => true,
): Promise<{ id: string; unchanged: boolean }> {
  const cursor = parentId === undefined ? undefined : new ParentCursor(documents.reader, parentId, has);
  const writer = new FolderWriter(documents.store, SPLIT_KEY, cursor && { cursor, id: parentId! });
  const names = [...folder.keys()].sort((a, b) => compareNames(nameOf(a), nameOf(b)));
  const ahead: [Entry, boolean][] = [];
  for (const number of names) {
    const last = await cursor?.take(nameOf(number));
    const isParents = last?.mtime === folder.get(number);
    ahead.push([isParents ? last! : entryOf(number, folder.get(number)!), isParents]);
    if (ahead.length === AHEAD) { for (const item of ahead.splice(0)) await writer.add(...item); }
  }
  for (const item of ahead) await writer.add(...item);
  return await writer.finish();
}

const folderOf = (count: number, mtime = "1") => new Map(Array.from({ length: count }, (_, i) => [2 * i, mtime]));

Deno.test("a folder as it was has the id that it had, and of a large one only the index is made again", async () => {
  for (const count of [0, 1, 50, 4000]) {
    const documents = new Documents();
    const first = await write(documents, folderOf(count));
    equal(first.unchanged, false);
    documents.put = [];
    const second = await write(documents, folderOf(count), first.id);
    deepEqual([second, documents.put.length <= 1], [{ id: first.id, unchanged: true }, true], String(count));
  }
});

Deno.test("what is in doubt is not taken over: its leaves are made again", async () => {
  const documents = new Documents();
  const { id } = await write(documents, folderOf(4000));
  const leaves = (await Array.fromAsync(documents.reader.leafNodes(id))).map((leaf) => leaf.id);
  ok(leaves.length > 3);
  for (const doubtful of leaves) {
    documents.put = [];
    equal((await write(documents, folderOf(4000), id, (each) => each !== doubtful)).id, id);
    deepEqual([documents.put.includes(doubtful), documents.put.length], [true, 2]);
  }
});

Deno.test("any change of a large folder is read back as it is, and most leaves are taken over", async () => {
  const edits = fc.array(
    fc.record({ at: fc.nat(3999), kind: fc.constantFrom("remove", "change", "insert") }),
    { maxLength: 4 },
  );
  const documents = new Documents();
  const parent = await write(documents, folderOf(4000));
  const leafCount = (await Array.fromAsync(documents.reader.leafNodes(parent.id))).length;
  const property = fc.asyncProperty(edits, fc.nat(4000), async (edits, length) => {
    const folder = new Map([...folderOf(4000)].slice(0, length));
    for (const { at, kind } of edits) {
      if (kind === "insert") folder.set(2 * at + 1, "2");
      else if (kind === "change" && folder.has(2 * at)) folder.set(2 * at, "2");
      else folder.delete(2 * at);
    }
    documents.put = [];
    const { id } = await write(documents, folder, parent.id);
    const expected = [...folder].sort(([a], [b]) => compareNames(nameOf(a), nameOf(b))).map(([n, t]) => entryOf(n, t));
    deepEqual(await documents.entries(id), expected);
    ok(documents.put.length <= 3 * (edits.length + 1) + 1 && documents.put.length <= leafCount + 6);
  });
  await fc.assert(property, { numRuns: 40 });
});

/** What can be done at the edge of a leaf that holds `names`; numbers between two names are odd. */
const EDGES: Record<string, (folder: Map<number, string>, names: readonly number[]) => void> = {
  "insert before the first": (folder, names) => void folder.set(names[0] - 1, "2"),
  "insert after the last": (folder, names) => void folder.set(names.at(-1)! + 1, "2"),
  "change the first": (folder, names) => void folder.set(names[0], "2"),
  "change the last": (folder, names) => void folder.set(names.at(-1)!, "2"),
  "remove the first": (folder, names) => void folder.delete(names[0]),
  "remove the last": (folder, names) => void folder.delete(names.at(-1)!),
  "remove all": (folder, names) => names.forEach((name) => folder.delete(name)),
  "remove all and insert one": (folder, names) => {
    for (const name of names) folder.delete(name);
    folder.set(names[1] + 1, "2");
  },
};

Deno.test("a change at the edge of any leaf gives the documents that the folder has when it is saved anew", async (t) => {
  const documents = new Documents();
  const parent = await write(documents, new Map([...folderOf(2500)].map(([number, mtime]) => [number + 2, mtime])));
  const leaves = (await Array.fromAsync(documents.reader.leafNodes(parent.id))).map(({ entries }) =>
    entries.map(({ name }) => parseInt(name))
  );
  // Others end where the next entry would have made them too large: that depends on that entry.
  const ends = leafEnds(SPLIT_KEY);
  ok(leaves.slice(0, -1).every((names) => ends(nameOf(names.at(-1)!))) && leaves.length > 3);
  for (const [edge, edit] of Object.entries(EDGES)) {
    await t.step(edge, async () => {
      for (const [at, names] of leaves.entries()) {
        const folder = new Map(leaves.flat().map((number) => [number, "1"]));
        edit(folder, names);
        documents.put = [];
        const { id } = await write(documents, folder, parent.id);
        ok(documents.put.length <= 4, `${documents.put.length} documents for leaf ${at}`);
        equal(id, (await write(new Documents(), new Map([...folder].sort(([a], [b]) => a - b)))).id, `leaf ${at}`);
      }
    });
  }
});

Deno.test("a chain of changed folders is read back, although leaves of the one before are in doubt or unreadable", async () => {
  const edit = fc.record({
    at: fc.nat(3000),
    length: fc.nat(300),
    kind: fc.constantFrom("remove", "change", "insert"),
  });
  const generation = fc.record({ edits: fc.array(edit, { maxLength: 3 }), doubt: fc.nat(9), bad: fc.nat(9) });
  const property = fc.asyncProperty(fc.array(generation, { minLength: 3, maxLength: 5 }), async (generations) => {
    const documents = new Documents();
    let folder = folderOf(1500);
    let parent = await write(documents, folder);
    for (const [number, { edits, doubt, bad }] of generations.entries()) {
      for (const { at, length, kind } of edits) {
        for (let i = at; i < at + length; i++) {
          if (kind === "remove") folder.delete(i);
          else if (kind === "insert" || folder.has(i)) folder.set(i, `${number + 2}`);
        }
      }
      folder = new Map([...folder].sort(([a], [b]) => a - b));
      const leaves = (await Array.fromAsync(documents.reader.leafNodes(parent.id))).map(({ id }) => id);
      documents.bad = leaves[bad];
      const next = await write(documents, folder, parent.id, (id) => id !== leaves[doubt]);
      documents.bad = undefined;
      const expected = [...folder].map(([number, mtime]) => entryOf(number, mtime));
      deepEqual(await documents.entries(next.id), expected);
      for (const entry of expected.slice(-1)) deepEqual(await documents.reader.find(next.id, entry.name), entry);
      parent = next;
    }
  });
  await fc.assert(property, { numRuns: 15 });
});
