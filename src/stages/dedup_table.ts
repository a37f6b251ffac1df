/**
 * Which chunks the repository, or this session, has: a set of 16-byte id prefixes shared by all workers.
 *
 * `claim` is true for exactly one of all workers that know the same segments. New entries go to the oldest segment that is
 * not full, and full is what the counter says: an entry counts only if its increment came before the limit, and who saw
 * the limit reached probes after that, so it sees every entry that counts. Whoever is late gives the slot up and goes on
 * to the next segment. A worker that does not know the newest segment fills the last one that it knows beyond its limit;
 * then, or when there is no room at all, or when a worker was ended in the middle of a claim, two workers may both be told
 * that a chunk is new. It is stored twice and nothing is lost. The other error, `false` for a chunk that nobody claimed,
 * cannot happen.
 *
 * There is no release: from the moment of a claim others count on the chunk, so a frame that fails is made again, or the
 * backup fails.
 */
import { type DedupSegment, type PrefixWords, Segment } from "./dedup_segment.ts";

export type { DedupSegment };

/** What a worker needs to attach; structured-cloneable. */
export interface DedupShare {
  readonly segments: readonly DedupSegment[];
}

const ENTRIES_MIN = 1024;
const ENTRIES_MAX = 2 ** 27; // of a segment: 3 GiB
const ENTRIES_ALL_MAX = 2 ** 32; // 4 PiB of content

/** The owner creates and grows it, workers attach; all may claim. Memory: 24 bytes per expected entry. */
export class DedupTable {
  readonly #segments: Segment[] = [];
  readonly #id: PrefixWords = new Int32Array(4); // one per table, so that a look-up makes no garbage

  private constructor(segments: readonly Segment[]) {
    this.#segments.push(...segments);
  }

  /**
   * @param expectedEntries What the index holds and what the run may add; more makes it {@linkcode grow}
   * @param segmentEntriesMax Above it there are several segments from the start
   */
  static create(expectedEntries: number, segmentEntriesMax = ENTRIES_MAX): DedupTable {
    if (!Number.isInteger(expectedEntries) || expectedEntries < 0 || expectedEntries > ENTRIES_ALL_MAX) {
      throw new RangeError(`Cannot make a table of ${expectedEntries} chunks: not in 0…${ENTRIES_ALL_MAX}`);
    }
    const entries = Math.max(ENTRIES_MIN, expectedEntries);
    const count = Math.ceil(entries / segmentEntriesMax);
    return new DedupTable(
      Array.from({ length: count }, (_, number) => Segment.allocate(number, Math.ceil(entries / count))),
    );
  }

  static attach(share: DedupShare): DedupTable {
    if (share.segments.length === 0) throw new RangeError("A table has at least one segment");
    const table = new DedupTable([]);
    for (const segment of share.segments) table.attachSegment(segment);
    return table;
  }

  share(): DedupShare {
    return { segments: this.#segments.map((segment) => segment.shared) };
  }

  /** Segments come in order; one that is known already is ignored. */
  attachSegment(segment: DedupSegment): void {
    if (segment.number < this.#segments.length) return;
    if (segment.number > this.#segments.length) {
      throw new RangeError(`Segment ${segment.number} before segment ${this.#segments.length}`);
    }
    this.#segments.push(new Segment(segment));
  }

  /**
   * Records the prefix of `id` at `offset`. True: new, and the caller must store the chunk. False: someone has stored it or
   * is about to.
   */
  claim(id: Uint8Array, offset = 0): boolean {
    const words = this.#read(id, offset);
    const newest = this.#segments.length - 1;
    for (let number = 0; number <= newest; number++) {
      const segment = this.#segments[number];
      const insert = number === newest || segment.claimed < segment.limit;
      const outcome = segment.probe(words, insert, number === newest);
      if (outcome === "claimed") return true;
      if (outcome === "found") return false;
    }
    return true;
  }

  has(id: Uint8Array, offset = 0): boolean {
    const words = this.#read(id, offset);
    for (const segment of this.#segments) if (segment.probe(words, false, false) === "found") return true;
    return false;
  }

  /**
   * Records a chunk that the repository has, by four big-endian words at `at` of `words`, before anyone else knows this table:
   * nothing has to be agreed on.
   */
  insertPrefix(words: Uint32Array, at: number): void {
    for (let i = 0; i < 4; i++) {
      const word = words[at + i];
      this.#id[i] = (word >>> 24) | ((word >>> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24);
    }
    const last = this.#segments.length - 1;
    for (let number = 0; number <= last; number++) if (this.#segments[number].record(this.#id, number === last)) return;
  }

  get count(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.claimed, 0);
  }

  get memoryBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.shared.buffer.byteLength, 0);
  }

  /** True when the newest segment is half full: time to {@linkcode grow}, so that workers hear of it before they need it. */
  get needsSegment(): boolean {
    const newest = this.#segments[this.#segments.length - 1];
    return newest.claimed * 2 >= newest.limit;
  }

  /** Adds a segment of double size; only the owner does. The result goes to every worker's {@linkcode attachSegment}. */
  grow(): DedupSegment {
    const number = this.#segments.length;
    const segment = Segment.allocate(number, Math.min(ENTRIES_MAX, this.#segments[number - 1].limit * 2));
    this.#segments.push(segment);
    return segment.shared;
  }

  #read(id: Uint8Array, offset: number): PrefixWords {
    if (offset + 16 > id.length) throw new RangeError(`No id of 16 bytes at ${offset} of ${id.length}`);
    for (let i = 0, at = offset; i < 4; i++, at += 4) {
      this.#id[i] = id[at] | (id[at + 1] << 8) | (id[at + 2] << 16) | (id[at + 3] << 24);
    }
    return this.#id;
  }
}
