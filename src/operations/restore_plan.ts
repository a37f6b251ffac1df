import { fromHexInto } from "../base/bytes.ts";
import { AxiomError, DAMAGE_HINTS } from "../base/errors.ts";
import { CHUNK_KIND_NAMES, ChunkKind } from "../model/chunk.ts";
import type { Content, ContentElement } from "../model/entry.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** A chunk of a file: where it goes, and where it can be read. */
export interface PlannedChunk {
  /** Hexadecimal. */
  id: string;
  offset: number;
  length: number;
  pack: PackRecord;
  frame: number;
  /** Where it begins in the frame's plain bytes. */
  frameOffset: number;
}

/** Where the bytes of a file come from, in order; holes are what lies between chunks. */
export interface FileLayout {
  kind: ChunkKind;
  chunks: PlannedChunk[];
  sizeBytes: number;
}

/** Throws `object_missing` if a chunk is in no pack, `data_damaged` if the content has another length than its entry says. */
export async function layoutOf(
  content: Content | undefined,
  sizeBytes: number,
  trees: TreeReader,
  index: ChunkIndex,
  what: string,
): Promise<FileLayout> {
  const layout = new LayoutBuilder(content, index, what);
  for await (const elements of trees.content(content, sizeBytes)) layout.add(elements);
  return layout.finish(sizeBytes);
}

/** The same for a content that is not spread over documents, as that of nearly every file; there is nothing to wait for. */
export function layoutAtHand(
  content: Content | undefined,
  sizeBytes: number,
  index: ChunkIndex,
  what: string,
): FileLayout {
  const layout = new LayoutBuilder(content, index, what);
  layout.add(content?.elements ?? []);
  return layout.finish(sizeBytes);
}

const idBytes = new Uint8Array(32);

class LayoutBuilder {
  readonly #kind: ChunkKind;
  #chunks: PlannedChunk[] = [];
  #offset = 0;

  constructor(content: Content | undefined, readonly index: ChunkIndex, readonly what: string) {
    this.#kind = content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
  }

  add(elements: readonly ContentElement[]): void {
    const [first] = elements;
    if (this.#chunks.length === 0 && elements.length === 1 && typeof first === "string") {
      this.#chunks = [this.#planned(first)]; // as most files have it; `push` would make room for 17
      return;
    }
    for (const element of elements) {
      if (typeof element === "string") this.#chunks.push(this.#planned(element));
      else this.#offset += Number(element.hole);
    }
  }

  #planned(id: string): PlannedChunk {
    const location = this.index.first(fromHexInto(idBytes, id), this.#kind);
    if (location === undefined) throw this.#missing(id);
    const { pack, place: { frame, offset: frameOffset, length } } = location;
    const offset = this.#offset;
    this.#offset += length;
    return { id, offset, length, pack, frame, frameOffset };
  }

  finish(sizeBytes: number): FileLayout {
    if (this.#offset === sizeBytes) return { kind: this.#kind, chunks: this.#chunks, sizeBytes };
    const why = `its ${CHUNK_KIND_NAMES[this.#kind]} content has ${this.#offset} bytes, not ${sizeBytes}`;
    throw new AxiomError("data_damaged", `Cannot restore ${this.what}: ${why}`, {
      hint: DAMAGE_HINTS.content,
    });
  }

  #missing(id: string): AxiomError {
    const message = `Cannot restore ${this.what}: no pack holds its chunk ${id.slice(0, 16)}`;
    return new AxiomError("object_missing", message, { hint: DAMAGE_HINTS.missing });
  }
}

/** Uses of the chunks of one frame: file number, chunk and place in the file. */
export interface FrameUse<Owner> {
  owner: Owner;
  chunk: PlannedChunk;
}

/** Groups what is needed by pack and frame, so that each frame is read and decoded once. */
export class ReadPlan<Owner> {
  readonly #packs = new Map<PackRecord, Map<number, FrameUse<Owner>[]>>();

  add(owner: Owner, chunk: PlannedChunk): void {
    const { pack, frame } = chunk;
    let frames = this.#packs.get(pack);
    if (frames === undefined) this.#packs.set(pack, frames = new Map());
    const uses = frames.get(frame);
    if (uses === undefined) frames.set(frame, [{ owner, chunk }]);
    else uses.push({ owner, chunk });
  }

  /** Packs in the order in which they were first needed. */
  packs(): Iterable<[PackRecord, Map<number, FrameUse<Owner>[]>]> {
    return this.#packs;
  }
}

export function isInOneFrame({ chunks }: FileLayout): boolean {
  return chunks.length > 0 && chunks.every(({ pack, frame }) => pack === chunks[0].pack && frame === chunks[0].frame);
}

/** What lies between the chunks of a file. */
export function* holesOf(layout: FileLayout): Generator<{ offset: number; length: number }> {
  let end = 0;
  for (const chunk of layout.chunks) {
    if (chunk.offset > end) yield { offset: end, length: chunk.offset - end };
    end = chunk.offset + chunk.length;
  }
  if (layout.sizeBytes > end) yield { offset: end, length: layout.sizeBytes - end };
}
