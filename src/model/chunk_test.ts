import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { toHex } from "../base/bytes.ts";
import { CHUNK_KIND_NAMES, ChunkKind, isChunkKind, parseChunkId } from "./chunk.ts";

Deno.test("parseChunkId() takes 64 lower-case hexadecimal digits and nothing else", async (t) => {
  const id = "0123456789abcdef".repeat(4);
  equal(toHex(parseChunkId(id)), id);
  const cases = [
    { name: "upper case", text: id.toUpperCase() },
    { name: "too short", text: id.slice(2) },
    { name: "too long", text: `${id}00` },
    { name: "not hexadecimal", text: `${id.slice(1)}g` },
    { name: "line feed", text: `${id}\n` },
    { name: "empty", text: "" },
    { name: "not a text", text: 5 as unknown as string },
  ];
  for (const { name, text } of cases) {
    await t.step(name, () => throws(() => parseChunkId(text), RangeError));
  }
});

Deno.test("kinds of chunk have the numbers and names of the format", () => {
  deepEqual(ChunkKind, { data: 0, tree: 1, plain: 2 });
  for (const [name, kind] of Object.entries(ChunkKind)) equal(CHUNK_KIND_NAMES[kind], name);
  deepEqual([0, 1, 2, 3, -1, 0.5].map(isChunkKind), [true, true, true, false, false, false]);
});
