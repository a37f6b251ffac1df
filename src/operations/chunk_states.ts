import { LENGTH_WORD, PACK_WORD, readPlace, readPrefix } from "../model/index_entries.ts";
import type { ChunkKind } from "../model/chunk.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { PackTable } from "../model/pack_table.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { EntryRun } from "../repository/entry_run.ts";

/**
 * What a check knows of each place that the index names, in two bits: whether it is whole, that is, the pack is there and
 * says the same, and whether a snapshot needs it. Nothing may be added to the index meanwhile.
 */
export class ChunkStates {
  readonly #run: EntryRun;
  readonly #whole: Uint8Array;
  readonly #used: Uint8Array;
  readonly #packNumbers: ReadonlyMap<string, number>;
  readonly #key = new Uint32Array(4);

  constructor(readonly index: ChunkIndex) {
    this.#run = index.sorted();
    this.#whole = new Uint8Array(Math.ceil(this.#run.count / 8));
    this.#used = new Uint8Array(this.#whole.length);
    this.#packNumbers = new Map(index.packs().map(({ name }, number) => [name, number]));
  }

  /** Different places of all chunks. */
  get count(): number {
    return this.#run.count;
  }

  /** Marks what index and table agree on as whole; returns how many chunks of the table the index lacks. */
  confirm(pack: PackRecord, table: PackTable): number {
    let lacking = 0;
    for (let frame = 0; frame < table.frames.length; frame++) {
      for (let chunk = 0; chunk < table.frames[frame].chunks.length; chunk++) {
        const entry = this.#entryOf(pack, table, frame, chunk);
        if (entry < 0) lacking++;
        else setBit(this.#whole, entry, 1);
      }
    }
    return lacking;
  }

  /** Takes back what {@linkcode confirm} said of one chunk, whose bytes are not what its id says. */
  refute(pack: PackRecord, table: PackTable, frame: number, chunk: number): void {
    const entry = this.#entryOf(pack, table, frame, chunk);
    if (entry >= 0) setBit(this.#whole, entry, 0);
  }

  /** Takes back what {@linkcode confirm} said of all chunks of a pack. */
  refutePack(pack: PackRecord): void {
    const number = this.#packNumbers.get(pack.name);
    for (let i = 0; i < this.#run.count; i++) {
      if (this.#run.block(i)[this.#run.at(i) + PACK_WORD] === number) setBit(this.#whole, i, 0);
    }
  }

  #entryOf(pack: PackRecord, table: PackTable, frame: number, chunk: number): number {
    const { kind, chunks } = table.frames[frame];
    const { id, offset, length } = chunks[chunk];
    const number = this.#packNumbers.get(pack.name);
    readPrefix(id, this.#key, 0);
    for (let i = this.#run.lowerBound(this.#key); i < this.#run.count && this.#run.matches(i, this.#key); i++) {
      const block = this.#run.block(i);
      const at = this.#run.at(i);
      const place = readPlace(block, at);
      if (
        block[at + PACK_WORD] === number && place.frame === frame && place.kind === kind && place.offset === offset &&
        place.length === length
      ) return i;
    }
    return -1;
  }

  /**
   * Marks a chunk as needed. Returns its length in bytes, or -1 if no place that holds it is whole; then
   * {@linkcode packsOf} says which do not.
   *
   * @param id 64 hexadecimal digits
   */
  need(id: string, kind: ChunkKind): number {
    for (const entry of this.#entriesOf(id, kind)) {
      if (!hasBit(this.#whole, entry)) continue;
      setBit(this.#used, entry, 1);
      return this.#run.block(entry)[this.#run.at(entry) + LENGTH_WORD];
    }
    return -1;
  }

  /** Packs that the index says hold the chunk. */
  packsOf(id: string, kind: ChunkKind): PackRecord[] {
    const packs = new Set<PackRecord>();
    for (const entry of this.#entriesOf(id, kind)) {
      packs.add(this.index.packs()[this.#run.block(entry)[this.#run.at(entry) + PACK_WORD]]);
    }
    return [...packs];
  }

  *#entriesOf(id: string, kind: ChunkKind): Generator<number> {
    const key = this.#key;
    for (let i = 0; i < 4; i++) key[i] = parseInt(id.slice(8 * i, 8 * i + 8), 16);
    for (let i = this.#run.lowerBound(key); i < this.#run.count && this.#run.matches(i, key); i++) {
      if (readPlace(this.#run.block(i), this.#run.at(i)).kind === kind) yield i;
    }
  }

  /** How many whole chunks of a kind nobody was found to need; to be asked after {@linkcode need}. */
  unneeded(kind: ChunkKind): number {
    let count = 0;
    for (let i = 0; i < this.#run.count; i++) {
      if (!hasBit(this.#whole, i) || hasBit(this.#used, i)) continue;
      if (readPlace(this.#run.block(i), this.#run.at(i)).kind === kind) count++;
    }
    return count;
  }

  /** By place in `index.packs()`: how many of the index's entries are whole, are not, and are needed. */
  countByPack(): { whole: Uint32Array; wrong: Uint32Array; used: Uint32Array } {
    const packs = this.index.packs().length;
    const counts = { whole: new Uint32Array(packs), wrong: new Uint32Array(packs), used: new Uint32Array(packs) };
    for (let i = 0; i < this.#run.count; i++) {
      const pack = this.#run.block(i)[this.#run.at(i) + PACK_WORD];
      if (hasBit(this.#whole, i)) counts.whole[pack]++;
      else counts.wrong[pack]++;
      if (hasBit(this.#used, i)) counts.used[pack]++;
    }
    return counts;
  }

  /** Bytes of memory beyond the index's own. */
  get memoryBytes(): number {
    return this.#whole.length + this.#used.length;
  }
}

function hasBit(bits: Uint8Array, number: number): boolean {
  return (bits[number >>> 3] & (1 << (number & 7))) !== 0;
}

function setBit(bits: Uint8Array, number: number, value: 0 | 1): void {
  if (value === 1) bits[number >>> 3] |= 1 << (number & 7);
  else bits[number >>> 3] &= ~(1 << (number & 7));
}
