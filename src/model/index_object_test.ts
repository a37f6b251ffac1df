import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, equalBytes, fromHex, MIB, toHex, viewOf } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type ChunkKind } from "./chunk.ts";
import { IndexBuilder } from "./index_builder.ts";
import { type ChunkPlace, ENTRY_WORDS, PACK_WORD, readPlace, writePrefix } from "./index_entries.ts";
import { decodeIndexObject, type IndexObject, type PackRecord } from "./index_object.ts";

function packOf(byte: number, change: Partial<PackRecord> = {}): PackRecord {
  return {
    name: toHex(new Uint8Array(32).fill(byte)),
    salt: new Uint8Array(32).fill(byte ^ 0xff),
    epoch: byte,
    storedBytes: 100_000 + byte,
    tableBytes: 4096 + byte,
    kinds: 7,
    ...change,
  };
}

function idOf(byte: number): Bytes {
  return Uint8Array.from({ length: 16 }, (_, i) => byte + i);
}

const place: ChunkPlace = { frame: 1, offset: 2, length: 3, kind: 0 };

/** All entries as plain values. */
function entriesOf(object: IndexObject) {
  const words = new Uint32Array(ENTRY_WORDS);
  return Array.from({ length: object.entryCount }, (_, i) => {
    object.readEntry(i, words, 0);
    const prefix = new Uint8Array(16);
    writePrefix(words, 0, prefix);
    return { prefix: toHex(prefix), pack: object.packs[words[PACK_WORD]].name, place: readPlace(words, 0) };
  });
}

Deno.test("golden: the bytes of an index object, which are part of the format", () => {
  const builder = new IndexBuilder();
  const second = builder.addPack(packOf(0xbb));
  const first = builder.addPack(packOf(0xaa, { epoch: 3, storedBytes: 0x01020304, tableBytes: 0x0a0b0c, kinds: 2 }));
  builder.addChunk(idOf(0x20), second, { frame: 0x1234, offset: 0x56789, length: 0x1abcd, kind: 2 });
  builder.addChunk(idOf(0x10), first, { frame: 65535, offset: 0, length: 4 * MIB, kind: 1 });
  builder.addChunk(idOf(0x20), second, { frame: 0x1233, offset: 0x56789, length: 0x1abcd, kind: 0 });
  const expected = [
    "0100 0000 02000000 02000000 03000000",
    "aa".repeat(32),
    "55".repeat(32),
    "03000000 04030201 0c0b0a00 0200 0000",
    "bb".repeat(32),
    "44".repeat(32),
    "bb000000 5b870100 bb100000 0700 0000",
    "01".repeat(32),
    "02".repeat(32),
    "101112131415161718191a1b1c1d1e1f 00000000 ffff 01 00 00000000 00004000",
    "202122232425262728292a2b2c2d2e2f 01000000 3312 00 00 89670500 cdab0100",
    "202122232425262728292a2b2c2d2e2f 01000000 3412 02 00 89670500 cdab0100",
  ];
  const data = builder.encode(["02".repeat(32), "01".repeat(32)]);
  equal(toHex(data), expected.join("").replaceAll(" ", ""));
  equal(data.length, builder.byteLength(2));
  const object = decodeIndexObject(data, "x");
  deepEqual(object.supersedes, ["01".repeat(32), "02".repeat(32)]);
  equal(object.entryCount, 3);
  equal(object.sizeBytes, data.length);
});

const packs = fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 5 });
const place_ = fc.record({
  frame: fc.nat(65535),
  offset: fc.nat(2 * MIB),
  length: fc.integer({ min: 1, max: 2 * MIB }),
  kind: fc.constantFrom<ChunkKind>(0, 1, 2),
});
const entries = fc.uniqueArray(
  fc.record({ id: fc.oneof(fc.nat(3), fc.nat(255)), pack: fc.nat(4), place: place_ }),
  { maxLength: 60, selector: (entry) => JSON.stringify(entry) },
);

Deno.test("an index object holds what was added, with equal bytes in whatever order", () => {
  fc.assert(fc.property(packs, entries, fc.context(), (packs, entries, context) => {
    const unique = new Map(
      entries.map((entry) => [`${entry.id} ${entry.pack % packs.length} ${JSON.stringify(entry.place)}`, entry]),
    );
    const build = (backwards: boolean) => {
      const builder = new IndexBuilder();
      const inOrder = backwards ? packs.toReversed() : packs;
      const numbers = new Map(inOrder.map((pack) => [pack, builder.addPack(packOf(pack))]));
      const list = [...unique.values()];
      for (const { id, pack, place } of backwards ? list.toReversed() : list) {
        builder.addChunk(idOf(id), numbers.get(packs[pack % packs.length])!, place);
      }
      return builder.encode();
    };
    const data = build(false);
    ok(equalBytes(data, build(true)));
    const object = decodeIndexObject(data, "x");
    context.log(`${object.entryCount} entries`);
    deepEqual(object.packs, packs.toSorted((a, b) => a - b).map((pack) => packOf(pack)));
    const expected = [...unique.values()].map(({ id, pack, place }) =>
      JSON.stringify({ prefix: toHex(idOf(id)), pack: packOf(packs[pack % packs.length]).name, place: { ...place } })
    );
    const found = entriesOf(object).map(({ prefix, pack, place: { frame, offset, length, kind } }) =>
      JSON.stringify({ prefix, pack, place: { frame, offset, length, kind } })
    );
    deepEqual(found.toSorted(), expected.toSorted());
  }));
});

Deno.test("a payload can be decoded anywhere in a buffer", () => {
  const builder = new IndexBuilder();
  builder.addChunk(idOf(1), builder.addPack(packOf(1)), place);
  const data = builder.encode();
  const shifted = new Uint8Array(data.length + 7).subarray(3, 3 + data.length);
  shifted.set(data);
  deepEqual(entriesOf(decodeIndexObject(shifted, "x")), entriesOf(decodeIndexObject(data, "x")));
});

/** Two packs, one superseded name, three entries; offsets of the parts. */
function sample(): { data: Bytes; packsAt: number; entriesAt: number } {
  const builder = new IndexBuilder();
  const numbers = [1, 2].map((byte) => builder.addPack(packOf(byte, { kinds: 3 })));
  builder.addChunk(idOf(1), numbers[0], place);
  builder.addChunk(idOf(2), numbers[1], place);
  builder.addChunk(idOf(2), numbers[1], { ...place, frame: 2 });
  return { data: builder.encode(["33".repeat(32)]), packsAt: 16, entriesAt: 16 + 2 * 80 + 32 };
}

Deno.test("40: decode refuses what breaks the layout", async (t) => {
  const { packsAt, entriesAt } = sample();
  const u32 = (at: number, value: number) => (data: Bytes) => viewOf(data).setUint32(at, value, true);
  const u8 = (at: number, value: number) => (data: Bytes) => void (data[at] = value);
  const cases: { name: string; damage: (data: Bytes) => void | Bytes; message: RegExp }[] = [
    { name: "empty", damage: () => new Uint8Array(0), message: /0 bytes are no header/ },
    { name: "header cut off", damage: (data) => data.slice(0, 15), message: /15 bytes are no header/ },
    { name: "version 0", damage: u8(0, 0), message: /header is malformed/ },
    { name: "reserved bits in the header", damage: u8(2, 1), message: /header is malformed/ },
    { name: "one byte short", damage: (data) => data.slice(0, -1), message: /are not 303 bytes/ },
    { name: "one byte more", damage: (data) => new Uint8Array([...data, 0]), message: /are not 305 bytes/ },
    { name: "2^32 - 1 packs", damage: u32(4, 0xffffffff), message: /4294967295 packs/ },
    { name: "2^32 - 1 superseded", damage: u32(8, 0xffffffff), message: /4294967295 superseded/ },
    { name: "2^32 - 1 entries", damage: u32(12, 0xffffffff), message: /4294967295 entries/ },
    {
      name: "larger than a partition",
      damage: () => new Uint8Array(LIMITS.indexPartitionBytesMax + 1),
      message: /too many/,
    },
    { name: "packs out of order", damage: u8(packsAt, 3), message: /pack 1 is out of order/ },
    {
      name: "a pack twice",
      damage: (data) => void data.copyWithin(packsAt, packsAt + 80, packsAt + 160),
      message: /pack 1 is out of order/,
    },
    { name: "an absurd epoch", damage: u32(packsAt + 64, LIMITS.epochsMax + 1), message: /of epoch 65536/ },
    { name: "a pack too long", damage: u32(packsAt + 68, LIMITS.packBytesMax + 1), message: /has 268435457 bytes/ },
    { name: "a pack of no bytes", damage: u32(packsAt + 68, 0), message: /of 0 bytes has a table of/ },
    { name: "a table longer than its pack", damage: u32(packsAt + 72, 100_001 - 63), message: /has a table of 99938/ },
    { name: "unknown kinds", damage: u8(packsAt + 76, 8), message: /of kinds 8/ },
    { name: "reserved bits of a pack", damage: u8(packsAt + 79, 1), message: /bits set that must be 0/ },
    { name: "entries out of order", damage: u8(entriesAt, 9), message: /entry 1 is out of order/ },
    { name: "an entry twice", damage: u8(entriesAt + 64 + 20, 1), message: /entry 2 is out of order/ },
    { name: "a pack that is not listed", damage: u32(entriesAt + 16, 2), message: /entry 0 is in pack 2 of 2/ },
    { name: "an unknown kind", damage: u8(entriesAt + 22, 3), message: /entry 0 is of kind 3/ },
    { name: "a kind that the pack lacks", damage: u8(entriesAt + 22, 2), message: /entry 0 is of kind 2/ },
    { name: "reserved bits of an entry", damage: u8(entriesAt + 23, 1), message: /entry 0 is of kind 0/ },
    { name: "an empty chunk", damage: u32(entriesAt + 28, 0), message: /entry 0 lies outside/ },
    { name: "a chunk longer than a frame", damage: u32(entriesAt + 28, 4 * MIB), message: /entry 0 lies outside/ },
    { name: "an offset near 2^32", damage: u32(entriesAt + 24, 0xffffffff), message: /entry 0 lies outside/ },
  ];
  for (const { name, damage, message } of cases) {
    await t.step(name, () => {
      const { data } = sample();
      const damaged = damage(data) ?? data;
      throws(() => decodeIndexObject(damaged, "abc"), (error) => {
        ok(isKind(error, "data_damaged"), String(error));
        ok(error.message.startsWith("Cannot read the index object abc: "));
        ok(error.hint !== undefined);
        match(error.message, message);
        return true;
      });
    });
  }
});

Deno.test("a later version is refused as such", () => {
  const { data } = sample();
  data[0] = 2;
  throws(() => decodeIndexObject(data, "x"), (error) => isKind(error, "repository_unsupported"));
});

Deno.test("decode never fails in another way, whatever the bytes", () => {
  const { data } = sample();
  const changes = fc.array(fc.tuple(fc.nat(data.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(changes, fc.nat(data.length), (changes, length) => {
      const damaged = data.slice(0, length % 3 === 0 ? length : data.length);
      for (const [at, byte] of changes) damaged[at] = byte;
      try {
        const { entryCount } = decodeIndexObject(damaged, "x");
        equal(entryCount, 3);
      } catch (error) {
        ok(isKind(error, "data_damaged", "repository_unsupported"), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("encode refuses what a reader would refuse", async (t) => {
  const cases: { name: string; build: (builder: IndexBuilder) => void; supersedes?: string[] }[] = [
    { name: "a pack twice", build: (builder) => [1, 1].forEach((byte) => builder.addPack(packOf(byte))) },
    { name: "a name that is no hash", build: (builder) => builder.addPack(packOf(1, { name: "ab" })) },
    { name: "a short salt", build: (builder) => builder.addPack(packOf(1, { salt: new Uint8Array(16) })) },
    { name: "a pack of 2^32 + 1,000,000 bytes", build: (b) => b.addPack(packOf(1, { storedBytes: 2 ** 32 + 1e6 })) },
    {
      name: "a table that fills its pack",
      build: (b) => b.addPack(packOf(1, { storedBytes: 5000, tableBytes: 5000 })),
    },
    { name: "an unknown pack", build: (builder) => builder.addChunk(idOf(1), 0, place) },
    { name: "frame 65,536", build: (b) => b.addChunk(idOf(1), b.addPack(packOf(1)), { ...place, frame: 65536 }) },
    { name: "a negative offset", build: (b) => b.addChunk(idOf(1), b.addPack(packOf(1)), { ...place, offset: -1 }) },
    {
      name: "a length of 2^32",
      build: (b) => b.addChunk(idOf(1), b.addPack(packOf(1)), { ...place, length: 2 ** 32 }),
    },
    {
      name: "a chunk beyond its frame",
      build: (b) => b.addChunk(idOf(1), b.addPack(packOf(1)), { ...place, offset: 4 * MIB }),
    },
    {
      name: "a kind that the pack lacks",
      build: (b) => b.addChunk(idOf(1), b.addPack(packOf(1, { kinds: 2 })), place),
    },
    { name: "a short id", build: (b) => b.addChunk(new Uint8Array(15), b.addPack(packOf(1)), place) },
    {
      name: "an entry twice",
      build: (builder) => {
        const pack = builder.addPack(packOf(1));
        for (let i = 0; i < 2; i++) builder.addChunk(idOf(1), pack, place);
      },
    },
    { name: "a superseded name twice", build: () => {}, supersedes: ["01".repeat(32), "01".repeat(32)] },
    {
      name: "more than a partition",
      build: (builder) => {
        const pack = builder.addPack(packOf(1));
        for (let i = 0; i < LIMITS.indexPartitionBytesMax / 32; i++) {
          builder.addChunk(idOf(i), pack, { ...place, offset: i & 0xfffff, frame: i >>> 20 });
        }
      },
    },
  ];
  for (const { name, build, supersedes } of cases) {
    await t.step(name, () => {
      const builder = new IndexBuilder();
      throws(() => {
        build(builder);
        builder.encode(supersedes);
      }, RangeError);
    });
  }
});

Deno.test("an object without entries can supersede", () => {
  const name = toHex(fromHex("ab".repeat(32)));
  const object = decodeIndexObject(new IndexBuilder().encode([name]), "x");
  deepEqual([object.entryCount, object.packs, object.supersedes], [0, [], [name]]);
});
