import { type Bytes, fromHex, viewOf } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import {
  type ChunkPlace,
  ENTRY_WORDS,
  IndexEntries,
  LENGTH_WORD,
  OFFSET_WORD,
  PACK_WORD,
  PLACE_WORD,
} from "./index_entries.ts";
import {
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  INDEX_NAME_BYTES,
  INDEX_PACK_BYTES,
  INDEX_VERSION,
  type PackRecord,
  readIndexObject,
  writePack,
} from "./index_object.ts";

/** Collects packs and their chunks, in any order, and makes an index object of them. */
export class IndexBuilder {
  readonly #packs: PackRecord[] = [];
  readonly #entries = new IndexEntries();

  /** Returns the number under which its chunks are added. A pack may be added once. */
  addPack(pack: PackRecord): number {
    return this.#packs.push(pack) - 1;
  }

  /** @param id At least its first 16 bytes */
  addChunk(id: Uint8Array, pack: number, place: ChunkPlace): void {
    this.#entries.add(id, this.#known(pack), place);
  }

  /** @param words An entry as `index_entries.ts` draws it, beginning at `at` */
  addWords(words: Uint32Array, at: number, pack: number): void {
    this.#entries.addWords(words, at, this.#known(pack));
  }

  get entryCount(): number {
    return this.#entries.count;
  }

  /** Length that {@linkcode encode} will have; no more than `LIMITS.indexPartitionBytesMax` can be encoded. */
  byteLength(supersedesCount = 0): number {
    return INDEX_HEADER_BYTES + INDEX_PACK_BYTES * this.#packs.length + INDEX_NAME_BYTES * supersedesCount +
      INDEX_ENTRY_BYTES * this.#entries.count;
  }

  /**
   * Equal content gives equal bytes, in whatever order it was added.
   *
   * @param supersedes Names of index objects, in hexadecimal
   * @throws RangeError if a reader would refuse the result
   */
  encode(supersedes: readonly string[] = []): Bytes {
    const length = this.byteLength(supersedes.length);
    if (length > LIMITS.indexPartitionBytesMax) throw new RangeError(`Cannot write an index object of ${length} bytes`);
    const data = new Uint8Array(length);
    const view = viewOf(data);
    view.setUint16(0, INDEX_VERSION, true);
    view.setUint32(4, this.#packs.length, true);
    view.setUint32(8, supersedes.length, true);
    view.setUint32(12, this.#entries.count, true);
    const ascending = this.#packs.map((_, i) => i).sort((a, b) => this.#packs[a].name < this.#packs[b].name ? -1 : 1);
    const ranks = new Uint32Array(this.#packs.length);
    let at = INDEX_HEADER_BYTES;
    ascending.forEach((pack, rank) => {
      ranks[pack] = rank;
      writePack(this.#packs[pack], data, at);
      at += INDEX_PACK_BYTES;
    });
    for (const name of [...supersedes].sort()) {
      data.set(fromHex(name), at);
      at += INDEX_NAME_BYTES;
    }
    this.#writeEntries(view, at, ranks);
    readIndexObject(data, (why) => new RangeError(`Cannot write an index object: ${why}`));
    return data;
  }

  #writeEntries(view: DataView, at: number, ranks: Uint32Array): void {
    const words = this.#entries.words;
    for (const entry of this.#entries.order(ranks)) {
      const from = entry * ENTRY_WORDS;
      for (let i = 0; i < 4; i++) view.setUint32(at + 4 * i, words[from + i]);
      view.setUint32(at + 16, ranks[words[from + PACK_WORD]], true);
      view.setUint16(at + 20, words[from + PLACE_WORD] >>> 16, true);
      view.setUint16(at + 22, (words[from + PLACE_WORD] >>> 8) & 0xff, true);
      view.setUint32(at + 24, words[from + OFFSET_WORD], true);
      view.setUint32(at + 28, words[from + LENGTH_WORD], true);
      at += INDEX_ENTRY_BYTES;
    }
  }

  #known(pack: number): number {
    if (!(pack >= 0 && pack < this.#packs.length)) throw new RangeError(`Pack ${pack} of ${this.#packs.length}`);
    return pack;
  }
}
