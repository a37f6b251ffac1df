import { fromHex } from "../base/bytes.ts";
import { decodeJson } from "../base/canonical_json.ts";
import { ChunkKind } from "../model/chunk.ts";
import { type Content, type ContentElement, type Entry, isElementList } from "../model/entry.ts";
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

/** What is lost of one entry, not of what is below it. */
export interface EntryLosses<Culprit> {
  content: Set<Culprit>;
  /** By name of the attribute. */
  xattrs: Map<string, Set<Culprit>>;
}

/** Looks for the content and the extended attributes of single entries; lists of content are read once. */
export class EntrySurvey<Culprit> {
  /** Lists of content that were read. */
  readonly #seen = DedupTable.create(0);
  /** By levels and id of a list: who is to blame for what is lost of it. */
  readonly #lossyLists = new Map<string, ReadonlySet<Culprit>>();
  /** By content and size. */
  readonly #mismatches = new Map<string, Culprit[]>();

  constructor(readonly trees: TreeReader, readonly chunks: ChunkSource<Culprit>) {}

  async losses(entry: Entry): Promise<EntryLosses<Culprit>> {
    const losses: EntryLosses<Culprit> = { content: new Set(), xattrs: new Map() };
    for (const { name, chunks } of entry.xattrs ?? []) {
      const lost = new Set<Culprit>();
      for (const id of chunks ?? []) this.#need(id, ChunkKind.tree, lost);
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
    for (const node of content.nodes) sum = plus(sum, await this.#list(node, content.depth!, kind, lost));
    return sum;
  }

  #elementBytes(elements: readonly ContentElement[], kind: ChunkKind, lost: Set<Culprit>): number {
    let sum = 0;
    for (const element of elements) {
      sum += typeof element === "string" ? this.#need(element, kind, lost) : Number(element.hole);
    }
    return sum;
  }

  /** Length of the chunk, 0 if it is lost. */
  #need(id: string, kind: ChunkKind, lost: Set<Culprit>): number {
    const bytes = this.chunks.need(id, kind);
    if (bytes >= 0) return bytes;
    for (const culprit of this.chunks.culprits(id, kind)) lost.add(culprit);
    return 0;
  }

  /** A list of content with `levels - 1` levels of lists below it. */
  async #list(id: string, levels: number, kind: ChunkKind, lost: Set<Culprit>): Promise<number | undefined> {
    const key = `${levels} ${id}`;
    if (!this.#claim(id, levels)) {
      for (const culprit of this.#lossyLists.get(key) ?? []) lost.add(culprit);
      return undefined;
    }
    const mine = new Set<Culprit>();
    const elements = await this.#read(id, levels, mine);
    let sum: number | undefined = 0;
    if (levels === 1) sum = this.#elementBytes(elements, kind, mine);
    else for (const child of elements as string[]) sum = plus(sum, await this.#list(child, levels - 1, kind, mine));
    if (mine.size > 0) this.#lossyLists.set(key, mine);
    for (const culprit of mine) lost.add(culprit);
    return sum;
  }

  /** True for a list that was not read yet as one of so many levels. */
  #claim(id: string, levels: number): boolean {
    if (this.#seen.needsSegment) this.#seen.grow();
    const key = fromHex(id);
    key[0] ^= levels;
    return this.#seen.claim(key);
  }

  async #read(id: string, levels: number, lost: Set<Culprit>): Promise<ContentElement[]> {
    if (this.#need(id, ChunkKind.tree, lost) === 0) return [];
    try {
      const elements: unknown = decodeJson(await this.trees.get(id));
      const isList = isElementList(elements) && (levels === 1 || elements.every((item) => typeof item === "string"));
      if (isList) return elements;
      throw new SyntaxError("it is not a list of content");
    } catch (error) {
      for (const culprit of await this.chunks.unreadable(id, error)) lost.add(culprit);
      return [];
    }
  }
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
