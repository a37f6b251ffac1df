import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, equalBytes, KIB, toHex, viewOf } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { decodeIndexObject, type PackRecord } from "../model/index_object.ts";
import { ChunkIndex } from "./chunk_index.ts";
import { splitIndex, type SplitOptions } from "./split_index.ts";

function packOf(number: number): PackRecord {
  const name = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0").repeat(8);
  return { name, salt: new Uint8Array(32), epoch: 0, storedBytes: 1_000_000, tableBytes: 4096, kinds: 1 };
}

/** An index of one object per pack; chunk `i` has the first word `firstWord(i)`. */
function indexOf(count: number, packs: number, firstWord: (i: number) => number): ChunkIndex {
  const index = new ChunkIndex();
  const id = new Uint8Array(16);
  for (let number = 0; number < packs; number++) {
    const builder = new IndexBuilder();
    const pack = builder.addPack(packOf(number));
    for (let i = number; i < count; i += packs) {
      viewOf(id).setUint32(0, firstWord(i));
      viewOf(id).setUint32(12, i);
      builder.addChunk(id, pack, { frame: 0, offset: i, length: 1, kind: 0 });
    }
    index.add(decodeIndexObject(builder.encode(), "test"));
  }
  return index;
}

const uniform = (i: number) => Math.imul(i, 0x9e3779b1) >>> 0;

function merged(payloads: readonly Bytes[]): ChunkIndex {
  const index = new ChunkIndex();
  for (const payload of payloads) index.add(decodeIndexObject(payload, "test"));
  return index;
}

function contentOf(index: ChunkIndex, allowed?: ReadonlySet<string>) {
  return {
    chunks: [...index.entries(allowed)].map(({ prefix, pack, place }) => [toHex(prefix), pack.name, place]),
    packs: index.packs().map((pack) => pack.name).filter((name) => allowed?.has(name) ?? true).toSorted(),
  };
}

Deno.test("23: a large index becomes objects of at most a partition", () => {
  const index = indexOf(600_000, 3, uniform);
  const payloads = [...splitIndex(index)];
  equal(payloads.length, 2);
  for (const payload of payloads) ok(payload.length <= LIMITS.indexPartitionBytesMax);
  equal(merged(payloads).entryCount, 600_000);
});

Deno.test("23: split objects hold everything, each for its own range of ids, and the last one supersedes", () => {
  const cases = fc.record({
    count: fc.nat(500),
    packs: fc.integer({ min: 1, max: 5 }),
    bits: fc.constantFrom(0, 1, 8, 32), // how many bits of the first word differ
    bytesMax: fc.integer({ min: 16 + 80 + 32, max: 4 * KIB }),
    superseded: fc.nat(3),
  });
  fc.assert(fc.property(cases, ({ count, packs, bits, bytesMax, superseded }) => {
    const index = indexOf(count, packs, (i) => bits === 0 ? 5 : uniform(i) >>> (32 - bits));
    const supersedes = Array.from({ length: superseded }, (_, i) => toHex(new Uint8Array(32).fill(i)));
    const restBytes = 80 * packs + 32 * superseded; // may need an object of their own
    const options: SplitOptions = { bytesMax: Math.max(bytesMax, 16 + restBytes), supersedes };
    const payloads = [...splitIndex(index, options)];
    deepEqual(contentOf(merged(payloads)), contentOf(index));
    for (const payload of payloads) ok(payload.length <= options.bytesMax!);
    const objects = payloads.map((payload) => decodeIndexObject(payload, "test"));
    deepEqual(objects.at(-1)?.supersedes ?? [], supersedes);
    ok(objects.slice(0, -1).every((object) => object.supersedes.length === 0));
    const prefixes = payloads.flatMap((payload) => [...merged([payload]).entries()].map(({ prefix }) => toHex(prefix)));
    deepEqual(prefixes, prefixes.toSorted());
  }));
});

Deno.test("a new chunk changes only the object of its range", () => {
  const options = { bytesMax: 4 * KIB };
  const before = [...splitIndex(indexOf(800, 1, uniform), options)];
  const after = [...splitIndex(indexOf(801, 1, uniform), options)];
  ok(before.length >= 8);
  equal(after.length, before.length);
  equal(after.filter((payload, i) => !equalBytes(payload, before[i])).length, 1);
});

Deno.test("the order in which an index was read does not change how it is split", () => {
  const forward = indexOf(300, 3, uniform);
  const backward = new ChunkIndex();
  for (const payload of [...splitIndex(forward, { bytesMax: KIB })].reverse()) {
    backward.add(decodeIndexObject(payload, "test"));
  }
  deepEqual([...splitIndex(backward, { bytesMax: KIB })], [...splitIndex(forward, { bytesMax: KIB })]);
});

Deno.test("packs that are not allowed are left out, and packs without chunks are kept", () => {
  const index = indexOf(100, 4, uniform);
  const builder = new IndexBuilder();
  for (const pack of [50, 51]) builder.addPack(packOf(pack));
  index.add(decodeIndexObject(builder.encode(), "test"));
  const allowed = new Set([0, 2, 50].map((pack) => packOf(pack).name));
  const result = merged([...splitIndex(index, { bytesMax: KIB, allowed })]);
  deepEqual(contentOf(result), contentOf(index, allowed));
  equal(result.entryCount, 50);
  deepEqual(result.packs().map((pack) => pack.name).toSorted(), [...allowed].toSorted());
});

Deno.test("an empty index is no object, unless it supersedes some", () => {
  deepEqual([...splitIndex(new ChunkIndex())], []);
  const [payload, ...more] = splitIndex(new ChunkIndex(), { supersedes: ["07".repeat(32)] });
  equal(more.length, 0);
  deepEqual(decodeIndexObject(payload, "test").supersedes, ["07".repeat(32)]);
});

Deno.test("a bound that not even one entry keeps is refused", () => {
  throws(() => [...splitIndex(indexOf(3, 1, uniform), { bytesMax: 100 })], RangeError);
});
