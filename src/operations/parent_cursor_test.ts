import { ok, strictEqual as equal } from "node:assert/strict";
import { TreeReader } from "../repository/tree_reader.ts";
import { MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import { ParentCursor } from "./parent_cursor.ts";

const COUNT = 5_000;
const nameOf = (number: number) => `${String(number).padStart(6, "0")} ${"name ".repeat(30)}`;

async function largeFolder(): Promise<{ reader: TreeReader; id: string; leaves: number }> {
  const trees = new MemoryTrees();
  const entries = new Map(Array.from({ length: COUNT }, (_, i) => [nameOf(i), { type: "fifo" as const }]));
  const { snapshot } = await trees.snapshot(entries);
  const leaves = await Array.fromAsync(trees.reader.leafNodes(snapshot.root));
  return { reader: trees.reader, id: snapshot.root, leaves: leaves.length };
}

Deno.test("of a folder of which nearly everything is gone, few leaves are kept", async () => {
  const { reader, id, leaves } = await largeFolder();
  ok(leaves > 5);
  const cursor = new ParentCursor(reader, id, () => true);
  equal((await cursor.take(nameOf(1)))?.name, nameOf(1));
  equal((await cursor.take(nameOf(COUNT - 1)))?.name, nameOf(COUNT - 1));
  equal(cursor.read.length, 2, "the one that gave something, and the last");
  equal(await cursor.take(nameOf(COUNT)), undefined);
  equal(cursor.read.length, 2);
});
