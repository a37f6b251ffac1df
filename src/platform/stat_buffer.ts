import type { FileStat, FileType } from "./file_system.ts";
import { decimalNs } from "./times.ts";

/** What `statx` is asked for. */
export const STATX_BASIC_STATS = 0x7ff;

/** By `st_mode >> 12`. */
export const TYPES: readonly (FileType | undefined)[] = [
  undefined,
  "fifo",
  "chardev",
  undefined,
  "dir",
  undefined,
  "blockdev",
  undefined,
  "file",
  undefined,
  "symlink",
  undefined,
  "socket",
];

/** Major and minor number as one, as the C library's `makedev` does it. */
export function deviceNumber(major: number, minor: number): string {
  const low = (((major & 0xfff) << 8) | (minor & 0xff)) >>> 0;
  if (minor < 0x100 && major < 0x1000) return String(low);
  return (BigInt(low) | (BigInt(minor & ~0xff) & 0xffffffffn) << 12n | (BigInt(major & ~0xfff) & 0xffffffffn) << 32n)
    .toString();
}

/** Inverse of {@linkcode deviceNumber} as far as a double is exact. */
export function deviceMajor(device: number): number {
  return Number(((BigInt(device) >> 8n) & 0xfffn) | ((BigInt(device) >> 32n) & 0xfffff000n));
}

export function deviceMinor(device: number): number {
  return Number((BigInt(device) & 0xffn) | ((BigInt(device) >> 12n) & 0xffffff00n));
}

function decimal(low: number, high: number): string {
  return high < 0x20_0000 ? String(high * 2 ** 32 + low) : ((BigInt(high) << 32n) | BigInt(low)).toString();
}

/**
 * The kernel's `struct statx` (`linux/stat.h`), the same on every architecture, as 32-bit words of a little-endian machine:
 *
 * ```text
 *  0 mask      4 nlink   7 mode 16 bits    10 size 64    24 ctime: seconds 64, nanoseconds 32   32 rdev major, minor
 *  1 blksize   5 uid     8 inode 64 bits   12 blocks 64  28 mtime                               34 dev major, minor
 *  2 attributes 6 gid
 * ```
 */
export class StatBuffer {
  /** 256 bytes for the kernel to fill; not on the JavaScript heap, so they never move. */
  readonly bytes = new Uint8Array(new ArrayBuffer(256));
  readonly #words = new Uint32Array(this.bytes.buffer);
  readonly #signed = new Int32Array(this.bytes.buffer);
  #device = { major: 0, minor: 0, number: "0" };

  /** Undefined for a type that is none of {@linkcode FileType}. */
  decode(): FileStat | undefined {
    const words = this.#words;
    const mode = words[7] & 0xffff;
    const type = TYPES[mode >>> 12];
    if (type === undefined) return undefined;
    const isDevice = type === "chardev" || type === "blockdev";
    return {
      type,
      mode: mode & 0o7777,
      uid: words[5],
      gid: words[6],
      sizeBytes: words[11] * 2 ** 32 + words[10],
      mtimeNs: decimalNs(words[28], this.#signed[29], words[30]),
      ctimeNs: decimalNs(words[24], this.#signed[25], words[26]),
      inode: decimal(words[8], words[9]),
      device: this.#deviceOf(words[34], words[35]),
      links: words[4],
      allocatedBytes: (words[13] * 2 ** 32 + words[12]) * 512,
      deviceMajor: isDevice ? words[32] : 0,
      deviceMinor: isDevice ? words[33] : 0,
    };
  }

  #deviceOf(major: number, minor: number): string {
    const last = this.#device;
    if (last.major === major && last.minor === minor) return last.number;
    this.#device = { major, minor, number: deviceNumber(major, minor) };
    return this.#device.number;
  }
}
