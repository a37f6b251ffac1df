import { decodeJson } from "../base/canonical_json.ts";
import { ChunkKind } from "../model/chunk.ts";
import { type Content, type ContentElement, type Entry, isElementList } from "../model/entry.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** Who tells whether a chunk can be had, and what is to blame if it cannot. */
export interface ChunkSource<Culprit> {
  /** Length of a whole copy in bytes, or -1. @param id 64 hexadecimal digits */
  need(id: string, kind: ChunkKind): number;
  /** At least one. */
  culprits(id: string, kind: ChunkKind): Culprit[];
  /** For a document that should be whole and cannot be read. Throws `error` if that is not the document's fault. */
  unreadable(id: string, error: unknown): Promise<Culprit[]>;
  /** For a document whose bytes are right and make no sense: whoever wrote it is to blame, not where it is stored. */
  senseless(id: string, message: string): Culprit[];
  /** For content that is of another length than its entry says. */
  mismatch(entry: Entry, why: string): Culprit[];
}

/** What is lost of one entry, not of what is below it. */
export interface EntryLosses<Culprit> {
  content: Set<Culprit>;
  /** By name of the attribute. */
  xattrs: Map<string, Set<Culprit>>;
}

/** A list of content with all that it lists. */
interface ListSurvey<Culprit> {
  bytes: number;
  lost: ReadonlySet<Culprit>;
}

/** Looks for the content and the extended attributes of single entries; lists of content are read once. */
export class EntrySurvey<Culprit> {
  /** Lists of content that were read, some thousand chunks each, by levels and id. */
  readonly #lists = new Map<string, ListSurvey<Culprit>>();
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
    const key = `${entry.size} ${JSON.stringify(entry.content)}`;
    let culprits = this.#mismatches.get(key);
    if (culprits === undefined) {
      culprits = this.chunks.mismatch(entry, `its content has ${bytes} bytes, not ${entry.size}`);
      this.#mismatches.set(key, culprits);
    }
    for (const culprit of culprits) lost.add(culprit);
  }

  async #contentBytes(content: Content | undefined, lost: Set<Culprit>): Promise<number> {
    const kind = content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    if (content?.nodes === undefined) return this.#elementBytes(content?.elements ?? [], kind, lost);
    let sum = 0;
    for (const node of content.nodes) sum += await this.#listBytes(node, content.depth!, kind, lost);
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

  /** Of a list of content with `levels - 1` levels of lists below it. */
  async #listBytes(id: string, levels: number, kind: ChunkKind, lost: Set<Culprit>): Promise<number> {
    const key = `${kind} ${levels} ${id}`;
    let list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, list = await this.#list(id, levels, kind));
    for (const culprit of list.lost) lost.add(culprit);
    return list.bytes;
  }

  async #list(id: string, levels: number, kind: ChunkKind): Promise<ListSurvey<Culprit>> {
    const lost = new Set<Culprit>();
    const elements = await this.#read(id, levels, lost);
    if (levels === 1) return { bytes: this.#elementBytes(elements, kind, lost), lost };
    let bytes = 0;
    for (const child of elements as string[]) bytes += await this.#listBytes(child, levels - 1, kind, lost);
    return { bytes, lost };
  }

  async #read(id: string, levels: number, lost: Set<Culprit>): Promise<ContentElement[]> {
    if (this.#need(id, ChunkKind.tree, lost) === 0) return [];
    let culprits: Culprit[];
    try {
      const elements = listOf(await this.trees.get(id), levels);
      if (elements !== undefined) return elements;
      culprits = this.chunks.senseless(id, `Cannot use the list of content ${id.slice(0, 16)}: it is none`);
    } catch (error) {
      culprits = await this.chunks.unreadable(id, error);
    }
    for (const culprit of culprits) lost.add(culprit);
    return [];
  }
}

/** Undefined for what is no list of content with `levels - 1` levels of lists below it. */
function listOf(data: Uint8Array, levels: number): ContentElement[] | undefined {
  let elements: unknown;
  try {
    elements = decodeJson(data);
  } catch {
    return undefined;
  }
  if (!isElementList(elements)) return undefined;
  return levels === 1 || elements.every((item) => typeof item === "string") ? elements : undefined;
}
