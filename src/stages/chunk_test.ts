import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, compareBytes, concat, equalBytes, KIB, MIB, toHex, viewOf } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import type { ChunkerRecord } from "../model/entry.ts";
import { type ChunkBounds, cutPoint, Cutter, isChunker, join } from "./chunk.ts";
import { deriveGear } from "./gear.ts";

const gear = await deriveGear(Uint8Array.from({ length: 32 }, (_, i) => i));
const gearWithoutCuts = new Uint32Array(256).fill(1); // every hash is -1
const small = { min: 64, normal: 512, max: 2048 };
const FASTCDC: ChunkerRecord = { algorithm: "fastcdc-1" };

/** Marsaglia's xorshift32 (13, 17, 5), its words little-endian. */
function generate(length: number, seed: number): Bytes {
  const data = new Uint8Array(length);
  const view = viewOf(data);
  let word = seed;
  for (let at = 0; at + 4 <= length; at += 4) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    view.setUint32(at, word, true);
  }
  return data;
}

function ends(data: Uint8Array, bounds: ChunkBounds, table = gear): number[] {
  const found: number[] = [];
  for (let at = 0; at < data.length;) found.push(at = cutPoint(data, at, data.length, bounds, table));
  return found;
}

async function sha256(data: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
}

Deno.test("deriveGear() makes the table that the format prescribes", async () => {
  const bytes = new Uint8Array(1024);
  gear.forEach((word, i) => viewOf(bytes).setUint32(4 * i, word, true));
  equal(await sha256(bytes), "34b145e65054deca695f1f5ea901b28965f7e9098a008752f73230b2d6de1fe1");
  equal(gear[0], 0xaf445dc3);
  equal(gear[255], 0xf6d9f675);
  await rejects(() => deriveGear(new Uint8Array(16)), RangeError);
});

Deno.test("cutPoint() ends a chunk by size when content has no cut", async (t) => {
  const cases = [
    { name: "empty input", length: 0, end: 0 },
    { name: "one byte", length: 1, end: 1 },
    { name: "exactly min", length: 64, end: 64 },
    { name: "one more than min", length: 65, end: 65 },
    { name: "exactly max", length: 2048, end: 2048 },
    { name: "longer than max", length: 5000, end: 2048 },
  ];
  for (const { name, length, end } of cases) {
    await t.step(name, () => equal(cutPoint(new Uint8Array(length), 0, length, small, gearWithoutCuts), end));
  }
});

Deno.test("cutPoint() takes the first position from min on whose hash has the zero bits", () => {
  const cutsAlways = new Uint32Array(256);
  equal(cutPoint(generate(4096, 9), 0, 4096, small, cutsAlways), 64);
  equal(cutPoint(generate(4096, 9), 100, 4096, small, cutsAlways), 164);
  const bounds = { min: 512, normal: 512, max: 2048 };
  equal(cutPoint(generate(4096, 9), 0, 4096, bounds, cutsAlways), 512);
});

Deno.test("cutPoint() is content with fewer zero bits from the normal size on", () => {
  const hash = 2 ** (32 - 8); // 7 zero bits, where 11 and then 7 are asked for
  const bounds = { min: 64, normal: 512, max: 2048 };
  equal(cutPoint(new Uint8Array(4096), 0, 4096, bounds, new Uint32Array(256).fill(-hash)), 512);
  equal(cutPoint(new Uint8Array(4096), 0, 4096, bounds, new Uint32Array(256).fill(-2 * hash)), 2048);
  equal(cutPoint(new Uint8Array(4096), 0, 4096, bounds, new Uint32Array(256).fill(-hash >> 4)), 64);
});

Deno.test("golden: cut points of a fixed key and a generated input, which are part of the format", async (t) => {
  // Computed by an independent program written from the header of chunk.ts.
  const cases = [
    {
      name: "small bounds",
      data: generate(16 * KIB, 1),
      bounds: small,
      // deno-fmt-ignore
      cuts: [557, 1568, 2350, 2892, 3673, 4508, 5022, 5560, 6440, 7437, 7997, 8677, 9029, 9758, 10060, 10868, 11543,
        12188, 12891, 13075, 13800, 14353, 14925, 15455, 16384],
    },
    {
      name: "normal size that is no power of two",
      data: generate(16 * KIB, 1),
      bounds: { min: 64, normal: 700, max: 2048 },
      // deno-fmt-ignore
      cuts: [709, 1568, 2350, 3339, 4508, 5210, 5929, 6677, 7437, 8151, 8898, 9029, 9758, 10060, 10868, 11616, 12572,
        13075, 13800, 14506, 15283, 16384],
    },
    {
      name: "default bounds",
      data: generate(8 * MIB, 2463534242),
      bounds: { min: 256 * KIB, normal: MIB, max: 4 * MIB },
      cuts: [1259795, 2631817, 4378416, 5857121, 6800719, 8226663, 8388608],
    },
  ];
  for (const { name, data, bounds, cuts } of cases) await t.step(name, () => deepEqual(ends(data, bounds), cuts));
});

/** Feeds `data` through a window in reads of the given lengths, as a worker does; returns the chunks. */
function stream(data: Bytes, cutter: Cutter, windowBytes: number, reads: readonly number[]): Bytes[] {
  const window = new Uint8Array(windowBytes);
  const chunks: Bytes[] = [];
  let filled = 0;
  for (let at = 0, read = 0;; read++) {
    const length = Math.min(reads[read % reads.length], windowBytes - filled, data.length - at);
    window.set(data.subarray(at, at + length), filled);
    at += length;
    filled += length;
    let used = 0;
    for (const [start, end] of cutter.cuts(window, 0, filled, at === data.length)) {
      equal(start, used);
      chunks.push(window.slice(start, end));
      used = end;
    }
    if (at === data.length) {
      equal(used, filled);
      return chunks;
    }
    window.copyWithin(0, used, filled);
    filled -= used;
    window.fill(0xee, filled); // what is not yet read must not count
  }
}

/** Random bytes, low-entropy bytes and runs of one byte. */
const content = fc.oneof(
  fc.record({ length: fc.nat(20_000), seed: fc.integer({ min: 1 }) }).map(({ length, seed }) => generate(length, seed)),
  fc.record({ length: fc.nat(20_000), byte: fc.nat(255) }).map(({ length, byte }) => new Uint8Array(length).fill(byte)),
  fc.array(fc.nat(3), { maxLength: 5_000 }).map((bytes) => Uint8Array.from(bytes)),
);
const bounds = fc.tuple(fc.integer({ min: 64, max: 300 }), fc.nat(1000), fc.nat(3000))
  .map(([min, more, most]) => ({ min, normal: min + more, max: min + more + most }));

Deno.test("Cutter: chunks join to the input, keep the bounds and do not depend on how it was read", () => {
  const reads = fc.constantFrom(3, 5000).chain((max) => fc.array(fc.integer({ min: 1, max }), { minLength: 1 }));
  const chunkers = fc.constantFrom<ChunkerRecord>(FASTCDC, { algorithm: "fixed-1", block_bytes: 4096 });
  fc.assert(
    fc.property(content, bounds, chunkers, reads, fc.nat(3000), (data, bounds, chunker, reads, room) => {
      const cutter = new Cutter(chunker, bounds, gear);
      const chunks = stream(data, cutter, cutter.chunkBytesMax + room, reads);
      ok(equalBytes(join(chunks, data.length), data));
      let end = 0;
      const seen = chunks.map((chunk) => end += chunk.length);
      if (chunker.algorithm === "fixed-1") {
        ok(chunks.every((chunk, i) => chunk.length === 4096 || (i === chunks.length - 1 && chunk.length > 0)));
      } else {
        ok(chunks.every((chunk, i) => chunk.length >= bounds.min || i === chunks.length - 1));
        ok(chunks.every((chunk) => chunk.length > 0 && chunk.length <= bounds.max));
        deepEqual(seen, ends(data, bounds));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("Cutter: one after another, files are cut as if alone", () => {
  const cutter = new Cutter(FASTCDC, small, gear);
  const file = generate(10_000, 5);
  const first = stream(file, cutter, 3000, [700]).map((chunk) => chunk.length);
  stream(generate(100, 6), cutter, 3000, [7]);
  deepEqual(stream(file, cutter, 3000, [700]).map((chunk) => chunk.length), first);
  deepEqual(stream(new Uint8Array(0), cutter, 3000, [1]), []);
});

Deno.test("an insertion at the front or in the middle changes few chunks", async (t) => {
  const data = generate(512 * KIB, 77);
  const known = new Set(chunksOf(data).map(toHex));
  ok(known.size > 500);
  const cases = [
    { name: "one byte at the front", changed: concat([Uint8Array.of(1), data]) },
    { name: "5,000 bytes at the front", changed: concat([generate(5000, 3), data]) },
    {
      name: "100 bytes in the middle",
      changed: concat([data.subarray(0, 200_000), generate(100, 4), data.subarray(200_000)]),
    },
    { name: "1,000 bytes cut out", changed: concat([data.subarray(0, 100_000), data.subarray(101_000)]) },
  ];
  for (const { name, changed } of cases) {
    await t.step(name, () => {
      const added = chunksOf(changed).filter((chunk) => !known.has(toHex(chunk)));
      ok(added.length > 0 && added.length <= 16, `${added.length} of ${known.size} chunks are new`);
    });
  }
});

function chunksOf(data: Bytes): Bytes[] {
  let start = 0;
  return ends(data, small).map((end) => data.slice(start, start = end));
}

Deno.test("mean chunk size is near the normal size on random content", () => {
  const found = ends(generate(4 * MIB, 99), small).length;
  const mean = 4 * MIB / found;
  ok(mean > 0.8 * small.normal && mean < 1.6 * small.normal, `${mean} bytes`);
});

Deno.test("another chunker key cuts elsewhere", async () => {
  const other = await deriveGear(new Uint8Array(32).fill(9));
  const data = generate(64 * KIB, 1);
  const mine = new Set(ends(data, small));
  const shared = ends(data, small, other).filter((end) => mine.has(end));
  notEqual(compareBytes(new Uint8Array(gear.buffer as ArrayBuffer), new Uint8Array(other.buffer as ArrayBuffer)), 0);
  ok(shared.length < 5, `${shared.length} cuts are equal`);
});

Deno.test("isChunker() and Cutter refuse what this version cannot cut", async (t) => {
  const cases: { name: string; chunker: unknown }[] = [
    { name: "algorithm of a later version", chunker: { algorithm: "fastcdc-2" } },
    { name: "block length that is no power of two", chunker: { algorithm: "fixed-1", block_bytes: 5000 } },
    { name: "block length missing", chunker: { algorithm: "fixed-1" } },
    { name: "block length zero", chunker: { algorithm: "fixed-1", block_bytes: 0 } },
    { name: "block larger than a frame", chunker: { algorithm: "fixed-1", block_bytes: 8 * MIB } },
    { name: "block length where there are no blocks", chunker: { algorithm: "fastcdc-1", block_bytes: 4096 } },
  ];
  for (const { name, chunker } of cases) {
    await t.step(name, () => {
      equal(isChunker(chunker as ChunkerRecord), false);
      throws(() => new Cutter(chunker as ChunkerRecord, small, gear), RangeError);
    });
  }
  equal(isChunker(undefined), false);
  equal(isChunker({ algorithm: "fixed-1", block_bytes: 64 * KIB }), true);
});

Deno.test("join() refuses chunks that do not add up", () => {
  const chunks = [generate(8, 1), generate(4, 2)];
  equal(join(chunks, 12).length, 12);
  equal(join([], 0).length, 0);
  for (const length of [0, 11, 13, 2 ** 50]) {
    throws(() => join(chunks, length), (error) => isKind(error, "data_damaged"));
  }
});
