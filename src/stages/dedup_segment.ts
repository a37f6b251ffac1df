/**
 * One segment of a `DedupTable`.
 *
 * ```text
 * segment   claimed i32 | 0 × 60 | slots of 16 bytes                          a SharedArrayBuffer, used by Atomics
 * slot      first id word << 2 | phase | second, third, fourth id word        32-bit words, little-endian in the id
 * phase     1 being written, 2 recorded, 3 given up; a first word of 0 is an empty slot
 * ```
 *
 * The two bits of the first word that the shift drops choose one of four quarters of the segment, and probing stays inside
 * it: so 16 bytes hold a whole prefix and its state. A slot changes from empty by one compareExchange, which also names
 * 30 bits of the id; whoever meets a slot of the same 30 bits in phase 1 waits until its other words can be read.
 */
export interface DedupSegment {
  /** Place in the order of segments. */
  readonly number: number;
  readonly buffer: SharedArrayBuffer;
}

const HEADER_WORDS = 16;
const CLAIMED = 0;
const WRITING = 1;
const RECORDED = 2;
const GIVEN_UP = 3;
const SPINS = 100;
const WAITS_MAX = 100; // of 1 ms, for a worker that lost its core in the middle of a claim

/** `late`: the limit was reached meanwhile, the id is not here and must go to the next segment. */
export type Probe = "found" | "claimed" | "late" | "absent" | "full";

/** An id prefix as four words. */
export type PrefixWords = Int32Array;

export class Segment {
  readonly #words: Int32Array;
  /** Entries at which the next segment takes over; two thirds of the slots. */
  readonly limit: number;
  readonly #quarterSlots: number;

  constructor(readonly shared: DedupSegment) {
    this.#words = new Int32Array(shared.buffer);
    this.#quarterSlots = (this.#words.length - HEADER_WORDS) / 16;
    if (!Number.isInteger(this.#quarterSlots) || this.#quarterSlots < 1) {
      throw new RangeError(`A segment of ${shared.buffer.byteLength} bytes has no whole number of slots`);
    }
    this.limit = Math.floor((this.#quarterSlots * 8) / 3);
  }

  static allocate(number: number, entries: number): Segment {
    const slots = 4 * Math.ceil((entries * 3) / 8);
    return new Segment({ number, buffer: new SharedArrayBuffer(4 * HEADER_WORDS + 16 * slots) });
  }

  /** Entries, and for a moment those that come too late. */
  get claimed(): number {
    return Atomics.load(this.#words, CLAIMED);
  }

  /** @param overfill Whether to insert beyond the limit, because no later segment is known */
  probe(id: PrefixWords, insert: boolean, overfill: boolean): Probe {
    const words = this.#words;
    const slots = this.#quarterSlots;
    const tag = id[0] << 2;
    const first = HEADER_WORDS + (id[0] >>> 30) * slots * 4;
    let at = first + 4 * Math.floor(((id[1] >>> 0) * slots) / 2 ** 32);
    const end = first + 4 * slots;
    for (let probes = 0; probes < slots; probes++) {
      let state = Atomics.load(words, at);
      if (state === 0) {
        if (!insert) return "absent";
        state = Atomics.compareExchange(words, at, 0, tag | WRITING);
        if (state === 0) return this.#fill(at, id, overfill);
      }
      if (state === (tag | WRITING)) state = this.#settled(at, state);
      if (
        state === (tag | RECORDED) && words[at + 1] === id[1] && words[at + 2] === id[2] && words[at + 3] === id[3]
      ) return "found";
      at += 4;
      if (at === end) at = first;
    }
    return "full";
  }

  /** Inserts while no other thread knows the segment; false where it is full. */
  record(id: PrefixWords, overfill: boolean): boolean {
    const words = this.#words;
    const slots = this.#quarterSlots;
    const recorded = (id[0] << 2) | RECORDED;
    const first = HEADER_WORDS + (id[0] >>> 30) * slots * 4;
    let at = first + 4 * Math.floor(((id[1] >>> 0) * slots) / 2 ** 32);
    const end = first + 4 * slots;
    for (let probes = 0; probes < slots; probes++) {
      const state = words[at];
      if (state === 0) {
        if (words[CLAIMED] >= this.limit && !overfill) return false;
        words[CLAIMED]++;
        for (let i = 1; i < 4; i++) words[at + i] = id[i];
        words[at] = recorded;
        return true;
      }
      if (state === recorded && words[at + 1] === id[1] && words[at + 2] === id[2] && words[at + 3] === id[3]) {
        return true;
      }
      at += 4;
      if (at === end) at = first;
    }
    return false;
  }

  #fill(at: number, id: PrefixWords, overfill: boolean): Probe {
    const words = this.#words;
    if (Atomics.add(words, CLAIMED, 1) >= this.limit && !overfill) {
      Atomics.sub(words, CLAIMED, 1);
      Atomics.store(words, at, (id[0] << 2) | GIVEN_UP);
      return "late";
    }
    words[at + 1] = id[1];
    words[at + 2] = id[2];
    words[at + 3] = id[3];
    Atomics.store(words, at, (id[0] << 2) | RECORDED); // publishes the three words
    return "claimed";
  }

  /** Waits for another worker's few instructions; after a tenth of a second it is taken for dead and its slot for another's. */
  #settled(at: number, writing: number): number {
    let state = writing;
    for (let spin = 0; state === writing && spin < SPINS; spin++) state = Atomics.load(this.#words, at);
    for (let wait = 0; state === writing && wait < WAITS_MAX; wait++) {
      Atomics.wait(this.#words, at, writing, 1);
      state = Atomics.load(this.#words, at);
    }
    return state;
  }
}
