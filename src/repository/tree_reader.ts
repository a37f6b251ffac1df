import { type Bytes, fromUtf8 } from "../base/bytes.ts";
import { AxiomError, DAMAGE_HINTS } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { compareNames } from "../base/names.ts";
import { type Content, type ContentElement, type Entry, isElementList } from "../model/entry.ts";
import { decodeTreeNode, type TreeNode } from "../model/tree.ts";

/** Reads and verifies a chunk of kind tree by its hexadecimal id; at once where nothing has to be read for it. */
export type GetDocument = (id: string) => Bytes | Promise<Bytes>;

export interface TreeLeaf {
  readonly id: string;
  readonly entries: Entry[];
}

/** The way back from a folder's id to its entries, a leaf at a time. */
export class TreeReader {
  readonly get: GetDocument;

  constructor(get: GetDocument) {
    this.get = get;
  }

  async node(id: string): Promise<TreeNode> {
    return decodeTreeNode(await this.get(id), id.slice(0, 16));
  }

  /** The entries of a folder in order of their names, a leaf at a time; throws `data_damaged` where leaves overlap. */
  async *leaves(id: string): AsyncGenerator<Entry[]> {
    for await (const { entries } of this.leafNodes(id)) yield entries;
  }

  /** The same with the leaves' own ids. */
  async *leafNodes(id: string): AsyncGenerator<TreeLeaf> {
    const left = [{ id, depth: 0 }];
    let last: string | undefined;
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { id: at, depth } = next;
      if (depth > NODE_DEPTH_MAX) throw damaged(at, "its index nodes are nested too deeply");
      const node = await this.node(at);
      if ("children" in node) {
        for (const child of node.children.toReversed()) left.push({ id: child.id, depth: depth + 1 });
        continue;
      }
      const { entries } = node;
      if (entries.length === 0) {
        // Else a few documents that name each other often would be read without end: nothing of them overlaps.
        if (depth > 0) throw damaged(id, "one of its leaves is empty");
        return;
      }
      if (last !== undefined && compareNames(last, entries[0].name) >= 0) throw damaged(id, "its leaves overlap");
      last = entries[entries.length - 1].name;
      yield { id: at, entries };
    }
  }

  async *entries(id: string): AsyncGenerator<Entry> {
    for await (const leaf of this.leaves(id)) yield* leaf;
  }

  /** The entry of a name in a folder; visits one leaf. */
  async find(id: string, name: string): Promise<Entry | undefined> {
    for (let depth = 0, at = id; depth <= NODE_DEPTH_MAX; depth++) {
      const node = await this.node(at);
      if ("entries" in node) return node.entries.find((entry) => entry.name === name);
      const child = node.children.findLast(({ first }) => compareNames(first, name) <= 0);
      if (child === undefined) return undefined;
      at = child.id;
    }
    throw damaged(id, "its index nodes are nested too deeply");
  }

  /** Names in a folder that begin with `prefix`; visits only leaves that may have some. */
  async namesWith(id: string, prefix: string, depth = 0): Promise<string[]> {
    if (depth > NODE_DEPTH_MAX) throw damaged(id, "its index nodes are nested too deeply");
    const node = await this.node(id);
    if ("entries" in node) return node.entries.flatMap(({ name }) => name.startsWith(prefix) ? [name] : []);
    const names: string[] = [];
    for (const [i, child] of node.children.entries()) {
      const next = node.children[i + 1]?.first;
      const endsBefore = next !== undefined && compareNames(next, prefix) <= 0;
      const beginsAfter = compareNames(child.first, prefix) > 0 && !child.first.startsWith(prefix);
      if (!endsBefore && !beginsAfter) names.push(...await this.namesWith(child.id, prefix, depth + 1));
    }
    return names;
  }

  /**
   * The elements of a content in order, a node at a time.
   *
   * @param sizeBytes Of the file. Throws `data_damaged` for more lists and elements than so many bytes can have
   */
  async *content(content: Content | undefined, sizeBytes = Infinity): AsyncGenerator<ContentElement[]> {
    if (content?.nodes === undefined) {
      yield content?.elements ?? [];
      return;
    }
    const budget = { left: 2 * sizeBytes };
    for (const node of content.nodes) yield* this.#contentNode(node, content.depth!, budget);
  }

  async *#contentNode(id: string, depth: number, budget: Budget): AsyncGenerator<ContentElement[]> {
    const elements = await this.#list(id, budget);
    if (depth === 1) {
      yield elements;
      return;
    }
    for (const element of elements) {
      if (typeof element !== "string") throw damaged(id, "a list of nodes has a hole");
      yield* this.#contentNode(element, depth - 1, budget);
    }
  }

  async #list(id: string, budget: Budget): Promise<ContentElement[]> {
    let elements: unknown;
    try {
      elements = JSON.parse(fromUtf8(await this.get(id)));
    } catch (error) {
      if (error instanceof AxiomError) throw error;
      throw damaged(id, "it is not JSON");
    }
    if (!isElementList(elements)) throw damaged(id, "it is not a list of content");
    budget.left -= 1 + elements.length;
    if (budget.left < 0) throw damaged(id, "the content has more parts than the file has bytes");
    return elements;
  }

  /** Ids of the documents that `content` is spread over, not of its chunks; otherwise like {@linkcode content}. */
  async *contentNodes(content: Content | undefined, sizeBytes = Infinity): AsyncGenerator<string> {
    if (content?.nodes !== undefined) yield* this.#nodesBelow(content.nodes, content.depth!, { left: 2 * sizeBytes });
  }

  async *#nodesBelow(nodes: readonly string[], depth: number, budget: Budget): AsyncGenerator<string> {
    for (const id of nodes) {
      yield id;
      if (depth === 1) continue;
      const children = await this.#list(id, budget);
      yield* this.#nodesBelow(children.filter((child) => typeof child === "string"), depth - 1, budget);
    }
  }
}

/** What may still be read of a content: a list that names itself often costs little to store. */
interface Budget {
  left: number;
}

const NODE_DEPTH_MAX = LIMITS.contentListDepthMax;

function damaged(id: string, why: string): AxiomError {
  return new AxiomError("data_damaged", `Cannot read the tree ${id.slice(0, 16)}: ${why}`, {
    hint: DAMAGE_HINTS.content,
  });
}
