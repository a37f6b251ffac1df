import { fromUtf8 } from "../base/bytes.ts";
import type { FileType } from "../platform/file_system.ts";
import { HASH_START, hashByte, PACKED, type PackedFolder } from "../platform/packed_folder.ts";
import { deviceNumber } from "../platform/stat_buffer.ts";
import type { ChangeDetector } from "./change_detection.ts";
import { type HasChunk, LeafEntry } from "./leaf_entry.ts";
import { LeafText, literals } from "./leaf_text.ts";

/** A folder of which everything is as an earlier snapshot has it, but for what its folders hold. */
export interface MatchedFolder {
  files: number;
  bytes: number;
  others: number;
  /** In the order of their names; with their numbers in the listing. */
  folders: { name: string; number: number; subtree: string }[];
}

/** Whether an entry that is as it was belongs into the snapshot as it is. */
export type WantsSame = (name: string, type: FileType, sizeBytes: number, device: string) => boolean;

const TEXT = literals({ head: '{"entries":[', comma: ",", tail: '],"version":1}', part: ".axiom-part-" });

export function isLeaf(document: Uint8Array): boolean {
  return new LeafText(document).has(TEXT.head);
}

/**
 * Compares what a folder holds with the documents of a folder of an earlier snapshot, number by number and without making an
 * object of any file: most folders of most backups are as they were. One folder at a time.
 */
export class FolderMatcher {
  readonly #entry: LeafEntry;
  /** Numbers of packed entries plus 1, by the hash of their names; 0 where there is none. */
  #table = new Int32Array(1024);
  /** What of a hash is a place in the table, of which a small folder uses only the beginning. */
  #mask = 0;
  #folder!: PackedFolder;
  #wantsSame: WantsSame | undefined;
  #matched!: MatchedFolder;
  #count = 0;
  /** Of the packed entry that was compared last. */
  #number = -1;
  /** Of the leaf before. */
  #lastName: Uint8Array = new Uint8Array();

  constructor(readonly detector: ChangeDetector, hasChunk: HasChunk) {
    this.#entry = new LeafEntry(hasChunk);
  }

  /** @param wantsSame Asked for each entry; nothing has to be asked where it is undefined */
  begin(folder: PackedFolder, wantsSame: WantsSame | undefined): void {
    this.#folder = folder;
    this.#wantsSame = wantsSame;
    this.#matched = { files: 0, bytes: 0, others: 0, folders: [] };
    this.#count = 0;
    this.#lastName = new Uint8Array();
    this.#fillTable();
  }

  /** Takes a document of the folder. False unless all that it names is there, unchanged and can be relied on, as far as can be told here. */
  isSame(leaf: Uint8Array): boolean {
    const entry = this.#entry;
    const text = new LeafText(leaf);
    text.expect(TEXT.head);
    for (let isFirst = true; !text.failed && !text.has(TEXT.tail); isFirst = false) {
      if (!isFirst) text.expect(TEXT.comma);
      const { nameStart, nameEnd } = entry;
      entry.read(text);
      if (text.failed) return false;
      const isInOrder = isFirst
        ? this.#comesAfter(this.#lastName, 0, this.#lastName.length, leaf)
        : this.#comesAfter(leaf, nameStart, nameEnd, leaf);
      if (!isInOrder || !this.#isSameEntry(text)) return false;
      this.#add(text);
    }
    this.#lastName = leaf.subarray(entry.nameStart, entry.nameEnd);
    return text.at === leaf.length;
  }

  /** Undefined where the folder holds more than the documents name. */
  end(): MatchedFolder | undefined {
    return this.#count === this.#folder.count ? this.#matched : undefined;
  }

  #isSameEntry(text: LeafText): boolean {
    const entry = this.#entry, { entries } = this.#folder;
    const number = this.#number = this.#find(text.data);
    if (number < 0) return false;
    const at = PACKED.words * number;
    if (!this.detector.isUnchangedPacked(entry, text, entries, at) || !entry.hasContent) return false;
    if (entry.type === "file" && startsWith(text.data, entry.nameStart, TEXT.part)) return false;
    if (this.#wantsSame === undefined) return true;
    const device = deviceNumber(entries[at + PACKED.deviceMajor], entries[at + PACKED.deviceMinor]);
    const sizeBytes = entries[at + PACKED.sizeBytes + 1] * 2 ** 32 + entries[at + PACKED.sizeBytes];
    return this.#wantsSame(this.#name(text.data), entry.type, sizeBytes, device);
  }

  #add({ data }: LeafText): void {
    const { type, sizeBytes, subtreeStart } = this.#entry;
    this.#count++;
    if (type === "file") {
      this.#matched.files++;
      this.#matched.bytes += sizeBytes;
    } else if (type === "dir") {
      const subtree = fromUtf8(data.subarray(subtreeStart, subtreeStart + 64));
      this.#matched.folders.push({ name: this.#name(data), number: this.#number, subtree });
    } else this.#matched.others++;
  }

  /** It has no escapes in JSON, so its bytes are UTF-8. */
  #name(data: Uint8Array): string {
    return fromUtf8(data.subarray(this.#entry.nameStart, this.#entry.nameEnd));
  }

  #fillTable(): void {
    const { count, entries } = this.#folder;
    let size = 16;
    while (size < 2 * count) size *= 2;
    if (size > this.#table.length) this.#table = new Int32Array(size);
    else this.#table.fill(0, 0, size);
    const mask = this.#mask = size - 1;
    for (let number = 0; number < count; number++) {
      let slot = entries[PACKED.words * number + PACKED.nameHash] & mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
      this.#table[slot] = number + 1;
    }
  }

  /** So that no name stands twice. */
  #comesAfter(last: Uint8Array, start: number, end: number, data: Uint8Array): boolean {
    const { nameStart, nameEnd } = this.#entry;
    const length = Math.min(end - start, nameEnd - nameStart);
    for (let i = 0; i < length; i++) {
      if (last[start + i] !== data[nameStart + i]) return last[start + i] < data[nameStart + i];
    }
    return end - start < nameEnd - nameStart;
  }

  /** The number of the packed entry that has the name of the entry; -1 if there is none. */
  #find(data: Uint8Array): number {
    const { nameStart, nameEnd } = this.#entry, { entries, names } = this.#folder;
    let hash = HASH_START;
    for (let i = nameStart; i < nameEnd; i++) hash = hashByte(hash, data[i]);
    const table = this.#table, mask = this.#mask;
    for (let slot = hash & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const number = table[slot] - 1;
      const start = entries[PACKED.words * number + PACKED.nameStart];
      if (isName(names, start, data, nameStart, nameEnd)) return number;
    }
    return -1;
  }
}

function isName(names: Uint8Array, start: number, data: Uint8Array, from: number, to: number): boolean {
  for (let i = 0; i < to - from; i++) if (names[start + i] !== data[from + i]) return false;
  return names[start + to - from] === 0;
}

function startsWith(data: Uint8Array, at: number, literal: Uint8Array): boolean {
  for (let i = 0; i < literal.length; i++) if (data[at + i] !== literal[i]) return false;
  return true;
}
