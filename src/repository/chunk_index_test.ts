import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, toHex, viewOf } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { CHUNK_PREFIX_BYTES, type ChunkKind } from "../model/chunk.ts";
import { writePrefix } from "../model/index_entries.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { decodeIndexObject, type IndexObject, type PackRecord } from "../model/index_object.ts";
import { ChunkIndex, type ChunkLocation, withoutSuperseded } from "./chunk_index.ts";

function packOf(number: number, change: Partial<PackRecord> = {}): PackRecord {
  const name = (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0").repeat(8);
  const salt = new Uint8Array(32).fill(number);
  return { name, salt, epoch: 0, storedBytes: 1_000_000, tableBytes: 4096, kinds: 7, ...change };
}

/** 16 bytes that look random and belong to `number` alone. */
function idOf(number: number, into = new Uint8Array(16)): Bytes {
  let word = number | 0;
  for (let i = 0; i < 4; i++) {
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b) + i;
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    word ^= word >>> 16;
    viewOf(into).setInt32(4 * i, word, true);
  }
  return into;
}

interface Entry {
  chunk: number;
  pack: number;
  /** Chunks of 1,000 bytes, 100 in a frame. */
  slot: number;
}

function placeOf({ slot }: Entry) {
  const kind = (slot % 3) as ChunkKind;
  return { frame: Math.floor(slot / 100), offset: (slot % 100) * 1000, length: 1000, kind };
}

function objectOf(entries: readonly Entry[], packs: readonly number[] = []): IndexObject {
  const builder = new IndexBuilder();
  const numbers = new Map<number, number>();
  for (const pack of [...packs, ...entries.map((entry) => entry.pack)]) {
    if (!numbers.has(pack)) numbers.set(pack, builder.addPack(packOf(pack)));
  }
  const id = new Uint8Array(16);
  for (const entry of entries) builder.addChunk(idOf(entry.chunk, id), numbers.get(entry.pack)!, placeOf(entry));
  return decodeIndexObject(builder.encode(), "test");
}

function describe(location: ChunkLocation): string {
  const { frame, offset, length, kind } = location.place;
  return [location.pack.name, frame, offset, length, kind].join();
}

function describeEntry(entry: Entry): string {
  return describe({ pack: packOf(entry.pack), place: placeOf(entry) });
}

Deno.test("21: agrees with a Map over 1,000,000 operations", () => {
  const index = new ChunkIndex();
  const model = new Map<number, number[]>(); // by chunk: pack × 2^16 + slot
  const packs = new Map<string, number>();
  let state = 7;
  const random = (end: number) => {
    state = Math.imul(state, 1664525) + 1013904223;
    return (state >>> 8) % end;
  };
  const id = new Uint8Array(16);
  let size = 0;
  for (let operations = 0; operations < 1_000_000;) {
    const pack = packs.size;
    const count = random(10) === 0 ? 40_000 : random(400);
    const entries = Array.from({ length: count }, (_, slot) => ({ chunk: random(400_000), pack, slot }));
    packs.set(packOf(pack).name, pack);
    index.add(objectOf(entries, [pack]));
    for (const { chunk, slot } of entries) {
      const known = model.get(chunk);
      if (known === undefined) model.set(chunk, [pack * 65536 + slot]);
      else known.push(pack * 65536 + slot);
      size++;
    }
    for (let i = 0; i < count; i++) {
      const chunk = random(800_000);
      const found = index.lookup(idOf(chunk, id)).map(({ pack, place }) =>
        packs.get(pack.name)! * 65536 + place.frame * 100 + place.offset / 1000
      );
      const expected = model.get(chunk) ?? [];
      if (found.length !== expected.length || !expected.every((place) => found.includes(place))) {
        deepEqual(found, expected, `chunk ${chunk}`);
      }
    }
    operations += 2 * count;
  }
  equal(index.entryCount, size);
  equal(index.packs().length, packs.size);
});

const entry: fc.Arbitrary<Entry> = fc.record({ chunk: fc.nat(5), pack: fc.nat(4), slot: fc.nat(2) });
const objects = fc.array(
  fc.uniqueArray(entry, { maxLength: 40, selector: (entry) => JSON.stringify(entry) }),
  { maxLength: 8 },
);

Deno.test("22: merging is commutative, idempotent and lossless", () => {
  const order = fc.infiniteStream(fc.nat());
  fc.assert(fc.property(objects, order, (objects, order) => {
    const expected = new Map<string, string>();
    for (const entry of objects.flat()) {
      expected.set(`${toHex(idOf(entry.chunk))} ${describeEntry(entry)}`, toHex(idOf(entry.chunk)));
    }
    const forward = new ChunkIndex();
    for (const entries of objects) forward.add(objectOf(entries));
    const shuffled = new ChunkIndex();
    const twice = [...objects, ...objects].map((entries) => ({ entries, rank: order.next().value! }));
    for (const { entries } of twice.sort((a, b) => a.rank - b.rank)) shuffled.add(objectOf(entries));
    for (const chunk of new Set(objects.flat().map((entry) => entry.chunk))) {
      deepEqual(shuffled.lookup(idOf(chunk)), forward.lookup(idOf(chunk))); // before all runs are merged
    }
    for (const index of [forward, shuffled]) {
      const found = [...index.entries()].map((chunk) => `${toHex(chunk.prefix)} ${describe(chunk)}`);
      equal(new Set(found).size, found.length);
      deepEqual(found.toSorted(), [...expected.keys()].toSorted());
      const prefixes = found.map((text) => text.slice(0, 32));
      deepEqual(prefixes, prefixes.toSorted());
      equal(index.entryCount, expected.size);
    }
    const names = (index: ChunkIndex) => index.packs().map((pack) => pack.name).toSorted();
    deepEqual(names(shuffled), names(forward));
  }));
});

Deno.test("look-ups, entries and seeds keep to the packs that are allowed", () => {
  const entries = [{ chunk: 1, pack: 0, slot: 0 }, { chunk: 1, pack: 1, slot: 5 }, { chunk: 2, pack: 1, slot: 6 }];
  const index = new ChunkIndex();
  index.add(objectOf(entries));
  const cases = [
    { name: "all", allowed: undefined, found: [2, 1], seeds: [1, 1, 2] },
    { name: "the first pack", allowed: new Set([packOf(0).name]), found: [1, 0], seeds: [1] },
    { name: "the second pack", allowed: new Set([packOf(1).name]), found: [1, 1], seeds: [1, 2] },
    { name: "a pack that is unknown", allowed: new Set([packOf(9).name]), found: [0, 0], seeds: [] },
    { name: "none", allowed: new Set<string>(), found: [0, 0], seeds: [] },
  ];
  for (const { name, allowed, found, seeds } of cases) {
    deepEqual([1, 2].map((chunk) => index.lookup(idOf(chunk), allowed).length), found, name);
    deepEqual([1, 2, 3].map((chunk) => index.has(idOf(chunk), allowed)), [found[0] > 0, found[1] > 0, false], name);
    const seeded: string[] = [];
    const insertPrefix = (words: Uint32Array, at: number) => {
      const prefix = new Uint8Array(CHUNK_PREFIX_BYTES);
      writePrefix(words, at, prefix);
      seeded.push(toHex(prefix));
    };
    index.seed({ insertPrefix }, allowed);
    deepEqual(seeded.toSorted(), seeds.map((chunk) => toHex(idOf(chunk))).toSorted(), name);
    const listed = [...index.entries(allowed)].map((chunk) => toHex(chunk.prefix));
    deepEqual(listed.toSorted(), seeded.toSorted(), name);
  }
});

Deno.test("locations of one pack share its record, and whole ids are looked up by their first 16 bytes", () => {
  const index = new ChunkIndex();
  index.add(objectOf([{ chunk: 1, pack: 0, slot: 0 }]));
  index.add(objectOf([{ chunk: 2, pack: 0, slot: 1 }]));
  const id = new Uint8Array(32).fill(0xee);
  id.set(idOf(1));
  equal(index.lookup(id)[0].pack, index.lookup(idOf(2))[0].pack);
  equal(index.lookup(id)[0].pack, index.pack(packOf(0).name));
  equal(index.pack(packOf(5).name), undefined);
  throws(() => index.lookup(id.subarray(0, 15)), RangeError);
});

Deno.test("a pack that two objects describe differently is damage, and nothing of the second is added", () => {
  const index = new ChunkIndex();
  index.add(objectOf([{ chunk: 1, pack: 0, slot: 0 }]));
  const changes: Partial<PackRecord>[] = [
    { storedBytes: 999_999 },
    { tableBytes: 4097 },
    { epoch: 1 },
    { kinds: 3 },
    { salt: new Uint8Array(32).fill(9) },
  ];
  for (const change of changes) {
    const builder = new IndexBuilder();
    builder.addPack(packOf(7));
    builder.addChunk(idOf(2), builder.addPack(packOf(0, change)), placeOf({ chunk: 2, pack: 0, slot: 0 }));
    const object = decodeIndexObject(builder.encode(), "x");
    throws(() => index.add(object), (error) => isKind(error, "data_damaged") && error.message.includes(packOf(0).name));
  }
  equal(index.entryCount, 1);
  equal(index.packs().length, 1);
  equal(index.pack(packOf(7).name), undefined);
});

Deno.test("ids that are not uniform are found, too", () => {
  const builder = new IndexBuilder();
  const pack = builder.addPack(packOf(0));
  const ids = Array.from({ length: 3000 }, (_, i) => {
    const id = new Uint8Array(16).fill(i < 10 ? 0 : 0xff);
    viewOf(id).setUint16(14, 20 * i); // the first words are equal
    return id;
  });
  ids.forEach((id, slot) => builder.addChunk(id, pack, placeOf({ chunk: 0, pack: 0, slot })));
  const index = new ChunkIndex();
  index.add(decodeIndexObject(builder.encode(), "x"));
  for (const id of ids) equal(index.lookup(id).length, 1);
  for (const id of ids) {
    id[15]++;
    equal(index.has(id), false);
  }
});

Deno.test("memory is at most 40 bytes per entry, however the entries came", () => {
  const index = new ChunkIndex();
  for (let pack = 0; pack < 100; pack++) {
    const size = pack % 10 === 0 ? 5000 : 50;
    index.add(objectOf(Array.from({ length: size }, (_, slot) => ({ chunk: pack * 10_000 + slot, pack, slot }))));
    ok(index.memoryBytes <= 40 * [...Array(pack + 1).keys()].reduce((sum, i) => sum + (i % 10 === 0 ? 5000 : 50), 0));
  }
  equal(index.entryCount, 54_500);
  equal(index.memoryBytes, 32 * 54_500);
});

Deno.test("an empty index knows nothing, and an object without entries adds its packs", () => {
  const index = new ChunkIndex();
  deepEqual([index.lookup(idOf(1)), index.entryCount, [...index.entries()], index.packs()], [[], 0, [], []]);
  index.add(objectOf([], [3]));
  deepEqual([index.entryCount, index.packs().map((pack) => pack.name)], [0, [packOf(3).name]]);
});

Deno.test("withoutSuperseded() leaves out what a present object replaces", async (t) => {
  const cases: { name: string; objects: Record<string, string[]>; left: string[] }[] = [
    { name: "nothing replaced", objects: { a: [], b: [] }, left: ["a", "b"] },
    { name: "two by one", objects: { a: [], b: [], c: ["a", "b"] }, left: ["c"] },
    { name: "a chain", objects: { a: [], b: ["a"], c: ["b"] }, left: ["c"] },
    { name: "an object that is gone already", objects: { b: ["a"] }, left: ["b"] },
    {
      name: "several by several, the last of which is not there yet",
      objects: { a: [], b: [], c: [] },
      left: ["a", "b", "c"],
    },
  ];
  for (const { name, objects, left } of cases) {
    await t.step(name, () => {
      const map = new Map(Object.entries(objects).map(([key, supersedes]) => [key, { supersedes }]));
      deepEqual(withoutSuperseded(map).toSorted(), left);
    });
  }
});
