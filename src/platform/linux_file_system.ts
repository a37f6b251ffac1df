import { joinPath } from "./target_path.ts";
import { cString, PATH_BYTES_MAX, readCString } from "./c_string.ts";
import type { Fidelity, FileStat, FileSystem, SourceFile, SystemError, TargetTree, Xattr } from "./file_system.ts";
import { failure, type Libc } from "./libc.ts";
import { LinuxAccounts } from "./linux_accounts.ts";
import { LinuxCalls } from "./linux_calls.ts";
import { AT_FDCWD, FOLDER_HANDLE, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "./linux_constants.ts";
import { LinuxPacker } from "./linux_packer.ts";
import { LinuxSourceFile } from "./linux_source_file.ts";
import { LinuxTargetTree } from "./linux_target_tree.ts";
import { readXattrs, xattrsOfPath } from "./linux_xattrs.ts";
import { otherClocks } from "./other_clocks.ts";
import type { PackedFolder } from "./packed_folder.ts";
import { volumeKind } from "./volume_kinds.ts";

/** Linux by its own calls. Loses nothing. */
export class LinuxFileSystem implements FileSystem {
  readonly fidelity: Fidelity = {
    implementation: "linux/libc",
    nanoseconds: true,
    rawNames: true,
    xattrs: true,
    specialFiles: true,
    owners: true,
    sparse: true,
    symlinkTimes: true,
  };
  readonly #calls: LinuxCalls;
  readonly #accounts: LinuxAccounts;
  #packer: LinuxPacker | undefined;

  constructor(readonly libc: Libc) {
    this.#calls = new LinuxCalls(libc);
    this.#accounts = new LinuxAccounts(libc);
  }

  lstat(path: string): FileStat {
    return this.#calls.statAt(AT_FDCWD, path, path);
  }

  readNames(path: string): string[] {
    return this.#calls.namesAt(AT_FDCWD, path, path);
  }

  statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    const text = cString(folder, "open");
    const descriptor = this.libc.run("open", folder, () => this.libc.symbols.openat(AT_FDCWD, text, FOLDER_HANDLE, 0));
    try {
      return names.map((name) => this.#calls.tryStatAt(descriptor, name, joinPath(folder, name)));
    } finally {
      this.#calls.close(descriptor);
    }
  }

  packed(folder: string): PackedFolder | undefined {
    this.#packer ??= new LinuxPacker(this.libc, this.#calls);
    return this.#packer.pack(folder);
  }

  readLink(path: string): string {
    return this.#calls.linkAt(AT_FDCWD, path, path);
  }

  xattrs(path: string): Xattr[] {
    return readXattrs(this.libc, xattrsOfPath(this.libc, path), path);
  }

  openForReading(path: string): SourceFile {
    return new LinuxSourceFile(this.#calls, this.#calls.openFileAt(AT_FDCWD, path, O_RDONLY, path), path);
  }

  realPath(path: string): string {
    const resolved = new Uint8Array(new ArrayBuffer(PATH_BYTES_MAX));
    if (this.libc.symbols.realpath(cString(path, "realpath"), resolved) === 0n) {
      throw failure(-this.libc.errno(), "realpath", path);
    }
    return readCString(resolved);
  }

  openTarget(path: string): TargetTree {
    const text = cString(path, "open");
    const flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const root = this.libc.run("open", path, () => this.libc.symbols.openat(AT_FDCWD, text, flags, 0));
    return new LinuxTargetTree(this.#calls, root, path);
  }

  volume(path: string): { kind: string; freeBytes: number } | undefined {
    // struct statfs: type 0, block size 8, …, free blocks for users 32, …, fragment size 72
    const buffer = new Uint8Array(new ArrayBuffer(256));
    const text = cString(path, "statfs");
    if (this.libc.attempt(() => this.libc.symbols.statfs(text, buffer)) < 0) return undefined;
    const words = new BigUint64Array(buffer.buffer);
    const blockBytes = words[9] === 0n ? words[1] : words[9];
    return { kind: volumeKind(Number(words[0] & 0xffffffffn)), freeBytes: Number(words[4] * blockBytes) };
  }

  otherClocks(): ReadonlySet<string> {
    return otherClocks();
  }

  userName(uid: number): string | undefined {
    return this.#accounts.userName(uid);
  }

  groupName(gid: number): string | undefined {
    return this.#accounts.groupName(gid);
  }

  userId(name: string): number | undefined {
    return this.#accounts.userId(name);
  }

  groupId(name: string): number | undefined {
    return this.#accounts.groupId(name);
  }
}
