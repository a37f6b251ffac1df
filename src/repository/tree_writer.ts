import { canonicalJson, type Json } from "../base/canonical_json.ts";
import { type Bytes, KIB, utf8 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { encodeName } from "../base/names.ts";
import type { ContentElement, Entry } from "../model/entry.ts";
import { HmacKey } from "../stages/hmac.ts";
import { entryText } from "../model/entry_text.ts";
import { encodeIndexNode, encodeLeaf, LEAF_FRAME_BYTES, LEAF_SPLIT, type TreeChild } from "../model/tree.ts";

/** A smaller leaf is not split: most folders are one document, and need no HMAC per name. */
const LEAF_BYTES_MIN = 16 * KIB;

/** Stores a document of kind tree and returns its id in hexadecimal. */
export type PutDocument = (data: Bytes) => Promise<string>;

/**
 * Makes the documents of one folder from its entries, which come in the order of their names. Memory holds one leaf and
 * the ids of the finished ones, whatever the size of the folder.
 */
export class TreeWriter {
  readonly #put: PutDocument;
  readonly #splitKey: Bytes;
  #leafEnds: ((name: string) => boolean) | undefined;
  #texts: string[] = [];
  #bytes = LEAF_FRAME_BYTES;
  #first: string | undefined;
  readonly #leaves: TreeChild[] = [];

  constructor(put: PutDocument, splitKey: Bytes) {
    this.#put = put;
    this.#splitKey = splitKey;
  }

  /** A promise only where a leaf is full; the next call must wait for it. */
  add(entry: Entry): void | Promise<void> {
    const text = entryText(entry);
    const bytes = utf8Length(text) + 1;
    if (this.#texts.length === 0 || this.#bytes + bytes <= LIMITS.treeNodeBytesMax) {
      return this.#append(entry.name, text, bytes);
    }
    return this.#finishLeaf().then(() => this.#append(entry.name, text, bytes));
  }

  /** Whether the next entry begins a leaf. */
  get isBetweenLeaves(): boolean {
    return this.#texts.length === 0;
  }

  /** A leaf that the repository has already; only where the next entry would begin one. */
  addLeaf(leaf: TreeChild): void {
    this.#leaves.push(leaf);
  }

  #append(name: string, text: string, bytes: number): void | Promise<void> {
    this.#first ??= name;
    this.#texts.push(text);
    this.#bytes += bytes;
    if (this.#bytes >= LEAF_BYTES_MIN && this.#endsLeaf(name)) return this.#finishLeaf();
  }

  /** Made when it is needed first: most folders are one leaf. */
  #endsLeaf(name: string): boolean {
    return (this.#leafEnds ??= leafEnds(this.#splitKey))(name);
  }

  async #finishLeaf(): Promise<void> {
    const data = encodeLeaf(this.#texts);
    this.#leaves.push({ first: this.#first!, id: await this.#put(data) });
    this.#texts = [];
    this.#bytes = LEAF_FRAME_BYTES;
    this.#first = undefined;
  }

  /** Id of the folder's root node. */
  async finish(): Promise<string> {
    if (this.#texts.length > 0) await this.#finishLeaf();
    if (this.#leaves.length === 0) return await this.#put(encodeLeaf([]));
    let level = this.#leaves;
    while (level.length > 1) level = await this.#indexLevel(level);
    return level[0].id;
  }

  async #indexLevel(children: readonly TreeChild[]): Promise<TreeChild[]> {
    const level: TreeChild[] = [];
    let group: TreeChild[] = [];
    let bytes = 0;
    const finishGroup = async () => {
      if (group.length > 0) level.push({ first: group[0].first, id: await this.#put(encodeIndexNode(group)) });
      group = [];
      bytes = 0;
    };
    for (const child of children) {
      const size = utf8Length(JSON.stringify(child.first)) + 90;
      if (bytes + size > LIMITS.treeNodeBytesMax - LEAF_FRAME_BYTES) await finishGroup();
      group.push(child);
      bytes += size;
      if (group.length > 1 && this.#endsLeaf(child.first)) await finishGroup();
    }
    await finishGroup();
    return level;
  }
}

/** Says yes to one name in 512, by a secret of the repository, so that folders split at the same names on every run. */
export function leafEnds(splitKey: Bytes): (name: string) => boolean {
  const key = new HmacKey(splitKey);
  return (name) => {
    const mac = key.digest(encodeName(name));
    return (mac[0] | (mac[1] << 8)) % LEAF_SPLIT === 0;
  };
}

function utf8Length(text: string): number {
  // deno-lint-ignore no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text.length : utf8(text).length;
}

/**
 * Groups a long content into list nodes, which are JSON arrays of elements, until few enough ids are left. A group ends
 * after an id that begins with a zero byte, so that an insertion changes one node per level.
 */
export async function writeContentNodes(
  elements: ContentElement[],
  put: PutDocument,
): Promise<{ elements: ContentElement[] } | { nodes: string[]; depth: number }> {
  if (elements.length <= LIMITS.contentInlineChunksMax) return { elements };
  let level: ContentElement[] = elements;
  let depth = 0;
  while (level.length > LIMITS.contentInlineChunksMax) {
    const nodes: string[] = [];
    for (let start = 0, at = 0; at < level.length; at++) {
      const length = at + 1 - start;
      const element = level[at];
      const cut = typeof element === "string" && length >= CONTENT_NODE_MIN && element.startsWith("00");
      if (cut || length === CONTENT_NODE_MAX || at === level.length - 1) {
        nodes.push(await put(utf8(canonicalJson(level.slice(start, at + 1) as Json))));
        start = at + 1;
      }
    }
    level = nodes;
    depth++;
  }
  return { nodes: level as string[], depth };
}

const CONTENT_NODE_MIN = 64;
const CONTENT_NODE_MAX = 2048;
