import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import { type Bytes, KIB, MIB, toHex } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { ContentElement, Entry } from "../model/entry.ts";
import type { ChunkReader } from "../repository/chunk_reader.ts";
import { ContentStream } from "./content_stream.ts";

interface Layout {
  chunks: number;
  chunkBytes: number;
  /** In which a chunk lies. */
  frameOf: (chunk: number) => number;
}

/** A reader that counts what was asked for and not yet taken by whoever reads the stream. */
class CountingChunks {
  asked = 0;
  taken = 0;
  mostChunks = 0;
  mostFrames = 0;
  mostBytes = 0;
  readonly index;

  constructor(readonly layout: Layout, readonly broken = -1) {
    const { chunkBytes, frameOf } = layout;
    const locate = (id: Bytes) => [{
      pack: { name: "pack" },
      place: { kind: ChunkKind.data, frame: frameOf(numberOf(id)), offset: 0, length: chunkBytes },
    }];
    this.index = { lookup: locate };
  }

  get reader(): ChunkReader {
    return this as unknown as ChunkReader;
  }

  read(id: Bytes): Promise<Bytes> {
    const { chunkBytes, frameOf } = this.layout;
    const number = numberOf(id);
    equal(number, this.asked++, "chunks are asked for in order");
    const frames = new Set<number>();
    for (let chunk = this.taken; chunk < this.asked; chunk++) frames.add(frameOf(chunk));
    this.mostChunks = Math.max(this.mostChunks, this.asked - this.taken);
    this.mostBytes = Math.max(this.mostBytes, (this.asked - this.taken) * chunkBytes);
    this.mostFrames = Math.max(this.mostFrames, frames.size);
    if (number === this.broken) return Promise.reject(new Error("broken"));
    return Promise.resolve(new Uint8Array(chunkBytes).fill(number));
  }
}

function idOf(number: number): string {
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, number);
  return toHex(id);
}

function numberOf(id: Bytes): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(0);
}

function fileOf(elements: ContentElement[]): Entry {
  return { name: "file", type: "file", content: { elements } } as Entry;
}

Deno.test("a file is read ahead by a bounded number of chunks, bytes and frames", async (t) => {
  const cases: (Layout & { name: string; frames: number })[] = [
    {
      name: "each chunk in a frame of its own",
      chunks: 400,
      chunkBytes: 4 * KIB,
      frameOf: (chunk) => chunk,
      frames: 4,
    },
    { name: "chunks side by side", chunks: 600, chunkBytes: 4 * KIB, frameOf: (chunk) => chunk >> 6, frames: 4 },
    { name: "two frames in turn", chunks: 400, chunkBytes: 4 * KIB, frameOf: (chunk) => chunk % 2, frames: 2 },
    { name: "large chunks", chunks: 40, chunkBytes: MIB, frameOf: (chunk) => chunk >> 2, frames: 3 },
  ];
  for (const { name, frames, ...layout } of cases) {
    await t.step(name, async () => {
      const chunks = new CountingChunks(layout);
      const stream = new ContentStream(new MemoryTrees().reader, chunks.reader);
      const elements = Array.from({ length: layout.chunks }, (_, i) => idOf(i));
      for await (const piece of stream.read(fileOf(elements))) {
        equal(piece[0], chunks.taken % 256);
        chunks.taken++;
      }
      equal(chunks.taken, layout.chunks);
      ok(chunks.mostFrames <= frames, `${chunks.mostFrames} frames`);
      ok(chunks.mostFrames <= LIMITS.readAheadFrames + 1);
      ok(chunks.mostChunks <= LIMITS.readAheadChunks + 1, `${chunks.mostChunks} chunks`);
      ok(chunks.mostBytes <= LIMITS.readAheadBytes + layout.chunkBytes, `${chunks.mostBytes} bytes`);
      ok(chunks.mostChunks > 1, "it does read ahead");
    });
  }
});

Deno.test("holes are zeros, and a chunk that cannot be read ends the stream in its turn", async () => {
  const layout = { chunks: 3, chunkBytes: 2, frameOf: () => 0 };
  const read = async (broken: number, given: number[]) => {
    const stream = new ContentStream(new MemoryTrees().reader, new CountingChunks(layout, broken).reader);
    const elements = [idOf(0), { hole: "3" }, idOf(1), idOf(2)];
    for await (const piece of stream.read(fileOf(elements))) given.push(...piece);
  };
  const all: number[] = [], some: number[] = [];
  await read(-1, all);
  deepEqual(all, [0, 0, 0, 0, 0, 1, 1, 2, 2]);
  await rejects(read(2, some), /broken/);
  deepEqual(some, all.slice(0, 7));
});
