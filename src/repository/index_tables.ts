import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { ChunkKind } from "../model/chunk.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { decodeIndexObject, type IndexObject, type PackRecord } from "../model/index_object.ts";
import type { PackTable } from "../model/pack_table.ts";
import type { ChunkIndex } from "./chunk_index.ts";

/** Adds a pack and every chunk of its table. Throws `limit_exceeded`, and adds nothing, for more than one object can hold. */
export function addTable(builder: IndexBuilder, pack: PackRecord, table: PackTable): void {
  const chunks = table.frames.reduce((sum, frame) => sum + frame.chunks.length, 0);
  if (chunks > LIMITS.chunksPerPackReadMax) {
    const why =
      `its ${chunks} chunks are more than the ${LIMITS.chunksPerPackReadMax} that an index object can describe`;
    throw new AxiomError("limit_exceeded", `Cannot use the pack ${pack.name}: ${why}`);
  }
  const number = builder.addPack(pack);
  table.frames.forEach((frame, frameNumber) => {
    for (const { id, offset, length } of frame.chunks) {
      builder.addChunk(id, number, { frame: frameNumber, offset, length, kind: frame.kind as ChunkKind });
    }
  });
}

/** An index object, not stored anywhere, of one pack whose table was read. Throws `limit_exceeded`. */
export function indexObjectOf(pack: PackRecord, table: PackTable): IndexObject {
  const builder = new IndexBuilder();
  addTable(builder, pack, table);
  return decodeIndexObject(builder.encode(), `of pack ${pack.name}`);
}

/** How the index and the table of a pack that it names agree. */
export interface Agreement {
  /** Chunks that the index has exactly as the table has them. */
  matching: number;
  /** Chunks of the table that the index does not have in this place. */
  lacking: number;
}

export function compareWithIndex(index: ChunkIndex, pack: PackRecord, table: PackTable): Agreement {
  let matching = 0;
  let lacking = 0;
  table.frames.forEach((frame, number) => {
    for (const { id, offset, length } of frame.chunks) {
      const has = index.lookup(id).some(({ pack: { name }, place }) =>
        name === pack.name && place.frame === number && place.offset === offset && place.length === length &&
        place.kind === frame.kind
      );
      if (has) matching++;
      else lacking++;
    }
  });
  return { matching, lacking };
}
