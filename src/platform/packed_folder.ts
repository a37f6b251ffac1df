import type { Bytes } from "../base/bytes.ts";

/** Words of {@linkcode PackedFolder.entries} for each entry, and where they stand; numbers of 64 bits begin with their low half. */
export const PACKED = {
  links: 0,
  uid: 1,
  gid: 2,
  /** `st_mode`: type and permissions. */
  mode: 3,
  inode: 4,
  sizeBytes: 6,
  ctimeSeconds: 8,
  ctimeNanoseconds: 10,
  mtimeSeconds: 11,
  mtimeNanoseconds: 13,
  deviceMajor: 14,
  deviceMinor: 15,
  nameStart: 16,
  nameHash: 17,
  words: 18,
} as const;

/** Names and `lstat` of all that a folder holds, in the system's order, as numbers: no entry costs an object. */
export interface PackedFolder {
  count: number;
  /** {@linkcode PACKED} for each entry. */
  entries: Uint32Array<ArrayBuffer>;
  /** Each with a NUL at its end. */
  names: Bytes;
}

export const HASH_START = 0x811c9dc5;

/** FNV-1a, of which {@linkcode HASH_START} is the first `hash`. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** A copy that takes no more room than it needs. */
export function copyOfPacked({ count, entries, names }: PackedFolder): PackedFolder {
  return { count, entries: entries.slice(), names: names.slice() };
}

/** Memory that a folder takes once it is a copy. */
export function packedBytes({ entries, names }: PackedFolder): number {
  return entries.byteLength + names.byteLength + OBJECT_BYTES;
}

/** Of three small objects and what the allocator rounds up. */
const OBJECT_BYTES = 400;
