import { compareNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";

/** The entries of a folder one by one; one leaf of it is in memory. */
export class EntryCursor {
  #leaf: readonly Entry[] = [];
  #at = 0;

  constructor(readonly leaves: AsyncIterator<readonly Entry[]>) {}

  /** The entry that {@linkcode next} returns; undefined at the end. */
  async peek(): Promise<Entry | undefined> {
    while (this.#at === this.#leaf.length) {
      const { done, value } = await this.leaves.next();
      if (done) return undefined;
      this.#leaf = value;
      this.#at = 0;
    }
    return this.#leaf[this.#at];
  }

  async next(): Promise<Entry | undefined> {
    const entry = this.#at < this.#leaf.length ? this.#leaf[this.#at] : await this.peek();
    if (entry !== undefined) this.#at++;
    return entry;
  }
}

/** Entries of one name in two folders. */
export interface EntryPair {
  before?: Entry;
  after?: Entry;
}

/** Two folders side by side in order of their names. */
export class PairCursor {
  constructor(readonly before: EntryCursor, readonly after: EntryCursor) {}

  async next(): Promise<EntryPair | undefined> {
    const before = await this.before.peek();
    const after = await this.after.peek();
    if (before === undefined && after === undefined) return undefined;
    const order = before === undefined ? 1 : after === undefined ? -1 : compareNames(before.name, after.name);
    const pair: EntryPair = {};
    if (order <= 0) pair.before = await this.before.next();
    if (order >= 0) pair.after = await this.after.next();
    return pair;
  }
}
