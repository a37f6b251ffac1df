import { type Bytes, viewOf } from "../base/bytes.ts";
import type { PackChunk, PackFrame, PackTable } from "./pack_table.ts";

/** Of one chunk in the table of a pack: id 32, offset in the plain frame u32, length u32. */
export const CHUNK_BYTES = 40;
const ID_BYTES = 32;
const LENGTH_AT = 36;

/** A frame of a table that was read. A table has thousands of chunks, and whoever reads frames needs none of them as an object. */
export class StoredFrame implements PackFrame {
  #chunks: PackChunk[] | undefined;

  /** @param packed Its part of the table */
  constructor(
    readonly kind: number,
    readonly codec: number,
    readonly cipher: number,
    readonly offset: number,
    readonly storedBytes: number,
    readonly plainBytes: number,
    readonly packed: Uint8Array,
  ) {}

  /** Made when they are first asked for, and kept. */
  get chunks(): PackChunk[] {
    return this.#chunks ??= this.#unpack();
  }

  #unpack(): PackChunk[] {
    const view = viewOf(this.packed);
    const chunks: PackChunk[] = [];
    for (let at = 0; at < this.packed.length; at += CHUNK_BYTES) {
      const id = this.packed.subarray(at, at + ID_BYTES);
      chunks.push({ id, offset: view.getUint32(at + ID_BYTES, true), length: view.getUint32(at + LENGTH_AT, true) });
    }
    return chunks;
  }

  /** Ids of 32 bytes each, and lengths. */
  idsAndLengths(): { ids: Bytes; lengths: Uint32Array<ArrayBuffer> } {
    const { packed } = this;
    const count = packed.length / CHUNK_BYTES;
    const ids = new Uint8Array(ID_BYTES * count), lengths = new Uint32Array(count);
    const view = viewOf(packed);
    for (let i = 0, from = 0; i < count; i++, from += CHUNK_BYTES) {
      for (let j = 0; j < ID_BYTES; j++) ids[ID_BYTES * i + j] = packed[from + j];
      lengths[i] = view.getUint32(from + LENGTH_AT, true);
    }
    return { ids, lengths };
  }
}

/** A table that was read. */
export interface StoredTable extends PackTable {
  frames: StoredFrame[];
}
