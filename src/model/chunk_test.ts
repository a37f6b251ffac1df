import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { CHUNK_KIND_NAMES, ChunkKind, isChunkKind } from "./chunk.ts";

Deno.test("kinds of chunk have the numbers and names of the format", () => {
  deepEqual(ChunkKind, { data: 0, tree: 1, plain: 2 });
  for (const [name, kind] of Object.entries(ChunkKind)) equal(CHUNK_KIND_NAMES[kind], name);
  deepEqual([0, 1, 2, 3, -1, 0.5].map(isChunkKind), [true, true, true, false, false, false]);
});
