/**
 * A pack's frames and who made them, sealed at the pack's end. Little-endian.
 *
 * ```text
 * pack      frame … | random padding | sealed table | trailer 64
 * trailer   magic "AXPK" | version u8 = 1 | suite u8 = 1 | 0 u16 | epoch u32 | salt 32 | sealed table length u32 | 0 × 16
 * table     length u32 | payload | zeros up to Padmé of the whole, at least 4 KiB
 * payload   dictionary count u8 | per entry: role u8 (0 codec, 1 cipher), 4 texts (length u8, UTF-8): plugin id, version,
 *             format id, decoder
 *           frame count u32 | per frame: kind u8, codec u8, cipher u8, 0 u8, offset u32, stored u32, plain u32, chunks u32
 *           per frame, per chunk: id 32, offset in the plain frame u32, length u32
 * ```
 *
 * `codec` and `cipher` are places in the dictionary. A frame's number is its place in the table; frames may lie in the
 * pack in any order.
 */
import { type Bytes, concat, fromUtf8, utf8, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_BYTES, StoredFrame, type StoredTable } from "./stored_frame.ts";

const PACK_MAGIC = "AXPK";
const PACK_VERSION = 1;
const PACK_SUITE = 1;
export const TRAILER_BYTES = 64;
export const PACK_BYTES_MIN = 16 * 1024;
export const TABLE_BYTES_MIN = 4 * 1024;
const FRAME_BYTES = 20;

export interface DictionaryEntry {
  role: "codec" | "cipher";
  pluginId: string;
  version: string;
  formatId: string;
  /** `built-in` or the SHA-256 of the WASM decoder. */
  decoder: string;
}

export interface PackChunk {
  /** 32 bytes. */
  id: Uint8Array;
  offset: number;
  length: number;
}

export interface PackFrame {
  kind: number;
  codec: number;
  cipher: number;
  offset: number;
  storedBytes: number;
  plainBytes: number;
  chunks: PackChunk[];
}

export interface PackTable {
  dictionary: DictionaryEntry[];
  frames: PackFrame[];
}

export interface PackTrailer {
  epoch: number;
  salt: Bytes;
  tableBytes: number;
}

export function encodeTrailer(trailer: PackTrailer): Bytes {
  const data = new Uint8Array(TRAILER_BYTES);
  const view = viewOf(data);
  data.set(utf8(PACK_MAGIC), 0);
  data[4] = PACK_VERSION;
  data[5] = PACK_SUITE;
  view.setUint32(8, trailer.epoch, true);
  data.set(trailer.salt, 12);
  view.setUint32(44, trailer.tableBytes, true);
  return data;
}

/** Throws `data_damaged`, or `repository_unsupported` for a later version. */
export function decodeTrailer(data: Uint8Array, where: string): PackTrailer {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot read the pack ${where}: ${why}`);
  if (data.length !== TRAILER_BYTES) throw refuse(`its trailer has ${data.length} bytes`);
  if (String.fromCharCode(...data.subarray(0, 4)) !== PACK_MAGIC) throw refuse("it does not end as a pack does");
  if (data[4] !== PACK_VERSION || data[5] !== PACK_SUITE) {
    throw new AxiomError(
      "repository_unsupported",
      `Cannot read the pack ${where}: version ${data[4]}, suite ${data[5]} is unknown`,
      { hint: "Update axiom" },
    );
  }
  const view = viewOf(data);
  const rest = data.subarray(48);
  if (data[6] !== 0 || data[7] !== 0 || rest.some((byte) => byte !== 0)) {
    throw refuse("its trailer has bits set that must be 0");
  }
  const tableBytes = view.getUint32(44, true);
  if (tableBytes > LIMITS.packTableBytesMax) throw refuse(`its table has ${tableBytes} bytes`);
  return { epoch: view.getUint32(8, true), salt: data.slice(12, 44) as Bytes, tableBytes };
}

function encodeDictionary(dictionary: readonly DictionaryEntry[]): Bytes {
  if (dictionary.length > LIMITS.packDictionaryEntriesMax) {
    throw new RangeError("Too many codecs and ciphers in one pack");
  }
  const parts: Uint8Array[] = [Uint8Array.of(dictionary.length)];
  for (const entry of dictionary) {
    parts.push(Uint8Array.of(entry.role === "codec" ? 0 : 1));
    for (const text of [entry.pluginId, entry.version, entry.formatId, entry.decoder]) {
      const data = utf8(text);
      if (data.length > 255) throw new RangeError(`Too long for a pack's dictionary: ${text}`);
      parts.push(Uint8Array.of(data.length), data);
    }
  }
  return concat(parts);
}

/** Length of the payload of a table whose dictionary has `dictionaryBytes` bytes. */
export function packTableBytes(dictionaryBytes: number, frameCount: number, chunkCount: number): number {
  return dictionaryBytes + 4 + frameCount * FRAME_BYTES + chunkCount * CHUNK_BYTES;
}

/** The payload; sealing and padding are `stages/pack.ts`. */
export function encodePackTable(table: PackTable): Bytes {
  const dictionary = encodeDictionary(table.dictionary);
  const chunkCount = table.frames.reduce((sum, frame) => sum + frame.chunks.length, 0);
  const data = new Uint8Array(packTableBytes(dictionary.length, table.frames.length, chunkCount));
  const view = viewOf(data);
  data.set(dictionary);
  let at = dictionary.length;
  view.setUint32(at, table.frames.length, true);
  at += 4;
  for (const frame of table.frames) {
    data.set([frame.kind, frame.codec, frame.cipher, 0], at);
    view.setUint32(at + 4, frame.offset, true);
    view.setUint32(at + 8, frame.storedBytes, true);
    view.setUint32(at + 12, frame.plainBytes, true);
    view.setUint32(at + 16, frame.chunks.length, true);
    at += FRAME_BYTES;
  }
  for (const frame of table.frames) {
    for (const chunk of frame.chunks) {
      data.set(chunk.id, at);
      view.setUint32(at + 32, chunk.offset, true);
      view.setUint32(at + 36, chunk.length, true);
      at += CHUNK_BYTES;
    }
  }
  return data;
}

/**
 * Strict inverse of {@linkcode encodePackTable}: every bound is checked before memory is taken, frames lie inside the first
 * `frameBytes` bytes of the pack and do not overlap, chunks fill their frames in order. Throws `data_damaged`.
 */
export function decodePackTable(data: Uint8Array, frameBytes: number, where: string): StoredTable {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot read the table of pack ${where}: ${why}`);
  try {
    const { dictionary, end } = decodeDictionary(data, refuse);
    const frames = decodeFrames(data, end, dictionary, refuse);
    checkPlaces(frames, frameBytes, refuse);
    return { dictionary, frames };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw refuse("it ends too early or is not UTF-8");
    throw error;
  }
}

type Refuse = (why: string) => AxiomError;

function decodeDictionary(data: Uint8Array, refuse: Refuse): { dictionary: DictionaryEntry[]; end: number } {
  const view = viewOf(data);
  const dictionary: DictionaryEntry[] = [];
  let at = 1;
  for (let i = view.getUint8(0); i > 0; i--) {
    const role = view.getUint8(at++);
    if (role > 1) throw refuse(`role ${role} is unknown`);
    const texts: string[] = [];
    for (let j = 0; j < 4; j++) {
      const length = view.getUint8(at++);
      if (at + length > data.length) throw refuse("it ends in its dictionary");
      texts.push(fromUtf8(data.subarray(at, at + length)));
      at += length;
    }
    const [pluginId, version, formatId, decoder] = texts;
    dictionary.push({ role: role === 0 ? "codec" : "cipher", pluginId, version, formatId, decoder });
  }
  return { dictionary, end: at };
}

function decodeFrames(data: Uint8Array, start: number, dictionary: DictionaryEntry[], refuse: Refuse): StoredFrame[] {
  const view = viewOf(data);
  const count = view.getUint32(start, true);
  if (count > LIMITS.framesPerPackMax) throw refuse(`${count} frames`);
  let at = start + 4;
  let chunkAt = at + count * FRAME_BYTES;
  if (chunkAt > data.length) throw refuse("it ends in its frames");
  const frames: StoredFrame[] = [];
  for (let i = 0; i < count; i++, at += FRAME_BYTES) {
    const [kind, codec, cipher, zero] = data.subarray(at, at + 4);
    const chunkCount = view.getUint32(at + 16, true);
    const plainBytes = view.getUint32(at + 12, true);
    if (zero !== 0 || kind > 2) throw refuse(`frame ${i} is of an unknown kind`);
    if (dictionary[codec]?.role !== "codec" || dictionary[cipher]?.role !== "cipher") {
      throw refuse(`frame ${i} names a codec or cipher that the dictionary lacks`);
    }
    if (plainBytes > LIMITS.framePlainBytesMax) throw refuse(`frame ${i} has ${plainBytes} plain bytes`);
    if (chunkCount > LIMITS.chunksPerFrameMax || chunkAt + chunkCount * CHUNK_BYTES > data.length) {
      throw refuse(`frame ${i} has ${chunkCount} chunks`);
    }
    const end = chunkAt + chunkCount * CHUNK_BYTES;
    const packed = data.subarray(chunkAt, end);
    let filled = 0;
    for (; chunkAt < end; chunkAt += CHUNK_BYTES) {
      const length = view.getUint32(chunkAt + 36, true);
      if (view.getUint32(chunkAt + 32, true) !== filled || length > plainBytes - filled) {
        throw refuse(`a chunk of frame ${i} is out of place`);
      }
      filled += length;
    }
    if (filled !== plainBytes) throw refuse(`frame ${i} has bytes that belong to no chunk`);
    const offset = view.getUint32(at + 4, true), storedBytes = view.getUint32(at + 8, true);
    frames.push(new StoredFrame(kind, codec, cipher, offset, storedBytes, plainBytes, packed));
  }
  if (chunkAt !== data.length) throw refuse(`${data.length - chunkAt} bytes are left over`);
  return frames;
}

function checkPlaces(frames: readonly PackFrame[], frameBytes: number, refuse: Refuse): void {
  const order = frames.map((_, i) => i).sort((a, b) => frames[a].offset - frames[b].offset);
  let end = 0;
  for (const i of order) {
    if (frames[i].offset < end) throw refuse(`frame ${i} overlaps another`);
    end = frames[i].offset + frames[i].storedBytes;
  }
  if (end > frameBytes) throw refuse("a frame lies beyond the frames");
}
