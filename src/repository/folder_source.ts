import type { Entry, EntryType } from "../model/entry.ts";
import type { TreeReader } from "./tree_reader.ts";

/** A folder's document: its id in hexadecimal, or its number in a catalogue. */
export type FolderId = string | number;

/** What a search needs to know of an entry; the same whether it comes from a tree or from the catalogue. */
export interface FoundEntry {
  name: string;
  type: EntryType;
  mode: number;
  /** Of a file. */
  sizeBytes?: number;
  mtimeNs: string;
  /** Equal for equal content, link target or device number; 0 for folders. */
  fingerprint: number;
  /** Of a folder. */
  folder?: FolderId;
}

/** Where folders can be read, from the repository or from a catalogue. */
export interface FolderSource {
  /** Entries in the order of their names' bytes, some at a time; only the one called `only` if that is given. */
  entries(folder: FolderId, only?: string): AsyncIterable<readonly FoundEntry[]>;
}

/** Folders as the repository has them. */
export class TreeSource implements FolderSource {
  constructor(readonly trees: TreeReader) {}

  async *entries(folder: FolderId, only?: string): AsyncGenerator<readonly FoundEntry[]> {
    if (only === undefined) {
      for await (const leaf of this.trees.leaves(String(folder))) yield leaf.map(foundEntry);
    } else {
      const entry = await this.trees.find(String(folder), only);
      if (entry !== undefined) yield [foundEntry(entry)];
    }
  }
}

function foundEntry(entry: Entry): FoundEntry {
  const { name, type, mode, mtime } = entry;
  const found: FoundEntry = { name, type, mode, mtimeNs: mtime, fingerprint: fingerprintOf(entry) };
  if (type === "file") found.sizeBytes = Number(entry.size);
  if (type === "dir") found.folder = entry.subtree!;
  return found;
}

/** 47 bits, so that SQLite takes six bytes for it. Not cryptographic: what it is made of are mostly chunk ids. */
export function fingerprintOf(entry: Entry): number {
  switch (entry.type) {
    case "file":
      return entry.content === undefined ? 0 : hash(JSON.stringify(entry.content));
    case "symlink":
      return hash(entry.target!);
    case "chardev":
    case "blockdev":
      return hash(entry.rdev!.join());
    default:
      return 0;
  }
}

function hash(text: string): number {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b) + (b >>> 13);
  }
  return ((b ^ (b >>> 15)) & 0x7fff) * 2 ** 32 + ((a ^ (a >>> 16)) >>> 0);
}
