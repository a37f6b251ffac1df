import { crc32 } from "node:zlib";
import { type Bytes, concat } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { FrameStyle } from "./worker_protocol.ts";

const ID_BYTES = 32;

/** A frame being filled: plain bytes with the ids, lengths and checksums of the chunks in them. */
export class FrameBuilder {
  readonly #ids: Uint8Array[] = [];
  readonly #lengths: number[] = [];
  readonly #checks: number[] = [];
  #filled = 0;

  /** @param buffer What is filled; its length is the most that the frame can hold */
  constructor(readonly style: FrameStyle, readonly buffer: Bytes) {}

  get plainBytes(): number {
    return this.#filled;
  }

  get chunkCount(): number {
    return this.#ids.length;
  }

  hasRoom(bytes: number): boolean {
    return this.#filled + bytes <= this.buffer.length && this.#ids.length < LIMITS.chunksPerFrameMax;
  }

  /** Where the next chunk may be read to, so that it need not be copied; {@linkcode keep} then makes it part of the frame. */
  room(): Bytes {
    return this.buffer.subarray(this.#filled);
  }

  keep(id: Uint8Array, length: number): void {
    this.#add(id, this.buffer.subarray(this.#filled, this.#filled + length));
  }

  append(id: Uint8Array, chunk: Uint8Array): void {
    this.buffer.set(chunk, this.#filled);
    this.#add(id, chunk);
  }

  /** The checksum is of what the id was computed from, not of its copy. */
  #add(id: Uint8Array, chunk: Uint8Array): void {
    this.#ids.push(id);
    this.#lengths.push(chunk.length);
    this.#checks.push(crc32(chunk));
    this.#filled += chunk.length;
  }

  /** Takes what was filled; the builder must not be used afterwards. */
  finish(): PlainFrame {
    return {
      style: this.style,
      plain: this.buffer.subarray(0, this.#filled),
      ids: concat(this.#ids),
      lengths: Uint32Array.from(this.#lengths),
      checks: Uint32Array.from(this.#checks),
    };
  }
}

export interface PlainFrame {
  style: FrameStyle;
  plain: Bytes;
  ids: Bytes;
  lengths: Uint32Array<ArrayBuffer>;
  /** CRC-32 of each chunk. */
  checks: Uint32Array<ArrayBuffer>;
}

/** Runs `visit` for each chunk of a frame with its id and its bytes. */
export function forEachChunk(
  frame: { ids: Uint8Array; lengths: Uint32Array; plain: Uint8Array },
  visit: (id: Uint8Array, chunk: Uint8Array, number: number) => void,
): void {
  let offset = 0;
  for (let i = 0; i < frame.lengths.length; i++) {
    const end = offset + frame.lengths[i];
    visit(frame.ids.subarray(ID_BYTES * i, ID_BYTES * (i + 1)), frame.plain.subarray(offset, end), i);
    offset = end;
  }
}

/** Runs `visit` for each chunk's id and place. */
export function forEachId(
  frame: { ids: Uint8Array; lengths: Uint32Array },
  visit: (id: Uint8Array, offset: number, length: number) => void,
): void {
  let offset = 0;
  for (let i = 0; i < frame.lengths.length; i++) {
    visit(frame.ids.subarray(ID_BYTES * i, ID_BYTES * (i + 1)), offset, frame.lengths[i]);
    offset += frame.lengths[i];
  }
}
