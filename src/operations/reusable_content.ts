import { ChunkKind } from "../model/chunk.ts";
import type { Content, ContentElement, Entry } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { isDamage } from "./damage.ts";

/** Which entries of an earlier snapshot a new one may take over. */
export class ReusableContent {
  constructor(readonly writer: RepositoryWriter, readonly trees: TreeReader) {}

  /** Whether every chunk that an entry of an earlier snapshot names can be relied on; false if that cannot be found out. */
  of({ xattrs, content, size }: Entry): boolean | Promise<boolean> {
    if (xattrs?.some(({ chunks }) => chunks?.some((id) => !this.writer.hasText(id, ChunkKind.tree)))) return false;
    if (content === undefined) return true;
    if (content.nodes !== undefined) return this.#canReuseNodes(content, Number(size));
    return this.#hasAll(content.elements ?? [], content);
  }

  async #canReuseNodes(content: Content, sizeBytes: number): Promise<boolean> {
    try {
      for await (const node of this.trees.contentNodes(content, sizeBytes)) {
        if (!this.writer.hasText(node, ChunkKind.tree)) return false;
      }
      for await (const elements of this.trees.content(content, sizeBytes)) {
        if (!this.#hasAll(elements, content)) return false;
      }
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }

  #hasAll(elements: readonly ContentElement[], content: Content): boolean {
    const kind = content.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    return elements.every((element) => typeof element !== "string" || this.writer.hasText(element, kind));
  }
}
