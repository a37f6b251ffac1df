import { compareNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { TreeLeaf } from "../repository/tree_reader.ts";
import { type PutDocument, TreeWriter } from "../repository/tree_writer.ts";
import type { ParentCursor } from "./parent_cursor.ts";

export interface SavedFolder {
  id: string;
  /** Whether it is the parent snapshot's. */
  unchanged: boolean;
}

/**
 * Makes the documents of a folder. A leaf of the parent snapshot of which every entry comes again, as the parent's own object
 * and with nothing in between, is taken over as it is: it is neither serialized nor hashed, whatever the size of the folder.
 */
export class FolderWriter {
  readonly #tree: TreeWriter;
  /** The parent's leaf that is coming again, and how many of its entries came. */
  #leaf: TreeLeaf | undefined;
  #kept = 0;

  constructor(
    put: PutDocument,
    splitKey: Uint8Array<ArrayBuffer>,
    readonly parent: { cursor: ParentCursor; id: string } | undefined,
  ) {
    this.#tree = new TreeWriter(put, splitKey);
  }

  /**
   * Entries come in the order of their names, each after the cursor was asked for it. A promise must be awaited before the
   * next call.
   *
   * @param isParents Whether `entry` is what the parent's folder has under this name
   */
  add(entry: Entry, isParents: boolean): void | Promise<void> {
    if (isParents && this.#leaf?.entries[this.#kept] === entry) {
      this.#kept++;
      return;
    }
    const settled = this.#settle(false);
    return settled instanceof Promise
      ? settled.then(() => this.#addNext(entry, isParents))
      : this.#addNext(entry, isParents);
  }

  #addNext(entry: Entry, isParents: boolean): void | Promise<void> {
    const leaves = this.parent?.cursor.read ?? [];
    while (leaves.length > 0 && compareNames(leaves[0].entries.at(-1)!.name, entry.name) < 0) leaves.shift();
    if (!isParents || leaves[0]?.entries[0] !== entry || !this.#tree.isBetweenLeaves) return this.#tree.add(entry);
    this.#leaf = leaves.shift();
    this.#kept = 1;
  }

  /** A leaf that was the parent's last ended with the folder and not at one of the names that end a leaf. */
  #settle(atEnd: boolean): void | Promise<void> {
    const leaf = this.#leaf;
    if (leaf === undefined) return;
    this.#leaf = undefined;
    const { cursor } = this.parent!;
    const isWhole = this.#kept === leaf.entries.length && (atEnd || cursor.read.length > 0);
    if (isWhole && cursor.has(leaf.id)) return this.#tree.addLeaf({ first: leaf.entries[0].name, id: leaf.id });
    return this.#addAll(leaf.entries.slice(0, this.#kept));
  }

  async #addAll(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) await this.#tree.add(entry);
  }

  async finish(): Promise<SavedFolder> {
    await this.#settle(true);
    const id = await this.#tree.finish();
    return { id, unchanged: id === this.parent?.id };
  }
}
