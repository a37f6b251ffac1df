/**
 * The payload of `index/<sha256>`: where chunks lie. Little-endian.
 *
 * ```text
 * payload     header 16 | packs, 80 each | supersedes, 32 each | entries, 32 each
 * header      version u16 = 1 | 0 u16 | pack count u32 | supersedes count u32 | entry count u32
 * pack        name 32 (SHA-256 of its stored bytes) | salt 32 | epoch u32 | stored length u32 | sealed table length u32 |
 *             kinds u16 (1 data, 2 tree, 4 plain, added) | 0 u16
 * supersedes  name of an index object 32
 * entry       id prefix 16 | pack u32 | frame u16 | kind u8 | 0 u8 | offset in the plain frame u32 | length u32
 * ```
 *
 * `pack` is a place in this object's list. Packs and superseded names ascend by their bytes, entries by prefix, pack, frame,
 * kind, offset and length; nothing stands twice. So equal content has equal bytes. A chunk can have several entries. A
 * superseded object counts as absent from the moment that this one exists: who replaces objects by several writes the
 * list into the last.
 */
import { type Bytes, compareBytes, fromHex, toHex, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { isChunkKind } from "./chunk.ts";
import { compareEntries, ENTRY_WORDS, LENGTH_WORD, OFFSET_WORD, PACK_WORD, PLACE_WORD } from "./index_entries.ts";
import { TRAILER_BYTES } from "./pack_table.ts";

export const INDEX_VERSION = 1;
export const INDEX_HEADER_BYTES = 16;
export const INDEX_PACK_BYTES = 80;
export const INDEX_NAME_BYTES = 32;
export const INDEX_ENTRY_BYTES = 32;

/** What a ranged read of a pack needs. */
export interface PackRecord {
  /** SHA-256 of the stored bytes in hexadecimal. */
  readonly name: string;
  readonly salt: Bytes;
  readonly epoch: number;
  readonly storedBytes: number;
  /** Sealed; it stands before the trailer. */
  readonly tableBytes: number;
  /** Sum of `1 << kind` over the kinds of its frames. */
  readonly kinds: number;
}

export type Refuse = (why: string) => Error;

/** A view over the bytes of an index object that was found to be well-formed; no entry is an object of its own. */
export class IndexObject {
  readonly entryCount: number;
  readonly #view: DataView;

  /** Only {@linkcode decodeIndexObject} makes one. */
  constructor(
    readonly packs: readonly PackRecord[],
    /** Names in hexadecimal. */
    readonly supersedes: readonly string[],
    entries: Bytes,
    /** Length of the whole object. */
    readonly sizeBytes: number,
  ) {
    this.#view = viewOf(entries);
    this.entryCount = entries.length / INDEX_ENTRY_BYTES;
  }

  /** Copies entry `number` into `words` at `at`, as `index_entries.ts` draws it. */
  readEntry(number: number, words: Uint32Array, at: number): void {
    const view = this.#view;
    const from = number * INDEX_ENTRY_BYTES;
    for (let i = 0; i < 4; i++) words[at + i] = view.getUint32(from + 4 * i);
    words[at + PACK_WORD] = view.getUint32(from + 16, true);
    words[at + PLACE_WORD] = (view.getUint16(from + 20, true) << 16) | (view.getUint8(from + 22) << 8) |
      view.getUint8(from + 23);
    words[at + OFFSET_WORD] = view.getUint32(from + 24, true);
    words[at + LENGTH_WORD] = view.getUint32(from + 28, true);
  }
}

/** Throws `data_damaged`, before memory is taken for it, or `repository_unsupported` for a later version. */
export function decodeIndexObject(data: Bytes, name: string): IndexObject {
  if (data.length >= 2 && viewOf(data).getUint16(0, true) > INDEX_VERSION) {
    throw new AxiomError(
      "repository_unsupported",
      `Cannot read the index object ${name}: version ${viewOf(data).getUint16(0, true)} is unknown`,
      { hint: "Update axiom" },
    );
  }
  return readIndexObject(
    data,
    (why) =>
      new AxiomError("data_damaged", `Cannot read the index object ${name}: ${why}`, {
        hint: "Run `axiom repair index` to build the index again from the packs",
      }),
  );
}

/** Throws what `refuse` makes unless `data` is exactly what the layout allows. */
export function readIndexObject(data: Bytes, refuse: Refuse): IndexObject {
  if (data.length < INDEX_HEADER_BYTES) throw refuse(`${data.length} bytes are no header`);
  if (data.length > LIMITS.indexPartitionBytesMax) throw refuse(`${data.length} bytes are too many`);
  const view = viewOf(data);
  if (view.getUint16(0, true) !== INDEX_VERSION || view.getUint16(2, true) !== 0) {
    throw refuse("its header is malformed");
  }
  const packCount = view.getUint32(4, true);
  const supersedesCount = view.getUint32(8, true);
  const entryCount = view.getUint32(12, true);
  const supersedesAt = INDEX_HEADER_BYTES + packCount * INDEX_PACK_BYTES;
  const entriesAt = supersedesAt + supersedesCount * INDEX_NAME_BYTES;
  if (entriesAt + entryCount * INDEX_ENTRY_BYTES !== data.length) {
    throw refuse(
      `${packCount} packs, ${supersedesCount} superseded and ${entryCount} entries are not ${data.length} bytes`,
    );
  }
  checkAscending(data, INDEX_HEADER_BYTES, packCount, INDEX_PACK_BYTES, "pack", refuse);
  checkAscending(data, supersedesAt, supersedesCount, INDEX_NAME_BYTES, "superseded name", refuse);
  const packs = Array.from(
    { length: packCount },
    (_, i) => readPack(data, view, INDEX_HEADER_BYTES + i * INDEX_PACK_BYTES, refuse),
  );
  const supersedes = Array.from({ length: supersedesCount }, (_, i) => {
    const at = supersedesAt + i * INDEX_NAME_BYTES;
    return toHex(data.subarray(at, at + INDEX_NAME_BYTES));
  });
  const object = new IndexObject(packs, supersedes, data.subarray(entriesAt), data.length);
  checkEntries(object, refuse);
  return object;
}

function checkAscending(data: Bytes, at: number, count: number, stride: number, what: string, refuse: Refuse): void {
  for (let i = 1; i < count; i++, at += stride) {
    const order = compareBytes(
      data.subarray(at, at + INDEX_NAME_BYTES),
      data.subarray(at + stride, at + stride + INDEX_NAME_BYTES),
    );
    if (order >= 0) throw refuse(`${what} ${i} is out of order`);
  }
}

/** Throws `RangeError` for a pack that a reader would refuse. */
export function writePack(pack: PackRecord, data: Bytes, at: number): void {
  const fault = packFault(pack);
  if (fault !== undefined) throw new RangeError(`Cannot write an index object: pack ${pack.name} ${fault}`);
  const view = viewOf(data);
  data.set(fromHex(pack.name), at);
  data.set(pack.salt, at + 32);
  view.setUint32(at + 64, pack.epoch, true);
  view.setUint32(at + 68, pack.storedBytes, true);
  view.setUint32(at + 72, pack.tableBytes, true);
  view.setUint16(at + 76, pack.kinds, true);
}

function readPack(data: Bytes, view: DataView, at: number, refuse: Refuse): PackRecord {
  const pack = {
    name: toHex(data.subarray(at, at + 32)),
    salt: data.slice(at + 32, at + 64),
    epoch: view.getUint32(at + 64, true),
    storedBytes: view.getUint32(at + 68, true),
    tableBytes: view.getUint32(at + 72, true),
    kinds: view.getUint16(at + 76, true),
  };
  const fault = view.getUint16(at + 78, true) === 0 ? packFault(pack) : "has bits set that must be 0";
  if (fault !== undefined) throw refuse(`pack ${pack.name} ${fault}`);
  return pack;
}

function packFault(pack: PackRecord): string | undefined {
  const { name, salt, epoch, storedBytes, tableBytes, kinds } = pack;
  const isBelow = (value: number, end: number) => Number.isInteger(value) && value >= 0 && value < end;
  if (!/^[0-9a-f]{64}$/.test(name)) return "has no name";
  if (salt.length !== 32) return `has a salt of ${salt.length} bytes`;
  if (!isBelow(epoch, LIMITS.epochsMax + 1)) return `is of epoch ${epoch}`;
  if (!isBelow(storedBytes, LIMITS.packBytesMax + 1)) return `has ${storedBytes} bytes`;
  if (!isBelow(tableBytes, Math.min(LIMITS.packTableBytesMax, storedBytes - TRAILER_BYTES) + 1)) {
    return `of ${storedBytes} bytes has a table of ${tableBytes}`;
  }
  return isBelow(kinds, 8) ? undefined : `is of kinds ${kinds}`;
}

function checkEntries(object: IndexObject, refuse: Refuse): void {
  const words = new Uint32Array(2 * ENTRY_WORDS);
  for (let i = 0; i < object.entryCount; i++) {
    const at = (i & 1) * ENTRY_WORDS;
    object.readEntry(i, words, at);
    const pack = words[at + PACK_WORD];
    const kind = (words[at + PLACE_WORD] >>> 8) & 0xff;
    if (pack >= object.packs.length) throw refuse(`entry ${i} is in pack ${pack} of ${object.packs.length}`);
    if (!isChunkKind(kind) || (words[at + PLACE_WORD] & 0xff) !== 0 || (object.packs[pack].kinds & (1 << kind)) === 0) {
      throw refuse(`entry ${i} is of kind ${kind}, which its pack does not hold`);
    }
    if (
      words[at + LENGTH_WORD] === 0 || words[at + OFFSET_WORD] + words[at + LENGTH_WORD] > LIMITS.framePlainBytesMax
    ) {
      throw refuse(`entry ${i} lies outside any frame`);
    }
    if (i > 0 && compareEntries(words, ENTRY_WORDS - at, words, at) >= 0) throw refuse(`entry ${i} is out of order`);
  }
}
