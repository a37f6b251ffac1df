import { type Bytes, fromHex } from "../base/bytes.ts";
import { AxiomError, messageOf, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { compareNames } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import { decodeTreeNode, type TreeNode } from "../model/tree.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { DedupTable } from "../stages/dedup_table.ts";
import { type ChunkSource, type EntryLosses, EntrySurvey } from "./entry_survey.ts";

/** How many entries each culprit affects. */
export type Tally<Culprit> = Map<Culprit, number>;

/** A document's place: depth in folders, level in the index nodes of its folder, and which names it may hold. */
interface NodePlace {
  depth: number;
  level: number;
  first?: string;
  end?: string;
}

/**
 * Visits every document that snapshots reach, each once over all snapshots, and keeps what leads to something lost.
 *
 * Memory: 24 bytes per document, plus a record of each that leads to a loss, plus one leaf per level of folders.
 */
export class TreeSurvey<Culprit> {
  readonly #seen = DedupTable.create(0);
  readonly #entries: EntrySurvey<Culprit>;
  /** Documents that are lost, or below which something is. */
  readonly #tallies = new Map<string, Tally<Culprit>>();
  readonly #lost = new Map<string, Culprit[]>();
  /** Documents of folders that were visited. */
  documents = 0;

  constructor(readonly trees: TreeReader, readonly chunks: ChunkSource<Culprit>, readonly signal?: AbortSignal) {
    this.#entries = new EntrySurvey(trees, chunks);
  }

  /** Undefined if everything below the folder `id` is there. */
  folder(id: string): Promise<Tally<Culprit> | undefined> {
    return this.#node(id, { depth: 0, level: 0 });
  }

  /** What {@linkcode folder} found of a document that it has visited. */
  tallyOf(id: string): ReadonlyMap<Culprit, number> | undefined {
    return this.#tallies.get(id);
  }

  /** Who is to blame that a document itself is lost; undefined if it is there. */
  lostDocument(id: string): readonly Culprit[] | undefined {
    return this.#lost.get(id);
  }

  losses(entry: Entry): Promise<EntryLosses<Culprit>> {
    return this.#entries.losses(entry);
  }

  async #node(id: string, place: NodePlace): Promise<Tally<Culprit> | undefined> {
    if (this.#seen.needsSegment) this.#seen.grow();
    if (!this.#seen.claim(fromHex(id))) return this.#tallies.get(id);
    throwIfAborted(this.signal);
    this.documents++;
    const tally: Tally<Culprit> = new Map();
    const node = await this.#read(id, place, tally);
    if (node !== undefined && "entries" in node) {
      for (const entry of node.entries) merge(tally, await this.#entry(entry, place.depth));
    } else if (node !== undefined) {
      for (const [i, { id, first }] of node.children.entries()) {
        const end = node.children[i + 1]?.first ?? place.end;
        merge(tally, await this.#node(id, { depth: place.depth, level: place.level + 1, first, end }));
      }
    }
    if (tally.size === 0) return undefined;
    this.#tallies.set(id, tally);
    return tally;
  }

  async #read(id: string, place: NodePlace, tally: Tally<Culprit>): Promise<TreeNode | undefined> {
    const isThere = this.chunks.need(id, ChunkKind.tree) >= 0;
    const found = isThere ? await this.#document(id, place) : this.chunks.culprits(id, ChunkKind.tree);
    if (!Array.isArray(found)) return found;
    this.#lost.set(id, found);
    for (const culprit of found) add(tally, culprit, 1);
    return undefined;
  }

  async #document(id: string, place: NodePlace): Promise<TreeNode | Culprit[]> {
    let data: Bytes;
    try {
      data = await this.trees.get(id);
    } catch (error) {
      return await this.chunks.unreadable(id, error);
    }
    try {
      const node = decodeTreeNode(data, id.slice(0, 16));
      checkPlace(node, place, id);
      return node;
    } catch (error) {
      return this.chunks.senseless(id, messageOf(error));
    }
  }

  async #entry(entry: Entry, depth: number): Promise<Tally<Culprit>> {
    const tally: Tally<Culprit> = new Map();
    if (entry.type === "dir") merge(tally, await this.#node(entry.subtree!, { depth: depth + 1, level: 0 }));
    const { content, xattrs } = await this.losses(entry);
    const culprits = new Set(content);
    for (const lost of xattrs.values()) for (const culprit of lost) culprits.add(culprit);
    for (const culprit of culprits) add(tally, culprit, 1);
    return tally;
  }
}

/** Throws for a node that no reader could use, or that would lead it astray. */
function checkPlace(node: TreeNode, { depth, level, first, end }: NodePlace, id: string): void {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot use the tree ${id.slice(0, 16)}: ${why}`);
  if (depth > LIMITS.treeDepthMax) throw refuse(`it lies below ${LIMITS.treeDepthMax} other folders`);
  if (level > LIMITS.contentListDepthMax) throw refuse("its index nodes are nested too deeply");
  const names = "entries" in node ? node.entries.map(({ name }) => name) : node.children.map(({ first }) => first);
  const [low, high] = [names[0], names.at(-1)];
  const overlaps = (first !== undefined && low !== undefined && compareNames(low, first) < 0) ||
    (end !== undefined && high !== undefined && compareNames(high, end) >= 0);
  if (overlaps) throw refuse("its leaves overlap");
}

function add<Culprit>(tally: Tally<Culprit>, culprit: Culprit, count: number): void {
  tally.set(culprit, Math.min((tally.get(culprit) ?? 0) + count, Number.MAX_SAFE_INTEGER));
}

function merge<Culprit>(tally: Tally<Culprit>, other: ReadonlyMap<Culprit, number> | undefined): void {
  for (const [culprit, count] of other ?? []) add(tally, culprit, count);
}
