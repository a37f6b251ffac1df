import type { Bytes } from "../base/bytes.ts";
import type { PackedFolder } from "./packed_folder.ts";

/**
 * What Deno lacks of a file system, as one synchronous interface. Paths and names are strings as `base/names.ts` decodes
 * them, so every name that the system holds can be opened again. Times are nanoseconds since 1970 as decimal strings,
 * which may be negative. Failures are {@linkcode SystemError}.
 */
export interface FileSystem {
  /** What this implementation cannot see or restore, for the one warning that a person gets. */
  readonly fidelity: Fidelity;
  /** Never follows a symbolic link. */
  lstat(path: string): FileStat;
  /** Names in a folder without `.` and `..`, in the system's order. A link in the folder's place is `ENOTDIR`. */
  readNames(path: string): string[];
  /**
   * `lstat` of many names of one folder in one go: a stat or why there is none, in the order of `names`. Throws if the folder
   * cannot be opened; a link in its place is `ENOTDIR`.
   */
  statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[];
  /**
   * Names and stats of a folder of moderate size, valid until the next call; undefined where it is larger, or not all in it
   * can be looked at. Throws if the folder cannot be read. Absent where a system has no quick way to it.
   */
  packed?(folder: string): PackedFolder | undefined;
  readLink(path: string): string;
  /** Extended attributes, sorted by name; POSIX ACLs are among them as `system.posix_acl_access` and `…_default`. */
  xattrs(path: string): Xattr[];
  /**
   * Opens a regular file for reading. A symbolic link in its place (`ELOOP`), a folder (`EISDIR`), a FIFO and the like
   * (`EINVAL`, `ENXIO`) are errors, never followed or waited for.
   */
  openForReading(path: string): SourceFile;
  /** Absolute, with symbolic links resolved. */
  realPath(path: string): string;
  /** Opens an existing folder as the place of a restore. */
  openTarget(path: string): TargetTree;
  /** Kind of the file system at `path`, such as `ext4`, `nfs`, `cifs`, `tmpfs`, and its free space; undefined where unknown. */
  volume(path: string): { kind: string; freeBytes: number } | undefined;
  /** Devices of mounted file systems whose times may come from another machine's clock, such as those of NFS. */
  otherClocks(): ReadonlySet<string>;
  userName(uid: number): string | undefined;
  groupName(gid: number): string | undefined;
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
}

export type FileType = "file" | "dir" | "symlink" | "fifo" | "socket" | "chardev" | "blockdev";

export interface FileStat {
  type: FileType;
  /** Permission bits with set-uid, set-gid and sticky: `0o7777`. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  mtimeNs: string;
  ctimeNs: string;
  /** Decimal, up to 64 bits. */
  inode: string;
  /** Decimal; names a file system until it is unmounted. */
  device: string;
  links: number;
  /** Bytes in use on disk; less than `sizeBytes` for a sparse file. */
  allocatedBytes: number;
  /** Major and minor number of a device node, else 0. */
  deviceMajor: number;
  deviceMinor: number;
}

export interface Xattr {
  name: string;
  value: Bytes;
}

export interface SourceFile {
  stat(): FileStat;
  /** Reads at `offset` into all of `into` unless the file ends; returns the bytes read, 0 at the end. */
  read(into: Bytes, offset: number): number;
  /** The parts that hold data, in order, up to `sizeBytes`; one part for the whole file where holes cannot be asked for. */
  dataSegments(sizeBytes: number): Iterable<{ offset: number; length: number }>;
  close(): void;
}

export interface Metadata {
  mode: number;
  /** Undefined keeps the owner as it is. */
  uid?: number;
  gid?: number;
  mtimeNs: string;
  /**
   * Undefined keeps them as they are; else exactly these remain, beside the system's own: `system.*` other than POSIX ACLs,
   * and labels such as `security.selinux`.
   */
  xattrs?: readonly Xattr[];
}

/** What of a {@linkcode Metadata} could not be set, such as an owner without the right to. */
export interface MetadataLoss {
  what: "owner" | "mode" | "times" | "xattr";
  detail: string;
  code: string;
}

/**
 * One folder and what is below it, for writing. Paths are relative to it with `/` between names; no call ever leaves it:
 * absolute paths, empty names, `.`, `..` and NUL are refused, and no symbolic link is followed, neither on the way nor at
 * the end (Linux: `openat2` with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`). The empty path is the folder itself. A refused path
 * is `EINVAL`, a link on the way `ELOOP`.
 */
export interface TargetTree {
  readonly path: string;
  /** Undefined if there is nothing, or no folder on the way to it. */
  lstat(path: string): FileStat | undefined;
  /**
   * The same for two paths only if they are on one file system and, as far as the system tells, in one mount of it: a folder
   * of the same disk that is bound below another has another one. Undefined like {@linkcode lstat}.
   */
  mountOf(path: string): string | undefined;
  readNames(path: string): string[];
  readLink(path: string): string;
  xattrs(path: string): Xattr[];
  openForReading(path: string): SourceFile;
  /** Makes a new empty regular file of mode 0600; an existing one is `EEXIST`. */
  createFile(path: string): TargetFile;
  /** Opens an existing regular file for writing without emptying it. */
  openFile(path: string): TargetFile;
  /** Makes a folder of mode 0700; an existing one is `EEXIST`. */
  makeFolder(path: string): void;
  makeSymlink(path: string, target: string): void;
  /** Makes `path` another name of the file `existing`. */
  makeLink(path: string, existing: string): void;
  makeNode(path: string, type: "fifo" | "socket" | "chardev" | "blockdev", major: number, minor: number): void;
  /** Removes anything but a folder. */
  remove(path: string): void;
  removeFolder(path: string): void;
  rename(from: string, to: string): void;
  /** The same, but what stands at `to`, under that or a name that the system takes for it, stays: `EEXIST`. */
  renameNew(from: string, to: string): void;
  /**
   * Sets what it can, owner before mode before extended attributes before times, and reports the rest. Where the owner or
   * group cannot be set, set-uid or set-gid is left out.
   */
  setMetadata(path: string, metadata: Metadata): MetadataLoss[];
  /** Makes what was written durable. */
  sync(): void;
  close(): void;
}

export interface TargetFile {
  /** Writes all of `data` at `offset`. */
  write(data: Bytes, offset: number): void;
  /** Reads like {@linkcode SourceFile.read}; only after `openFile`. */
  read(into: Bytes, offset: number): number;
  /** Cuts off or extends with a hole. */
  truncate(sizeBytes: number): void;
  /** Frees a range that then reads as zeros; writes zeros where the system cannot. */
  punchHole(offset: number, length: number): void;
  stat(): FileStat;
  setMetadata(metadata: Metadata): MetadataLoss[];
  close(): void;
}

/** False where the implementation loses it. */
export interface Fidelity {
  /** Such as `linux/libc` or `portable`. */
  implementation: string;
  /** Why the better one is not in use, such as `--allow-ffi was not granted`. */
  reason?: string;
  /** False: milliseconds, ctime in seconds, and a time before 1970 is read as one after it. */
  nanoseconds: boolean;
  /** False: a name that is not UTF-8 cannot be opened, and Deno 2.7 and older do not list it. */
  rawNames: boolean;
  xattrs: boolean;
  specialFiles: boolean;
  owners: boolean;
  sparse: boolean;
  symlinkTimes: boolean;
}

/** A failed system call. `code` is the errno's name, such as `ENOENT`. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  constructor(readonly code: string, readonly call: string, readonly path: string, options?: { cause?: unknown }) {
    super(`${call} ${path}: ${code}`, options);
  }
}
