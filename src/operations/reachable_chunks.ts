import { fromHex } from "../base/bytes.ts";
import { type AxiomError, throwIfAborted } from "../base/errors.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { DedupTable } from "../stages/dedup_table.ts";
import { isDamage } from "./damage.ts";

export interface ReachableChunk {
  /** Hexadecimal. */
  id: string;
  kind: ChunkKind;
}

export interface ReachableOptions {
  /** About as many as the index has. */
  expectedChunks: number;
  /** Told of each document that cannot be read; the rest follows. */
  onDamage: (error: AxiomError) => void;
  signal?: AbortSignal;
}

/** Everything that snapshots need of the repository, each chunk once over all calls; 24 bytes of memory per chunk. */
export class ReachableChunks {
  readonly #seen: DedupTable;

  constructor(readonly trees: TreeReader, readonly options: ReachableOptions) {
    this.#seen = DedupTable.create(options.expectedChunks);
  }

  /** Documents before what they name. */
  async *below(root: string): AsyncGenerator<ReachableChunk> {
    const stack = [root];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      throwIfAborted(this.options.signal);
      if (!this.#isNew(id)) continue;
      yield { id, kind: ChunkKind.tree };
      const node = await this.#readable(this.trees.node(id));
      if (node === undefined) continue;
      if ("children" in node) {
        for (const child of node.children.toReversed()) stack.push(child.id);
        continue;
      }
      for (const entry of node.entries) {
        if (entry.type === "dir") stack.push(entry.subtree!);
        else yield* this.#ofContent(entry);
        yield* this.#ofXattrs(entry);
      }
    }
  }

  *#ofXattrs(entry: Entry): Generator<ReachableChunk> {
    for (const { chunks } of entry.xattrs ?? []) {
      for (const id of chunks ?? []) if (this.#isNew(id)) yield { id, kind: ChunkKind.tree };
    }
  }

  async *#ofContent({ content, size }: Entry): AsyncGenerator<ReachableChunk> {
    if (content === undefined) return;
    const kind = content.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    const lists = this.trees.contentNodes(content, Number(size));
    const nodes = () => this.#readable(lists.next());
    for (let node = await nodes(); node !== undefined && !node.done; node = await nodes()) {
      if (this.#isNew(node.value)) yield { id: node.value, kind: ChunkKind.tree };
    }
    const contents = this.trees.content(content, Number(size));
    const parts = () => this.#readable(contents.next());
    for (let part = await parts(); part !== undefined && !part.done; part = await parts()) {
      for (const id of part.value) if (typeof id === "string" && this.#isNew(id)) yield { id, kind };
    }
  }

  async #readable<T>(reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.options.onDamage(error);
      return undefined;
    }
  }

  #isNew(id: string): boolean {
    if (this.#seen.needsSegment) this.#seen.grow();
    return this.#seen.claim(fromHex(id));
  }
}
