import type { ChunkKind } from "../model/chunk.ts";
import { IndexBuilder } from "../model/index_builder.ts";
import { decodeIndexObject, type IndexObject, type PackRecord } from "../model/index_object.ts";
import type { PackTable } from "../model/pack_table.ts";

/** Adds a pack and every chunk of its table. */
export function addTable(builder: IndexBuilder, pack: PackRecord, table: PackTable): void {
  const number = builder.addPack(pack);
  table.frames.forEach((frame, frameNumber) => {
    for (const { id, offset, length } of frame.chunks) {
      builder.addChunk(id, number, { frame: frameNumber, offset, length, kind: frame.kind as ChunkKind });
    }
  });
}

/** An index object, not stored anywhere, of one pack whose table was read. */
export function indexObjectOf(pack: PackRecord, table: PackTable): IndexObject {
  const builder = new IndexBuilder();
  addTable(builder, pack, table);
  return decodeIndexObject(builder.encode(), `of pack ${pack.name}`);
}
