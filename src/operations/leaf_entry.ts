import type { Bytes } from "../base/bytes.ts";
import type { FileType } from "../platform/file_system.ts";
import { CHUNK_ID_BYTES } from "../model/chunk.ts";
import { LeafText, literals } from "./leaf_text.ts";

const TEXT = literals({
  chunker: '"chunker":{',
  content: '"content":{"elements":[',
  hole: '{"hole":"',
  ctime: '"ctime":"',
  device: '","device":"',
  gid: '","gid":',
  group: ',"group":"',
  inode: '","inode":"',
  inodeFirst: ',"inode":"',
  links: '","links":',
  mode: '","mode":',
  modeAfterLinks: ',"mode":',
  mtime: ',"mtime":"',
  name: '","name":"',
  rdev: ',"rdev":[',
  size: ',"size":"',
  subtree: ',"subtree":"',
  target: ',"target":"',
  type: ',"type":"',
  user: ',"user":"',
  xattrs: ',"xattrs":[',
  xattrName: '{"name":"',
  xattrValue: '","value":"',
  quote: '"',
  comma: ",",
  open: "{",
  close: "}",
  closeNext: "},",
  closeList: "]",
});

const TYPE_TEXTS = literals<FileType>({
  file: 'file","uid":',
  dir: 'dir","uid":',
  symlink: 'symlink","uid":',
  fifo: 'fifo","uid":',
  socket: 'socket","uid":',
  chardev: 'chardev","uid":',
  blockdev: 'blockdev","uid":',
});
const TYPES = Object.keys(TYPE_TEXTS) as FileType[];

const CLOSE_BRACE = 0x7d, CLOSE_LIST = 0x5d;

/** Whether a chunk of kind data can be relied on. */
export type HasChunk = (id: Bytes) => boolean;

/**
 * One entry of a leaf as it stands in the document, read without making an object of it. Only what is written exactly as
 * entries of usual kinds are can be read: no name with escapes, no content that is long or
 * unencrypted, nothing that is marked as changed.
 */
export class LeafEntry {
  type: FileType = "file";
  mode = 0;
  uid = 0;
  gid = 0;
  sizeBytes = 0;
  links = 1;
  /** Undefined where the entry names none. */
  device: number | undefined;
  /** -1 where it has more digits than a double holds; then {@linkcode inodeText} tells. */
  inode = 0;
  ctimeSeconds = 0;
  ctimeNanoseconds = 0;
  mtimeSeconds = 0;
  mtimeNanoseconds = 0;
  /** Where in the document the name stands. */
  nameStart = 0;
  nameEnd = 0;
  /** Of a folder: where its id stands, 64 digits. */
  subtreeStart = -1;
  /** Whether all of its content can be relied on. */
  hasContent = true;
  readonly #id = new Uint8Array(CHUNK_ID_BYTES);
  #isEmpty = true;
  #inodeStart = 0;
  #inodeDigits = 0;

  constructor(readonly hasChunk: HasChunk) {}

  /** Reads the next entry of `text`, which fails if that cannot be read here. */
  read(text: LeafText): void {
    text.expect(TEXT.open);
    this.hasContent = true;
    if (text.has(TEXT.chunker)) this.#skipTo(text, CLOSE_BRACE, TEXT.closeNext);
    this.#isEmpty = !text.has(TEXT.content);
    if (!this.#isEmpty) this.#readContent(text);
    text.expect(TEXT.ctime);
    const ctime = text.at, ctimeDigits = text.countDigits();
    this.device = text.has(TEXT.device) ? text.digits() : undefined;
    text.expect(TEXT.gid);
    this.gid = text.digits();
    if (text.has(TEXT.group)) {
      text.anyText();
      text.expect(TEXT.inode);
    } else text.expect(TEXT.inodeFirst);
    this.#inodeStart = text.at;
    this.#inodeDigits = text.countDigits();
    this.links = 1;
    if (text.has(TEXT.links)) {
      this.links = text.digits();
      text.expect(TEXT.modeAfterLinks);
    } else text.expect(TEXT.mode);
    this.mode = text.digits();
    text.expect(TEXT.mtime);
    const mtime = text.at, mtimeDigits = text.countDigits();
    this.#readRest(text);
    if (text.failed) return;
    this.inode = this.#inodeDigits > 15 ? -1 : text.numberAt(this.#inodeStart, this.#inodeDigits);
    this.ctimeSeconds = secondsOf(text, ctime, ctimeDigits);
    this.ctimeNanoseconds = nanosecondsOf(text, ctime, ctimeDigits);
    this.mtimeSeconds = secondsOf(text, mtime, mtimeDigits);
    this.mtimeNanoseconds = nanosecondsOf(text, mtime, mtimeDigits);
  }

  inodeText(text: LeafText): string {
    return String.fromCharCode(...text.data.subarray(this.#inodeStart, this.#inodeStart + this.#inodeDigits));
  }

  #readRest(text: LeafText): void {
    text.expect(TEXT.name);
    this.nameStart = text.at;
    text.plainText();
    this.nameEnd = text.at;
    text.expect(TEXT.quote);
    if (text.has(TEXT.rdev)) this.#skipTo(text, CLOSE_LIST, TEXT.closeList);
    this.sizeBytes = -1;
    if (text.has(TEXT.size)) {
      this.sizeBytes = text.digits();
      text.expect(TEXT.quote);
    }
    this.subtreeStart = -1;
    if (text.has(TEXT.subtree)) {
      this.subtreeStart = text.at;
      text.id(this.#id);
      text.expect(TEXT.quote);
    }
    if (text.has(TEXT.target)) this.#skipText(text);
    text.expect(TEXT.type);
    this.#readType(text);
    this.uid = text.digits();
    if (text.has(TEXT.user)) this.#skipText(text);
    if (text.has(TEXT.xattrs)) this.#skipXattrs(text);
    text.expect(TEXT.close);
  }

  #readType(text: LeafText): void {
    for (const type of TYPES) {
      if (!text.has(TYPE_TEXTS[type])) continue;
      this.type = type;
      const isWhole = type === "file"
        ? this.sizeBytes === 0 || (this.sizeBytes > 0 && !this.#isEmpty)
        : type !== "dir" || this.subtreeStart >= 0;
      if (!isWhole) text.fail();
      return;
    }
    text.fail();
  }

  #readContent(text: LeafText): void {
    let isFirst = true;
    while (!text.failed && !text.has(TEXT.closeList)) {
      if (!isFirst) text.expect(TEXT.comma);
      isFirst = false;
      if (text.has(TEXT.hole)) {
        text.countDigits();
        text.expect(TEXT.quote);
        text.expect(TEXT.close);
        continue;
      }
      text.expect(TEXT.quote);
      text.id(this.#id);
      text.expect(TEXT.quote);
      this.hasContent &&= !text.failed && this.hasChunk(this.#id);
    }
    text.expect(TEXT.closeNext);
  }

  /** Of values that stand in the entry; a value in chunks is not read here. */
  #skipXattrs(text: LeafText): void {
    let isFirst = true;
    while (!text.failed && !text.has(TEXT.closeList)) {
      if (!isFirst) text.expect(TEXT.comma);
      isFirst = false;
      text.expect(TEXT.xattrName);
      text.anyText();
      text.expect(TEXT.xattrValue);
      text.plainText();
      text.expect(TEXT.quote);
      text.expect(TEXT.close);
    }
  }

  #skipText(text: LeafText): void {
    text.anyText();
    text.expect(TEXT.quote);
  }

  #skipTo(text: LeafText, byte: number, ...ends: Uint8Array[]): void {
    const at = text.data.indexOf(byte, text.at);
    if (at < 0) return text.fail();
    text.at = at;
    for (const end of ends) text.expect(end);
  }
}

function secondsOf(text: LeafText, from: number, digits: number): number {
  if (digits > 24) return NaN;
  return digits > 9 ? text.numberAt(from, digits - 9) : 0;
}

function nanosecondsOf(text: LeafText, from: number, digits: number): number {
  return digits > 9 ? text.numberAt(from + digits - 9, 9) : text.numberAt(from, digits);
}
