import { compareNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { TreeLeaf, TreeReader } from "../repository/tree_reader.ts";
import { isDamage } from "./damage.ts";

/**
 * Walks a folder of an earlier snapshot beside the folder on disk; both are in order of their names. What cannot be read of
 * it counts as not there, so that it is saved again.
 */
export class ParentCursor {
  readonly #leaves: AsyncGenerator<TreeLeaf>;
  #leaf: readonly Entry[] = [];
  #at = 0;
  #ended = false;
  #isWanted = false;
  /** Leaves that were read, in their order, until who writes the folder has passed them. */
  readonly read: TreeLeaf[] = [];

  /** @param has Whether a document may be relied on by a new snapshot */
  constructor(trees: TreeReader, id: string, readonly has: (id: string) => boolean) {
    this.#leaves = trees.leafNodes(id);
  }

  /** The entry of `name`, which must come after the name of the call before. A promise only where a further leaf is read. */
  take(name: string): Entry | undefined | Promise<Entry | undefined> {
    while (this.#at < this.#leaf.length) {
      const order = compareNames(this.#leaf[this.#at].name, name);
      if (order > 0) return undefined;
      const entry = this.#leaf[this.#at++];
      if (order === 0) {
        this.#isWanted = true;
        return entry;
      }
    }
    return this.#ended ? undefined : this.#nextLeaf().then((more) => more ? this.take(name) : undefined);
  }

  async #nextLeaf(): Promise<boolean> {
    try {
      const next = await this.#leaves.next();
      if (!next.done) {
        // Of a leaf that gave nothing only matters that one came after what is kept.
        if (!this.#isWanted && this.read.at(-1)?.entries === this.#leaf) this.read.pop();
        this.read.push(next.value);
        this.#isWanted = false;
        this.#leaf = next.value.entries;
        this.#at = 0;
        return true;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    this.#ended = true;
    return false;
  }
}
