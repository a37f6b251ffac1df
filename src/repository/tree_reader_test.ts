import { deepStrictEqual as deepEqual, ok, rejects } from "node:assert/strict";
import type { Entry } from "../model/entry.ts";
import { entryText } from "../model/entry_text.ts";
import { encodeIndexNode, encodeLeaf } from "../model/tree.ts";
import { type GetDocument, TreeReader } from "./tree_reader.ts";

/** A leaf by its names, or an index node by the numbers of its documents. */
type Document = string[] | number[];

function idOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

function entryOf(name: string): Entry {
  return { name, type: "fifo", mode: 0, uid: 0, gid: 0, mtime: "0", ctime: "0", inode: "0" };
}

function encoded(document: Document) {
  if (document.every((part) => typeof part === "string")) {
    return encodeLeaf(document.map((name) => entryText(entryOf(name))));
  }
  return encodeIndexNode(document.map((child, at) => ({ first: `n${at}`, id: idOf(child) })));
}

/** @param documents Each under its place in the list */
function readerOf(documents: readonly Document[]): { trees: TreeReader; reads: () => number } {
  let reads = 0;
  const get: GetDocument = (id) => {
    ok(++reads < 10_000, "it is read without end");
    return Promise.resolve(encoded(documents[Number.parseInt(id, 16)]));
  };
  return { trees: new TreeReader(get), reads: () => reads };
}

async function namesBelow(trees: TreeReader): Promise<string[]> {
  return (await Array.fromAsync(trees.entries(idOf(0)))).map(({ name }) => name);
}

Deno.test("a folder's leaves come in their order, through any index nodes", async () => {
  deepEqual(await namesBelow(readerOf([[]]).trees), []);
  deepEqual(await namesBelow(readerOf([[1, 2, 5], ["a", "b"], [3, 4], ["c"], ["d"], ["e"]]).trees), [..."abcde"]);
});

Deno.test("a tree that no writer makes is damaged, however little it takes to store", async (t) => {
  /** Ten documents, each of which but the last names the next one nine times. */
  const everSoOften = (leaf: Document): Document[] => [
    ...Array.from({ length: 8 }, (_, at) => Array.from({ length: 9 }, () => at + 1)),
    leaf,
  ];
  const cases: { name: string; documents: Document[]; why: RegExp }[] = [
    { name: "leaves out of order", documents: [[1, 2], ["b"], ["a"]], why: /leaves overlap/ },
    { name: "a leaf that comes twice", documents: everSoOften(["a"]), why: /leaves overlap/ },
    { name: "an empty leaf that comes ever so often", documents: everSoOften([]), why: /one of its leaves is empty/ },
    { name: "an index node that names itself", documents: [[0]], why: /nested too deeply/ },
  ];
  for (const { name, documents, why } of cases) {
    await t.step(name, async () => {
      const { trees, reads } = readerOf(documents);
      await rejects(namesBelow(trees), { kind: "data_damaged", message: why });
      ok(reads() < 20);
    });
  }
});
