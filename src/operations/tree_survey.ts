import { fromHex } from "../base/bytes.ts";
import { messageOf, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { compareNames } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import { type Content, type ContentElement, type Entry, isElementList } from "../model/entry.ts";
import type { TreeNode } from "../model/tree.ts";
import { decodeJson } from "../base/canonical_json.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { DedupTable } from "../stages/dedup_table.ts";

/** Who tells whether a chunk can be had, and what is to blame if it cannot. */
export interface ChunkSource<Culprit> {
  /** Length of a whole copy in bytes, or -1. @param id 64 hexadecimal digits */
  need(id: string, kind: ChunkKind): number;
  /** At least one. */
  culprits(id: string, kind: ChunkKind): Culprit[];
  /** For a document that should be whole and cannot be read. Throws `error` if that is not the document's fault. */
  unreadable(id: string, error: unknown): Promise<Culprit[]>;
  /** For content that is of another length than its entry says. */
  mismatch(entry: Entry, why: string): Culprit[];
}

/** How many entries each culprit affects. */
export type Tally<Culprit> = Map<Culprit, number>;

/** What is lost of one entry, not of what is below it. */
export interface EntryLosses<Culprit> {
  content: Set<Culprit>;
  /** By name of the attribute. */
  xattrs: Map<string, Set<Culprit>>;
}

/**
 * Visits every document that snapshots reach, each once over all snapshots, and keeps what leads to something lost.
 *
 * Memory: 24 bytes per document, plus a record of each that leads to a loss, plus one leaf per level of folders.
 */
export class TreeSurvey<Culprit> {
  readonly #seen = DedupTable.create(0);
  /** Documents that are lost, or below which something is. */
  readonly #tallies = new Map<string, Tally<Culprit>>();
  readonly #lost = new Map<string, Culprit[]>();
  /** By content and size. */
  readonly #mismatches = new Map<string, Culprit[]>();
  /** Documents of folders, and other entries that were looked at. */
  documents = 0;
  entries = 0;

  constructor(readonly trees: TreeReader, readonly chunks: ChunkSource<Culprit>, readonly signal?: AbortSignal) {}

  /** Undefined if everything below the folder `id` is there. */
  async folder(id: string, depth = 0): Promise<Tally<Culprit> | undefined> {
    return await this.#node(id, depth, 0);
  }

  /** What {@linkcode folder} found of a document that it has visited. */
  tallyOf(id: string): ReadonlyMap<Culprit, number> | undefined {
    return this.#tallies.get(id);
  }

  /** Who is to blame that a document itself is lost; undefined if it is there. */
  lostDocument(id: string): readonly Culprit[] | undefined {
    return this.#lost.get(id);
  }

  async #node(
    id: string,
    depth: number,
    level: number,
    first?: string,
    end?: string,
  ): Promise<Tally<Culprit> | undefined> {
    if (!this.#claim(id)) return this.#tallies.get(id);
    throwIfAborted(this.signal);
    this.documents++;
    const tally: Tally<Culprit> = new Map();
    const node = await this.#read(id, tally, depth, level, first, end);
    if (node !== undefined && "entries" in node) {
      for (const entry of node.entries) merge(tally, await this.#entry(entry, depth));
    } else if (node !== undefined) {
      const { children } = node;
      for (let i = 0; i < children.length; i++) {
        merge(
          tally,
          await this.#node(children[i].id, depth, level + 1, children[i].first, children[i + 1]?.first ?? end),
        );
      }
    }
    if (tally.size === 0) return undefined;
    this.#tallies.set(id, tally);
    return tally;
  }

  /** True for a document that was not visited yet as a folder's, or as a list of content of so many levels. */
  #claim(id: string, levels = 0): boolean {
    if (this.#seen.needsSegment) this.#seen.grow();
    const key = fromHex(id);
    key[0] ^= levels;
    return this.#seen.claim(key);
  }

  async #read(
    id: string,
    tally: Tally<Culprit>,
    depth: number,
    level: number,
    first: string | undefined,
    end: string | undefined,
  ): Promise<TreeNode | undefined> {
    let culprits: Culprit[];
    if (this.chunks.need(id, ChunkKind.tree) < 0) culprits = this.chunks.culprits(id, ChunkKind.tree);
    else {
      try {
        const node = await this.trees.node(id);
        checkBounds(node, depth, level, first, end);
        return node;
      } catch (error) {
        culprits = await this.chunks.unreadable(id, error);
      }
    }
    this.#lost.set(id, culprits);
    for (const culprit of culprits) add(tally, culprit, 1);
    return undefined;
  }

  async #entry(entry: Entry, depth: number): Promise<Tally<Culprit>> {
    const tally: Tally<Culprit> = new Map();
    if (entry.type === "dir") merge(tally, await this.#node(entry.subtree!, depth + 1, 0));
    else this.entries++;
    const { content, xattrs } = await this.losses(entry);
    const culprits = new Set(content);
    for (const lost of xattrs.values()) for (const culprit of lost) culprits.add(culprit);
    for (const culprit of culprits) add(tally, culprit, 1);
    return tally;
  }

  async losses(entry: Entry): Promise<EntryLosses<Culprit>> {
    const losses: EntryLosses<Culprit> = { content: new Set(), xattrs: new Map() };
    for (const { name, chunks } of entry.xattrs ?? []) {
      const lost = new Set<Culprit>();
      for (const id of chunks ?? []) this.#needChunk(id, ChunkKind.tree, lost);
      if (lost.size > 0) losses.xattrs.set(name, lost);
    }
    if (entry.type === "file") await this.#content(entry, losses.content);
    return losses;
  }

  async #content(entry: Entry, lost: Set<Culprit>): Promise<void> {
    const bytes = await this.#contentBytes(entry.content, lost);
    if (lost.size > 0 || bytes === Number(entry.size)) return;
    if (bytes === undefined && this.#mismatches.size === 0) return;
    const key = `${entry.size} ${JSON.stringify(entry.content)}`;
    let culprits = this.#mismatches.get(key);
    if (culprits === undefined && bytes !== undefined) {
      culprits = this.chunks.mismatch(entry, `its content has ${bytes} bytes, not ${entry.size}`);
      this.#mismatches.set(key, culprits);
    }
    for (const culprit of culprits ?? []) lost.add(culprit);
  }

  /** Undefined if a part of it was counted before, for another file. */
  async #contentBytes(content: Content | undefined, lost: Set<Culprit>): Promise<number | undefined> {
    const kind = content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    if (content?.nodes === undefined) return this.#elementBytes(content?.elements ?? [], kind, lost);
    let sum: number | undefined = 0;
    for (const node of content.nodes) {
      const bytes: number | undefined = await this.#listNode(node, content.depth!, kind, lost);
      sum = sum === undefined || bytes === undefined ? undefined : sum + bytes;
    }
    return sum;
  }

  #elementBytes(elements: readonly ContentElement[], kind: ChunkKind, lost: Set<Culprit>): number {
    let sum = 0;
    for (const element of elements) {
      sum += typeof element === "string" ? this.#needChunk(element, kind, lost) : Number(element.hole);
    }
    return sum;
  }

  #needChunk(id: string, kind: ChunkKind, lost: Set<Culprit>): number {
    const bytes = this.chunks.need(id, kind);
    if (bytes < 0) { for (const culprit of this.chunks.culprits(id, kind)) lost.add(culprit); }
    return Math.max(bytes, 0);
  }

  /** A list of content below `depth - 1` further levels. */
  async #listNode(id: string, depth: number, kind: ChunkKind, lost: Set<Culprit>): Promise<number | undefined> {
    const known = `${depth} ${id}`;
    if (!this.#claim(id, depth)) {
      for (const culprit of this.#tallies.get(known)?.keys() ?? []) lost.add(culprit);
      return undefined;
    }
    const mine = new Set<Culprit>();
    const elements = await this.#readList(id, depth, mine);
    let sum: number | undefined = 0;
    if (depth === 1) sum = this.#elementBytes(elements, kind, mine);
    else {
      for (const child of elements as string[]) {
        const bytes: number | undefined = await this.#listNode(child, depth - 1, kind, mine);
        sum = sum === undefined || bytes === undefined ? undefined : sum + bytes;
      }
    }
    if (mine.size > 0) this.#tallies.set(known, new Map([...mine].map((culprit) => [culprit, 1])));
    for (const culprit of mine) lost.add(culprit);
    return sum;
  }

  async #readList(id: string, depth: number, lost: Set<Culprit>): Promise<ContentElement[]> {
    if (this.#needChunk(id, ChunkKind.tree, lost) === 0) return [];
    try {
      const elements: unknown = decodeJson(await this.trees.get(id));
      if (isElementList(elements) && (depth === 1 || elements.every((item) => typeof item === "string"))) {
        return elements;
      }
      throw new SyntaxError("it is not a list of content");
    } catch (error) {
      for (const culprit of await this.chunks.unreadable(id, error)) lost.add(culprit);
      return [];
    }
  }
}

/** Throws for a node that no reader could use, or that would lead it astray. */
function checkBounds(node: TreeNode, depth: number, level: number, first?: string, end?: string): void {
  if (depth > LIMITS.treeDepthMax) throw new RangeError(`it lies below ${LIMITS.treeDepthMax} other folders`);
  if (level > LIMITS.contentListDepthMax) throw new RangeError("its index nodes are nested too deeply");
  const names = "entries" in node ? node.entries.map(({ name }) => name) : node.children.map(({ first }) => first);
  const [low, high] = [names[0], names.at(-1)];
  const overlaps = (first !== undefined && low !== undefined && compareNames(low, first) < 0) ||
    (end !== undefined && high !== undefined && compareNames(high, end) >= 0);
  if (overlaps) throw new RangeError("its leaves overlap");
}

function add<Culprit>(tally: Tally<Culprit>, culprit: Culprit, count: number): void {
  tally.set(culprit, Math.min((tally.get(culprit) ?? 0) + count, Number.MAX_SAFE_INTEGER));
}

function merge<Culprit>(tally: Tally<Culprit>, other: ReadonlyMap<Culprit, number> | undefined): void {
  for (const [culprit, count] of other ?? []) add(tally, culprit, count);
}

/** The message of what {@linkcode ChunkSource.unreadable} gets when a document makes no sense. */
export function senseFault(error: unknown): string | undefined {
  return error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError
    ? messageOf(error)
    : undefined;
}
