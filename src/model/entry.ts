/**
 * One file system object as a folder's document stores it. The interface is the JSON: what is parsed is used as it is,
 * so fields of later versions survive. 64-bit values are decimal strings; names are as `base/names.ts` decodes them.
 */
export interface Entry {
  name: string;
  type: EntryType;
  /** Permission bits with set-uid, set-gid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  user?: string;
  group?: string;
  /** Bytes of a regular file. */
  size?: string;
  /** Nanoseconds since 1970. */
  mtime: string;
  ctime: string;
  inode: string;
  /** Only where `links` is more than 1 and it is no folder, to tell hard-link groups apart. */
  device?: string;
  links?: number;
  /** Of a symbolic link. */
  target?: string;
  /** Major and minor number of a device node. */
  rdev?: [number, number];
  xattrs?: EntryXattr[];
  /** Of a regular file; the document in `content.ts`. */
  content?: Content;
  /** How `content` was cut, so that the next run cuts alike; absent for one chunk or none. */
  chunker?: ChunkerRecord;
  /** Hexadecimal id of a folder's node. */
  subtree?: string;
  /**
   * True where the entry is not all that was there, and the next backup has to read it again: the file kept changing while it
   * was read, so that `content` is of no single moment; or extended attributes could not be read, or were lost since.
   */
  changed?: boolean;
  /** Of a file that a source plugin gave: the version that it called this content by. */
  stream?: { plugin_id: string; version: string };
  [later: string]: unknown;
}

const ENTRY_TYPES = ["file", "dir", "symlink", "fifo", "socket", "chardev", "blockdev"] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

export interface EntryXattr {
  name: string;
  /** Base64. */
  value?: string;
  /** Ids of chunks, for values above `LIMITS.xattrInlineBytesMax`. */
  chunks?: string[];
}

/** A chunk id in hexadecimal, or a hole of so many bytes. */
export type ContentElement = string | { hole: string };

export interface Content {
  /** `plain` where the bytes are stored unencrypted, in the id space of that kind. */
  kind?: "plain";
  elements?: ContentElement[];
  /** Ids of list nodes in place of `elements`; `depth` levels of nodes lie below. */
  nodes?: string[];
  depth?: number;
}

export interface ChunkerRecord {
  algorithm: "fastcdc-1" | "fixed-1";
  block_bytes?: number;
}

const ID = /^[0-9a-f]{64}$/;
const UNSIGNED = /^(0|[1-9][0-9]{0,19})$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const SIGNED = /^(0|-?[1-9][0-9]{0,19})$/;

export function isChunkId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/**
 * Entries with the same key are names of one object. A file that changed between two of its names was saved with a content
 * for each, and then they are files of their own.
 */
export function linkKey(entry: Entry): string | undefined {
  const { type, links, device, inode } = entry;
  if (type === "dir" || links === undefined || links <= 1 || device === undefined) return undefined;
  const own = type === "file" ? [entry.size, entry.content ?? null] : [type, entry.target ?? null, entry.rdev ?? null];
  return `${device}:${inode}:${JSON.stringify(own)}`;
}

function isInteger(value: unknown, maximum: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maximum;
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

/** A name that a folder can hold: not empty, not `.` or `..`, without `/` and NUL. */
export function isEntryName(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name !== "." && name !== ".." && !name.includes("/") &&
    !name.includes("\0");
}

/** Says what is wrong with a parsed entry, or nothing. Everything that a restore relies on is checked here. */
export function entryFault(entry: Entry): string | undefined {
  if (typeof entry !== "object" || entry === null) return "an entry is no object";
  if (!isEntryName(entry.name)) return `name ${JSON.stringify(entry.name)} is not a file name`;
  if (!ENTRY_TYPES.includes(entry.type)) return `type ${JSON.stringify(entry.type)} is unknown`;
  if (!isInteger(entry.mode, 0o7777)) return "mode is out of range";
  if (!isInteger(entry.uid, 0xffffffff) || !isInteger(entry.gid, 0xffffffff)) return "owner is out of range";
  if (!isText(entry.mtime, SIGNED) || !isText(entry.ctime, SIGNED)) return "a time is not a decimal number";
  if (!isText(entry.inode, UNSIGNED)) return "inode is not a decimal number";
  if (entry.xattrs !== undefined && !entry.xattrs.every?.(isXattr)) return "xattrs are malformed";
  switch (entry.type) {
    case "file":
      if (!isText(entry.size, UNSIGNED) || !Number.isSafeInteger(Number(entry.size))) return "size is not a length";
      if (entry.links !== undefined && entry.links > 1 && !isText(entry.device, UNSIGNED)) return "device is missing";
      return entry.content === undefined && entry.size !== "0" ? "content is missing" : contentFault(entry.content);
    case "dir":
      return isChunkId(entry.subtree) ? undefined : "subtree is not an id";
    case "symlink":
      return typeof entry.target === "string" && entry.target !== "" && !entry.target.includes("\0")
        ? undefined
        : "target is not a path";
    case "chardev":
    case "blockdev":
      return entry.rdev?.length === 2 && entry.rdev.every((number) => isInteger(number, 0xffffffff))
        ? undefined
        : "rdev is not a pair of numbers";
    default:
      return undefined;
  }
}

function isXattr(xattr: EntryXattr): boolean {
  return typeof xattr?.name === "string" && xattr.name !== "" && !xattr.name.includes("\0") &&
    (isText(xattr.value, BASE64) || (Array.isArray(xattr.chunks) && xattr.chunks.every(isChunkId)));
}

function contentFault(content: Content | undefined): string | undefined {
  if (content === undefined) return undefined;
  if (content.kind !== undefined && content.kind !== "plain") return `content of kind ${JSON.stringify(content.kind)}`;
  if (content.nodes !== undefined) {
    return Array.isArray(content.nodes) && content.nodes.every(isChunkId) && isInteger(content.depth, 8) &&
        content.depth! > 0
      ? undefined
      : "content nodes are malformed";
  }
  return isElementList(content.elements) ? undefined : "content elements are malformed";
}

export function isElementList(elements: unknown): elements is ContentElement[] {
  return Array.isArray(elements) && elements.every((element) => isChunkId(element) || isText(element?.hole, UNSIGNED));
}
