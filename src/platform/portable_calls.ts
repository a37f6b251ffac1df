import type { FileStat, FileType } from "./file_system.ts";
import { SystemError } from "./file_system.ts";
import { translate } from "./portable_errors.ts";
import { deviceMajor, deviceMinor } from "./stat_buffer.ts";

/** Throws for a path that Deno would take for another one. */
export function requireExact(path: string, call: string): void {
  if (path.includes("\0")) throw new SystemError("EINVAL", call, path);
  if (!path.isWellFormed()) throw new SystemError("EILSEQ", call, path);
}

/** Throws unless Deno takes `path` as it is and has the permission, for which it would ask on the terminal otherwise. */
export function admit(path: string, call: string, access: "read" | "write"): void {
  requireExact(path, call);
  if (Deno.permissions.querySync({ name: access, path }).state !== "granted") {
    throw new SystemError("EACCES", call, path);
  }
}

export function portableLstat(path: string): FileStat {
  admit(path, "lstat", "read");
  return translate("lstat", path, () => fileStatOf(Deno.lstatSync(path)));
}

function typeOf(info: Deno.FileInfo): FileType {
  if (info.isSymlink) return "symlink";
  if (info.isDirectory) return "dir";
  if (info.isFifo) return "fifo";
  if (info.isSocket) return "socket";
  if (info.isCharDevice) return "chardev";
  if (info.isBlockDevice) return "blockdev";
  return "file";
}

/** Deno rounds times to milliseconds. */
function nsOf(time: Date | null | undefined): string {
  const ms = time?.getTime() ?? 0;
  return ms === 0 ? "0" : `${ms}000000`;
}

/**
 * Deno gives an inode number as a double. One above 2^53 is not exact and may be another file's too, so such a file counts
 * as one with a single name: taking two files for one would lose data, taking links for two files does not.
 */
export function fileStatOf(info: Deno.FileInfo): FileStat {
  const type = typeOf(info);
  const inode = info.ino ?? 0;
  const isExact = inode > 0 && inode <= Number.MAX_SAFE_INTEGER;
  const isDevice = type === "chardev" || type === "blockdev";
  return {
    type,
    mode: (info.mode ?? (type === "dir" ? 0o755 : 0o644)) & 0o7777,
    uid: info.uid ?? 0,
    gid: info.gid ?? 0,
    sizeBytes: info.size,
    mtimeNs: nsOf(info.mtime),
    ctimeNs: nsOf(info.ctime),
    inode: BigInt(inode).toString(),
    device: BigInt(info.dev ?? 0).toString(),
    links: isExact ? info.nlink ?? 1 : 1,
    allocatedBytes: info.blocks === null ? info.size : info.blocks * 512,
    deviceMajor: isDevice ? deviceMajor(info.rdev ?? 0) : 0,
    deviceMinor: isDevice ? deviceMinor(info.rdev ?? 0) : 0,
  };
}
