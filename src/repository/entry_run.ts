import { compareEntries, ENTRY_WORDS, PACK_WORD } from "../model/index_entries.ts";

const BLOCK_SHIFT = 11;
const BLOCK_ENTRIES = 2 ** BLOCK_SHIFT;
const BLOCK_WORDS = BLOCK_ENTRIES * ENTRY_WORDS;
const GUESSES_MAX = 12;

/**
 * Sorted index entries in blocks of 64 KiB. Merging gives the blocks of what it has read to what it writes, so that two runs
 * of n entries need no more than n entries' memory while they become one.
 */
export class EntryRun {
  readonly blocks: (Uint32Array | undefined)[] = [];
  count = 0;

  /** Appends the entry of `words` at `at`, which belongs behind all others. */
  append(words: Uint32Array, at: number, spare?: Uint32Array[]): void {
    const inBlock = this.count % BLOCK_ENTRIES;
    if (inBlock === 0) this.blocks.push(spare?.pop() ?? new Uint32Array(BLOCK_WORDS));
    const block = this.blocks[this.blocks.length - 1]!;
    const to = inBlock * ENTRY_WORDS;
    for (let i = 0; i < ENTRY_WORDS; i++) block[to + i] = words[at + i];
    this.count++;
  }

  /** Like {@linkcode append}, for an entry that may belong a few places further to the front. */
  insertNearEnd(words: Uint32Array, at: number): void {
    this.append(words, at);
    for (let i = this.count - 1; i > 0; i--) {
      const left = this.block(i - 1);
      const right = this.block(i);
      const leftAt = this.at(i - 1);
      const rightAt = this.at(i);
      if (compareEntries(left, leftAt, right, rightAt) <= 0) return;
      for (let word = 0; word < ENTRY_WORDS; word++) {
        const moved = left[leftAt + word];
        left[leftAt + word] = right[rightAt + word];
        right[rightAt + word] = moved;
      }
    }
  }

  /** Gives back what the last block does not fill: most runs are small. */
  trim(): void {
    const used = (this.count % BLOCK_ENTRIES) * ENTRY_WORDS;
    if (used > 0) this.blocks[this.blocks.length - 1] = this.blocks[this.blocks.length - 1]!.slice(0, used);
  }

  block(entry: number): Uint32Array {
    return this.blocks[entry >>> BLOCK_SHIFT]!;
  }

  /** Where entry `entry` begins in its block. */
  at(entry: number): number {
    return (entry & (BLOCK_ENTRIES - 1)) * ENTRY_WORDS;
  }

  /**
   * Number of entries whose prefix is below the four words of `key`. Ids are uniform, so guesses by the first word end after
   * five or six; whatever is not uniform is halved.
   */
  lowerBound(key: Uint32Array): number {
    let low = 0;
    let high = this.count;
    let lowWord = 0;
    let highWord = 2 ** 32;
    for (let step = 0; low < high; step++) {
      const share = step < GUESSES_MAX && highWord > lowWord ? (key[0] - lowWord) / (highWord - lowWord) : 0.5;
      const middle = Math.min(high - 1, low + Math.floor((high - low) * share));
      if (this.#prefixBelow(middle, key)) {
        low = middle + 1;
        lowWord = this.block(middle)[this.at(middle)];
      } else {
        high = middle;
        highWord = this.block(middle)[this.at(middle)];
      }
    }
    return low;
  }

  /** Whether entry `entry` has the prefix `key`. */
  matches(entry: number, key: Uint32Array): boolean {
    const block = this.block(entry);
    const at = this.at(entry);
    return block[at] === key[0] && block[at + 1] === key[1] && block[at + 2] === key[2] && block[at + 3] === key[3];
  }

  get memoryBytes(): number {
    return this.blocks.reduce((sum, block) => sum + (block?.byteLength ?? 0), 0);
  }

  #prefixBelow(entry: number, key: Uint32Array): boolean {
    const block = this.block(entry);
    const at = this.at(entry);
    for (let i = 0; i < PACK_WORD; i++) {
      if (block[at + i] !== key[i]) return block[at + i] < key[i];
    }
    return false;
  }
}

/** Entries of either, each once. `a` and `b` are used up. */
export function mergeRuns(a: EntryRun, b: EntryRun): EntryRun {
  const merged = new EntryRun();
  const spare: Uint32Array[] = [];
  const left = new Cursor(a, spare);
  const right = new Cursor(b, spare);
  while (left.block !== undefined || right.block !== undefined) {
    const order = left.block === undefined
      ? 1
      : right.block === undefined
      ? -1
      : compareEntries(left.block, left.at, right.block, right.at);
    const next = order <= 0 ? left : right;
    merged.append(next.block!, next.at, spare);
    next.advance();
    if (order === 0) right.advance();
  }
  merged.trim();
  return merged;
}

/** Reads a run once; blocks that were read go to `spare`. */
class Cursor {
  block: Uint32Array | undefined;
  at = 0;
  #entry = 0;

  constructor(readonly run: EntryRun, readonly spare: Uint32Array[]) {
    this.block = run.count > 0 ? run.blocks[0] : undefined;
  }

  advance(): void {
    this.#entry++;
    this.at += ENTRY_WORDS;
    const done = this.#entry === this.run.count;
    if (!done && this.at < BLOCK_WORDS) return;
    const number = Math.floor((this.#entry - 1) / BLOCK_ENTRIES);
    if (this.block?.length === BLOCK_WORDS) this.spare.push(this.block);
    this.run.blocks[number] = undefined;
    this.block = done ? undefined : this.run.blocks[number + 1];
    this.at = 0;
  }
}
