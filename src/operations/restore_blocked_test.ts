import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { type EntrySpec, fakeContent, MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import { BlockedFolders } from "./restore_blocked.ts";
import { RestoreTally } from "./restore_tally.ts";

Deno.test("of a damaged tree what can be read is counted, and the damage is told too", async () => {
  const trees = new MemoryTrees();
  const lost = new Map([["unknown", { type: "file" as const }]]);
  const folder = new Map<string, EntrySpec>([["a", { children: lost }], ["b", fakeContent("12345")]]);
  const root = await trees.write(new Map([["d", { children: folder }]]));
  trees.documents.delete(await trees.write(lost));
  const told: unknown[] = [];
  const tally = new RestoreTally((event) => event.type === "error" && told.push([event.path, event.error.kind]));
  const blocked = new BlockedFolders(trees.reader, tally, { overwrite: "never" });
  await blocked.leaveOut((await trees.reader.find(root, "d"))!, "d", "file");
  deepEqual(told, [["d/a", "object_missing"], ["d", "target_unwritable"]]);
  deepEqual([tally.filesSkipped, tally.filesFailed, tally.bytesTotal, tally.damaged], [1, 2, 5, true]);
});
