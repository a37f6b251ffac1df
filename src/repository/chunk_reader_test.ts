import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { errorOf } from "../../tests/fixtures/tampering.ts";
import type { Bytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ChunkKind } from "../model/chunk.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import type { ChunkIndex } from "./chunk_index.ts";
import { ChunkReader } from "./chunk_reader.ts";
import type { RepositoryKeys } from "./keys.ts";
import type { PackReader } from "./pack_reader.ts";

const KEY = new Uint8Array(32);
/** Two of them are more than is kept. */
const FRAME_BYTES = LIMITS.frameCacheBytes / 2 + 1;

/** Reads chunks of which each is a frame of its own; `frame` gives the bytes. */
function readerOf(frame: (number: number) => Promise<Bytes>) {
  const reads: number[] = [];
  const packs = {
    table: () => Promise.resolve({}),
    readFrame: (_pack: unknown, _table: unknown, number: number) => (reads.push(number), frame(number)),
  } as unknown as PackReader;
  const index = {
    lookup: (id: Bytes) => {
      const number = plains.findIndex((plain) => id.every((byte, i) => byte === identify(plain)[i]));
      return [{ pack: { name: "p" }, place: { kind: ChunkKind.data, frame: number, offset: 0, length: FRAME_BYTES } }];
    },
  } as unknown as ChunkIndex;
  const reader = new ChunkReader(packs, index, { chunkIdKey: () => KEY } as unknown as RepositoryKeys);
  return { reads, read: (number: number) => reader.read(identify(plains[number]), ChunkKind.data) };
}

const identify = chunkIdentifier(KEY);
const plains = [1, 2, 3, 4].map((byte) => new Uint8Array(FRAME_BYTES).fill(byte));

Deno.test("frames are kept for a while, and the one that was used last stays", async () => {
  const { read, reads } = readerOf((number) => Promise.resolve(plains[number]));
  for (const number of [0, 0, 1, 1, 0]) equal((await read(number))[0], plains[number][0]);
  deepEqual(reads, [0, 1, 0]);
});

Deno.test("a frame that fails after it was evicted is an error for who asked, and for nobody else", async () => {
  const late = Promise.withResolvers<Bytes>();
  let asked = 0;
  const { read, reads } = readerOf((number) =>
    number === 0 && asked++ === 0 ? late.promise : Promise.resolve(plains[number])
  );
  const first = errorOf(read(0));
  for (const number of [1, 2, 3]) equal((await read(number))[0], number + 1);
  await read(0);
  late.reject(new AxiomError("data_damaged", "its seal is broken"));
  const error = await first;
  equal(error.kind, "data_damaged");
  await read(0);
  deepEqual(reads, [0, 1, 2, 3, 0], "what was read again since is still kept");
});
