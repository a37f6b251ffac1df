import { fromHex } from "../base/bytes.ts";
import { throwIfAborted } from "../base/errors.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { DedupTable } from "../stages/dedup_table.ts";

export interface ReachableChunk {
  /** Hexadecimal. */
  id: string;
  kind: ChunkKind;
}

/** Everything that snapshots need of the repository, each chunk once over all calls; 24 bytes of memory per chunk. */
export class ReachableChunks {
  readonly #seen: DedupTable;

  /** @param expectedChunks About as many as the index has */
  constructor(readonly trees: TreeReader, expectedChunks: number, readonly signal?: AbortSignal) {
    this.#seen = DedupTable.create(expectedChunks);
  }

  /** Trees before what they name. Throws where a document cannot be read. */
  async *below(root: string): AsyncGenerator<ReachableChunk> {
    const stack = [root];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      throwIfAborted(this.signal);
      if (!this.#isNew(id)) continue;
      yield { id, kind: ChunkKind.tree };
      const node = await this.trees.node(id);
      if ("children" in node) {
        for (const child of node.children.toReversed()) stack.push(child.id);
        continue;
      }
      for (const entry of node.entries) {
        if (entry.type === "dir") stack.push(entry.subtree!);
        yield* this.#ofEntry(entry);
      }
    }
  }

  async *#ofEntry(entry: Entry): AsyncGenerator<ReachableChunk> {
    for (const { chunks } of entry.xattrs ?? []) {
      for (const id of chunks ?? []) if (this.#isNew(id)) yield { id, kind: ChunkKind.tree };
    }
    const { content } = entry;
    if (content === undefined) return;
    for await (const id of this.trees.contentNodes(content)) if (this.#isNew(id)) yield { id, kind: ChunkKind.tree };
    const kind = content.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    for await (const elements of this.trees.content(content)) {
      for (const id of elements) if (typeof id === "string" && this.#isNew(id)) yield { id, kind };
    }
  }

  #isNew(id: string): boolean {
    if (this.#seen.needsSegment) this.#seen.grow();
    return this.#seen.claim(fromHex(id));
  }
}
