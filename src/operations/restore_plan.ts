import { type Bytes, fromHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { CHUNK_KIND_NAMES, ChunkKind } from "../model/chunk.ts";
import type { Content } from "../model/entry.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { ChunkIndex, ChunkLocation } from "../repository/chunk_index.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** A chunk of a file: where it goes, and where it can be read. */
export interface PlannedChunk {
  id: Bytes;
  offset: number;
  length: number;
  location: ChunkLocation;
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
  const kind = content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
  const chunks: PlannedChunk[] = [];
  let offset = 0;
  for await (const elements of trees.content(content, sizeBytes)) {
    for (const element of elements) {
      if (typeof element !== "string") {
        offset += Number(element.hole);
        continue;
      }
      const id = fromHex(element);
      const location = index.lookup(id).find(({ place }) => place.kind === kind);
      if (location === undefined) {
        throw new AxiomError(
          "object_missing",
          `Cannot restore ${what}: no pack holds its chunk ${element.slice(0, 16)}`,
          {
            hint: "Run `axiom check` to see what else is affected",
          },
        );
      }
      chunks.push({ id, offset, length: location.place.length, location });
      offset += location.place.length;
    }
  }
  if (offset !== sizeBytes) {
    const kindName = CHUNK_KIND_NAMES[kind];
    const why = `its ${kindName} content has ${offset} bytes, not ${sizeBytes}`;
    throw new AxiomError("data_damaged", `Cannot restore ${what}: ${why}`, { hint: "Run `axiom check --read-data`" });
  }
  return { kind, chunks, sizeBytes };
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
    const { pack, place } = chunk.location;
    let frames = this.#packs.get(pack);
    if (frames === undefined) this.#packs.set(pack, frames = new Map());
    const uses = frames.get(place.frame);
    if (uses === undefined) frames.set(place.frame, [{ owner, chunk }]);
    else uses.push({ owner, chunk });
  }

  get frameCount(): number {
    let count = 0;
    for (const frames of this.#packs.values()) count += frames.size;
    return count;
  }

  /** Packs in the order in which they were first needed. */
  packs(): Iterable<[PackRecord, Map<number, FrameUse<Owner>[]>]> {
    return this.#packs;
  }
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
