import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, toHex } from "../base/bytes.ts";
import { compareNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import { TreeReader } from "../repository/tree_reader.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import { FolderWriter } from "./folder_writer.ts";
import { ParentCursor } from "./parent_cursor.ts";

const SPLIT_KEY = new Uint8Array(32).fill(3);

/** Documents by id, and the ids that were put since the last look. */
class Documents {
  readonly all = new Map<string, Bytes>();
  put: string[] = [];
  readonly #identify = chunkIdentifier(new Uint8Array(32));
  readonly reader = new TreeReader((id) => Promise.resolve(this.all.get(id)!));

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
  for (const number of names) {
    const last = await cursor?.take(nameOf(number));
    const isParents = last?.mtime === folder.get(number);
    await writer.add(isParents ? last! : entryOf(number, folder.get(number)!), isParents);
  }
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
