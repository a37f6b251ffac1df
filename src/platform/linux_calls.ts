import { cString, readCString } from "./c_string.ts";
import { ERRNO } from "./errno.ts";
import { type FileStat, SystemError } from "./file_system.ts";
import { failure, type Libc } from "./libc.ts";
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  SYS_GETDENTS64,
  SYS_STATX,
} from "./linux_constants.ts";
import { StatBuffer, STATX_BASIC_STATS } from "./stat_buffer.ts";

const LISTING_BYTES = 64 * 1024;
const LINK_BYTES = 64 * 1024;
const SLASH = 0x2f, DOT = 0x2e;

/** System calls that more than one class makes, relative to an open folder. `path` is for messages. */
export class LinuxCalls {
  readonly #stat = new StatBuffer();
  /** What {@linkcode nextListing} got. */
  readonly listing = new Uint8Array(new ArrayBuffer(LISTING_BYTES));
  readonly #packed = new Uint8Array(LISTING_BYTES);
  readonly #link = new Uint8Array(new ArrayBuffer(LINK_BYTES));
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(readonly libc: Libc) {}

  /** The stat of `name` itself, or why there is none. */
  tryStatAt(folder: number, name: string, path: string): FileStat | SystemError {
    try {
      const stat = this.#statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, path);
      return typeof stat === "number" ? failure(stat, "statx", path) : stat;
    } catch (error) {
      if (error instanceof SystemError) return error; // of a name that no system can hold
      throw error;
    }
  }

  statAt(folder: number, name: string, path: string): FileStat {
    const stat = this.tryStatAt(folder, name, path);
    if (stat instanceof SystemError) throw stat;
    return stat;
  }

  /** Undefined where there is no such name; making an error of that costs ten times the call. */
  statIfThere(folder: number, name: string, path: string): FileStat | undefined {
    const stat = this.#statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, path);
    if (typeof stat !== "number") return stat;
    if (stat !== -ERRNO.ENOENT) throw failure(stat, "statx", path);
    return undefined;
  }

  statOpen(descriptor: number, path: string): FileStat {
    const stat = this.#statx(descriptor, "", AT_EMPTY_PATH, path);
    if (typeof stat === "number") throw failure(stat, "statx", path);
    return stat;
  }

  #statx(folder: number, name: string, flags: number, path: string): FileStat | number {
    const text = cString(name, "statx");
    const call = this.libc.symbols.statx;
    if (call(SYS_STATX, folder, text, flags, STATX_BASIC_STATS, this.#stat.bytes) !== 0) return -this.libc.errno();
    const stat = this.#stat.decode();
    if (stat === undefined) throw new SystemError("EINVAL", "statx", path);
    return stat;
  }

  /** Opens for reading, without touching the access time where that is allowed. */
  openAt(folder: number, name: string, flags: number, path: string): number {
    const text = cString(name, "open");
    const open = (more: number) =>
      this.libc.attempt(() => this.libc.symbols.openat(folder, text, flags | more | O_NOFOLLOW | O_CLOEXEC, 0));
    let descriptor = open(O_NOATIME | O_NONBLOCK);
    if (descriptor === -ERRNO.EPERM) descriptor = open(O_NONBLOCK);
    // Another program has a lease on the file and is told to give it up: wait for that, unless it is no file.
    if (descriptor === -ERRNO.EAGAIN && this.statAt(folder, name, path).type === "file") descriptor = open(0);
    if (descriptor < 0) throw failure(descriptor, "open", path);
    return descriptor;
  }

  /** Opens a regular file; anything else in its place is `EISDIR`, `ELOOP`, `ENXIO` or `EINVAL`. */
  openFileAt(folder: number, name: string, access: number, path: string): number {
    const descriptor = this.openAt(folder, name, access, path);
    try {
      const { type } = this.statOpen(descriptor, path);
      if (type !== "file") throw new SystemError(type === "dir" ? "EISDIR" : "EINVAL", "open", path);
      return descriptor;
    } catch (error) {
      this.close(descriptor);
      throw error;
    }
  }

  /** Names in a folder, without `.` and `..`. */
  namesAt(folder: number, name: string, path: string): string[] {
    const descriptor = this.openAt(folder, name, O_RDONLY | O_DIRECTORY, path);
    try {
      const names: string[] = [];
      for (;;) {
        const length = this.nextListing(descriptor, path);
        if (length === 0) return names;
        this.#unpackNames(length, names);
      }
    } finally {
      this.close(descriptor);
    }
  }

  /** Fills {@linkcode listing} with records of a folder and returns their bytes; 0 at its end. */
  nextListing(descriptor: number, path: string): number {
    const { getdents64 } = this.libc.symbols;
    return this.libc.run(
      "getdents64",
      path,
      () => getdents64(SYS_GETDENTS64, descriptor, this.listing, BigInt(LISTING_BYTES)),
    );
  }

  /**
   * A record of `getdents64` is inode 64, offset 64, length of the record 16, type 8, name, NUL. One call to the decoder
   * for all of a buffer is several times faster than one for each name; `/` is the one byte that no name holds.
   */
  #unpackNames(length: number, names: string[]): void {
    const data = this.listing, packed = this.#packed;
    let end = 0;
    for (let at = 0; at < length; at += data[at + 16] | (data[at + 17] << 8)) {
      let from = at + 19;
      if (data[from] === DOT && (data[from + 1] === 0 || (data[from + 1] === DOT && data[from + 2] === 0))) continue;
      while (data[from] !== 0) packed[end++] = data[from++];
      packed[end++] = SLASH;
    }
    if (end === 0) return;
    let list: string[];
    try {
      list = this.#decoder.decode(packed.subarray(0, end - 1)).split("/");
    } catch {
      list = splitBytes(packed.subarray(0, end));
    }
    for (const name of list) names.push(name);
  }

  linkAt(folder: number, name: string, path: string): string {
    const text = cString(name, "readlink");
    const length = this.libc.run(
      "readlink",
      path,
      () => this.libc.symbols.readlinkat(folder, text, this.#link, BigInt(LINK_BYTES)),
    );
    if (length === LINK_BYTES) throw new SystemError("ENAMETOOLONG", "readlink", path);
    this.#link[length] = 0;
    return readCString(this.#link);
  }

  /** For descriptors whose failure to close loses nothing. */
  close(descriptor: number): void {
    this.libc.symbols.close(descriptor);
  }
}

function splitBytes(packed: Uint8Array<ArrayBuffer>): string[] {
  const names: string[] = [];
  for (let from = 0; from < packed.length;) {
    const end = packed.indexOf(SLASH, from);
    packed[end] = 0;
    names.push(readCString(packed, from));
    from = end + 1;
  }
  return names;
}
