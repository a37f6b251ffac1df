import { createHash } from "node:crypto";
import { type Bytes, equalBytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { PACKED, type PackedFolder } from "../platform/packed_folder.ts";
import { deviceNumber } from "../platform/stat_buffer.ts";
import type { MatchedFolder } from "./folder_match.ts";
import { decodeKnown, decodeRecord, encodeKnown, encodeRecord } from "./known_folders_format.ts";

export interface KnownFoldersOptions {
  /** What earlier runs left, if anything. */
  stored: Uint8Array | undefined;
  /** All that decides what of a folder is saved, beside what its listing says. */
  binding: string;
  /** Names of the index objects that describe all packs, each of which is there. */
  indexes: readonly string[];
  /** Devices of which no folder is remembered: what is racy there cannot be told so sharply. */
  otherClocks: ReadonlySet<string>;
  /** HMAC under a key of the repository. */
  mac: (data: Uint8Array) => Bytes;
}

/**
 * Folders that {@linkcode FolderMatcher} found to be as a document of the repository has them, remembered by a hash of all
 * that was looked at: the next backup needs neither the document nor a comparison. What the matcher found holds as long as
 * the listing is the same to the nanosecond, since no time in it was racy, and as long as the chunks are there: their index
 * objects must still count, and all packs be there.
 */
export class KnownFolders {
  readonly #stored: ReadonlyMap<string, Uint8Array>;
  readonly #next = new Map<string, Uint8Array>();
  #isNew = false;

  constructor(readonly options: KnownFoldersOptions) {
    const { stored, binding, indexes, mac } = options;
    const known = stored && decodeKnown(stored, mac);
    const current = new Set(indexes);
    const holds = known?.header.binding === binding && known.header.indexes.every((name) => current.has(name));
    this.#stored = holds ? known.records : new Map();
    this.#isNew = known?.header.indexes.length !== indexes.length;
  }

  /** @param id Document of the folder at `path`, which is looked like `folder` just now */
  find(id: string, path: string, folder: PackedFolder): MatchedFolder | undefined {
    const stored = this.#stored.get(id);
    if (stored === undefined) return undefined;
    const { fingerprint, files, others, bytes, folders } = decodeRecord(stored);
    if (!equalBytes(fingerprint, fingerprintOf(path, folder))) return undefined;
    this.#next.set(id, stored);
    return {
      files,
      others,
      bytes,
      folders: folders.map(({ number, subtree }) => ({ name: nameOf(folder, number), number, subtree })),
    };
  }

  /** @param matched What comparing `folder` with the document `id` gave */
  add(id: string, path: string, folder: PackedFolder, matched: MatchedFolder): void {
    if (this.#next.size >= LIMITS.knownFoldersMax || this.#isElsewhere(folder)) return;
    this.#next.set(id, encodeRecord({ ...matched, fingerprint: fingerprintOf(path, folder) }));
    this.#isNew = true;
  }

  #isElsewhere({ count, entries }: PackedFolder): boolean {
    const { otherClocks } = this.options;
    if (otherClocks.size === 0) return false;
    let major = -1, minor = -1;
    for (let at = 0; at < PACKED.words * count; at += PACKED.words) {
      if (entries[at + PACKED.deviceMajor] === major && entries[at + PACKED.deviceMinor] === minor) continue;
      major = entries[at + PACKED.deviceMajor];
      minor = entries[at + PACKED.deviceMinor];
      if (otherClocks.has(deviceNumber(major, minor))) return true;
    }
    return false;
  }

  /** What the next run is to be given; undefined if that is what this one was given. */
  encode(): Bytes | undefined {
    if (!this.#isNew && this.#next.size === this.#stored.size) return undefined;
    const { binding, indexes, mac } = this.options;
    return encodeKnown({ binding, indexes }, this.#next, mac);
  }
}

/** Names and numbers in the order of the listing. */
function fingerprintOf(path: string, { count, entries, names }: PackedFolder): Bytes {
  const words = entries.subarray(0, PACKED.words * count);
  return createHash("sha256").update(utf8(`${path}\0${count}\0`))
    .update(new Uint8Array(words.buffer, words.byteOffset, words.byteLength)).update(names)
    .digest() as unknown as Bytes;
}

function nameOf({ entries, names }: PackedFolder, number: number): string {
  const start = entries[PACKED.words * number + PACKED.nameStart];
  return fromUtf8(names.subarray(start, names.indexOf(0, start)));
}
