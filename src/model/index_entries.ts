/**
 * Index entries as eight 32-bit words each, so that a million of them are 32 MB and no objects.
 *
 * ```text
 * words   id prefix, 4 big-endian words | pack number | frame << 16 | kind << 8 | offset | length
 * ```
 *
 * Entries are ordered by these words in turn, as unsigned numbers: by prefix, then by place.
 */
import { CHUNK_PREFIX_BYTES, type ChunkKind } from "./chunk.ts";

export const ENTRY_WORDS = 8;
export const PACK_WORD = 4;
export const PLACE_WORD = 5;
export const OFFSET_WORD = 6;
export const LENGTH_WORD = 7;

/** Where a chunk lies in a pack. */
export interface ChunkPlace {
  /** Number of the frame in the table of the pack. */
  frame: number;
  /** In the plain frame. */
  offset: number;
  length: number;
  kind: ChunkKind;
}

export function compareEntries(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): number {
  for (let i = 0; i < ENTRY_WORDS; i++) {
    const left = a[aAt + i];
    const right = b[bAt + i];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** The first 16 bytes of `id` as words. Throws `RangeError` if there are fewer. */
export function readPrefix(id: Uint8Array, into: Uint32Array, at: number): void {
  if (id.length < CHUNK_PREFIX_BYTES) throw new RangeError(`A chunk id of ${id.length} bytes`);
  for (let i = 0; i < 4; i++) {
    into[at + i] = (id[4 * i] << 24) | (id[4 * i + 1] << 16) | (id[4 * i + 2] << 8) | id[4 * i + 3];
  }
}

/** Inverse of {@linkcode readPrefix}. */
export function writePrefix(words: Uint32Array, at: number, into: Uint8Array): void {
  for (let i = 0; i < 4; i++) {
    const word = words[at + i];
    into[4 * i] = word >>> 24;
    into[4 * i + 1] = word >>> 16;
    into[4 * i + 2] = word >>> 8;
    into[4 * i + 3] = word;
  }
}

export function readPlace(words: Uint32Array, at: number): ChunkPlace {
  const place = words[at + PLACE_WORD];
  return {
    frame: place >>> 16,
    offset: words[at + OFFSET_WORD],
    length: words[at + LENGTH_WORD],
    kind: ((place >>> 8) & 0xff) as ChunkKind,
  };
}

function checkWord(value: number, maximum: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximum) throw new RangeError(`${value} is not in 0…${maximum}`);
}

/** A growing list. */
export class IndexEntries {
  words: Uint32Array = new Uint32Array(64 * ENTRY_WORDS);
  count = 0;

  /** Throws `RangeError` for a place that the words cannot hold. */
  add(id: Uint8Array, pack: number, place: ChunkPlace): void {
    checkWord(place.frame, 0xffff);
    checkWord(place.offset, 0xffffffff);
    checkWord(place.length, 0xffffffff);
    const at = this.#room();
    readPrefix(id, this.words, at);
    this.words[at + PACK_WORD] = pack;
    this.words[at + PLACE_WORD] = ((place.frame << 16) | (place.kind << 8)) >>> 0;
    this.words[at + OFFSET_WORD] = place.offset;
    this.words[at + LENGTH_WORD] = place.length;
  }

  /** Copies the entry at word `from` of `words`, under another pack number. */
  addWords(words: Uint32Array, from: number, pack: number): void {
    const at = this.#room();
    for (let i = 0; i < ENTRY_WORDS; i++) this.words[at + i] = words[from + i];
    this.words[at + PACK_WORD] = pack;
  }

  /**
   * Numbers of the entries in ascending order: first into about as many buckets as there are entries, by the leading bits,
   * which are uniform; then each bucket by comparison.
   *
   * @param packRanks By pack number: what to order by instead
   */
  order(packRanks: Uint32Array): Uint32Array {
    const { words, count } = this;
    const bits = Math.min(16, Math.max(1, 32 - Math.clz32(count)));
    const bucketOf = (entry: number) => words[entry * ENTRY_WORDS] >>> (32 - bits);
    const starts = new Uint32Array(2 ** bits + 1);
    for (let i = 0; i < count; i++) starts[bucketOf(i) + 1]++;
    for (let bucket = 0; bucket < 2 ** bits; bucket++) starts[bucket + 1] += starts[bucket];
    const next = starts.slice();
    const order = new Uint32Array(count);
    for (let i = 0; i < count; i++) order[next[bucketOf(i)]++] = i;
    const compare = (a: number, b: number) => this.#compare(a * ENTRY_WORDS, b * ENTRY_WORDS, packRanks);
    for (let bucket = 0; bucket < 2 ** bits; bucket++) {
      if (starts[bucket + 1] - starts[bucket] > 1) order.subarray(starts[bucket], starts[bucket + 1]).sort(compare);
    }
    return order;
  }

  #compare(a: number, b: number, packRanks: Uint32Array): number {
    const words = this.words;
    for (let i = 0; i < ENTRY_WORDS; i++) {
      if (words[a + i] !== words[b + i]) {
        const left = i === PACK_WORD ? packRanks[words[a + i]] : words[a + i];
        const right = i === PACK_WORD ? packRanks[words[b + i]] : words[b + i];
        return left < right ? -1 : 1;
      }
    }
    return 0;
  }

  #room(): number {
    const at = this.count * ENTRY_WORDS;
    if (at === this.words.length) {
      const larger = new Uint32Array(2 * at);
      larger.set(this.words);
      this.words = larger;
    }
    this.count++;
    return at;
  }
}
