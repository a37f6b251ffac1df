import { LIMITS } from "../base/limits.ts";
import type { Libc } from "./libc.ts";
import type { LinuxCalls } from "./linux_calls.ts";
import { AT_FDCWD, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, O_DIRECTORY, O_RDONLY, SYS_STATX } from "./linux_constants.ts";
import { HASH_START, hashByte, PACKED, type PackedFolder } from "./packed_folder.ts";
import { STATX_BASIC_STATS } from "./stat_buffer.ts";

const NAME_BYTES_MAX = 256;
const DOT = 0x2e;

/** Lists folders into arrays that the next call overwrites. */
export class LinuxPacker {
  readonly #entries = new Uint32Array(PACKED.words * LIMITS.packedFolderEntriesMax);
  readonly #names = new Uint8Array(LIMITS.packedFolderNameBytesMax);
  readonly #name = new Uint8Array(new ArrayBuffer(NAME_BYTES_MAX));
  readonly #stat = new Uint32Array(new ArrayBuffer(256));
  readonly #statBytes = new Uint8Array(this.#stat.buffer);
  #count = 0;
  #nameEnd = 0;

  constructor(readonly libc: Libc, readonly calls: LinuxCalls) {}

  /** Undefined where there is more than the arrays hold, or one of the names has no stat. Throws if the folder cannot be read. */
  pack(path: string): PackedFolder | undefined {
    this.#count = 0;
    this.#nameEnd = 0;
    const descriptor = this.calls.openAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, path);
    try {
      for (;;) {
        const length = this.calls.nextListing(descriptor, path);
        if (length === 0) break;
        if (!this.#packListing(descriptor, length)) return undefined;
      }
    } finally {
      this.calls.close(descriptor);
    }
    const entries = this.#entries.subarray(0, PACKED.words * this.#count);
    return { count: this.#count, entries, names: this.#names.subarray(0, this.#nameEnd) };
  }

  /** A record of `getdents64` is inode 64, offset 64, length of the record 16, type 8, name, NUL. */
  #packListing(descriptor: number, length: number): boolean {
    const data = this.calls.listing;
    for (let at = 0; at < length; at += data[at + 16] | (data[at + 17] << 8)) {
      const from = at + 19;
      if (data[from] === DOT && (data[from + 1] === 0 || (data[from + 1] === DOT && data[from + 2] === 0))) continue;
      if (!this.#packEntry(descriptor, data, from)) return false;
    }
    return true;
  }

  #packEntry(descriptor: number, data: Uint8Array, from: number): boolean {
    const name = this.#name, names = this.#names, start = this.#nameEnd;
    if (this.#count === LIMITS.packedFolderEntriesMax || start + NAME_BYTES_MAX > names.length) return false;
    let hash = HASH_START, length = 0;
    for (; data[from + length] !== 0; length++) {
      if (length === NAME_BYTES_MAX - 1) return false;
      const byte = data[from + length];
      name[length] = byte;
      names[start + length] = byte;
      hash = hashByte(hash, byte);
    }
    name[length] = 0;
    names[start + length] = 0;
    const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
    const { statx } = this.libc.symbols;
    if (statx(SYS_STATX, descriptor, name, flags, STATX_BASIC_STATS, this.#statBytes) !== 0) return false;
    this.#keep(start, hash);
    this.#nameEnd = start + length + 1;
    return true;
  }

  #keep(nameStart: number, hash: number): void {
    const stat = this.#stat, entries = this.#entries;
    const at = PACKED.words * this.#count++;
    for (let word = 0; word < 4; word++) entries[at + PACKED.links + word] = stat[4 + word];
    entries[at + PACKED.mode] &= 0xffff;
    for (let word = 0; word < 4; word++) entries[at + PACKED.inode + word] = stat[8 + word];
    for (let word = 0; word < 3; word++) entries[at + PACKED.ctimeSeconds + word] = stat[24 + word];
    for (let word = 0; word < 3; word++) entries[at + PACKED.mtimeSeconds + word] = stat[28 + word];
    entries[at + PACKED.deviceMajor] = stat[34];
    entries[at + PACKED.deviceMinor] = stat[35];
    entries[at + PACKED.nameStart] = nameStart;
    entries[at + PACKED.nameHash] = hash;
  }
}
