import type { Entry } from "../model/entry.ts";
import { type PutDocument, TreeWriter } from "../repository/tree_writer.ts";
import type { ParentCursor } from "./change_detection.ts";

/** Entries kept back in the hope that the whole folder is as it was; more are written as they come. */
const KEPT_MAX = 4096;

/**
 * Makes the document of a folder, or takes over the one of the parent snapshot if every entry is the parent's own object,
 * none is gone and the document may be relied on. So an unchanged folder is neither serialized nor hashed.
 */
export class FolderWriter {
  #kept: Entry[] | undefined = [];
  readonly #tree: TreeWriter;

  constructor(
    put: PutDocument,
    splitKey: Uint8Array<ArrayBuffer>,
    readonly parent: { cursor: ParentCursor; id: string } | undefined,
  ) {
    this.#tree = new TreeWriter(put, splitKey);
    if (parent === undefined) this.#kept = undefined;
  }

  /** @param isParents Whether `entry` is what the parent's folder has under this name */
  add(entry: Entry, isParents: boolean): void | Promise<void> {
    if (this.#kept === undefined) return this.#tree.add(entry);
    if (!isParents || this.#kept.length >= KEPT_MAX) return this.#giveUp().then(() => this.#tree.add(entry));
    this.#kept.push(entry);
  }

  async #giveUp(): Promise<void> {
    const kept = this.#kept ?? [];
    this.#kept = undefined;
    for (const entry of kept) await this.#tree.add(entry);
  }

  async finish(): Promise<{ id: string; unchanged: boolean }> {
    const { cursor } = this.parent ?? {};
    // An entry that was found in the parent and then could not be saved is not among those that were kept.
    if (this.#kept !== undefined && this.#kept.length === cursor!.taken && await cursor!.isReusable()) {
      return { id: this.parent!.id, unchanged: true };
    }
    await this.#giveUp();
    const id = await this.#tree.finish();
    return { id, unchanged: id === this.parent?.id };
  }
}
