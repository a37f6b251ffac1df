import { applyMetadata } from "./apply_metadata.ts";
import { cString } from "./c_string.ts";
import {
  type FileStat,
  type Metadata,
  type MetadataLoss,
  type SourceFile,
  SystemError,
  type TargetFile,
  type TargetTree,
  type Xattr,
} from "./file_system.ts";
import { FolderHandles } from "./folder_handles.ts";
import type { LinuxCalls } from "./linux_calls.ts";
import {
  AT_REMOVEDIR,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  SYS_MKNODAT,
} from "./linux_constants.ts";
import { withObject } from "./linux_metadata.ts";
import { mountAt } from "./linux_mounts.ts";
import { LinuxSourceFile } from "./linux_source_file.ts";
import { LinuxTargetFile } from "./linux_target_file.ts";
import { renamedNewAt } from "./linux_rename.ts";
import { readXattrs } from "./linux_xattrs.ts";
import { splitTargetPath, undefinedIfMissing } from "./target_path.ts";

const NODE_TYPES = { fifo: 0o010000, chardev: 0o020000, blockdev: 0o060000, socket: 0o140000 } as const;

/** As the kernel decodes it: minor in bits 0-7 and 20-31, major in bits 8-19. */
function kernelDevice(major: number, minor: number): number {
  return (((minor & ~0xff) << 12) | (major << 8) | (minor & 0xff)) >>> 0;
}

/**
 * A target below an open folder. Every call is relative to the descriptor of the folder that holds the name, which
 * {@linkcode FolderHandles} finds without links; the last name is never followed either.
 */
export class LinuxTargetTree implements TargetTree {
  readonly #handles: FolderHandles;
  readonly #symbols;

  /** @param root Descriptor of the folder at `path`; belongs to the tree from now on */
  constructor(
    readonly calls: LinuxCalls,
    root: number,
    readonly path: string,
    options?: { openat2?: boolean },
  ) {
    this.#handles = new FolderHandles(calls, root, options);
    this.#symbols = calls.libc.symbols;
  }

  lstat(path: string): FileStat | undefined {
    return undefinedIfMissing(() => {
      const { folder, name } = this.#find(path, "statx");
      return this.calls.statIfThere(folder, name, path);
    });
  }

  mountOf(path: string): string | undefined {
    return undefinedIfMissing(() => {
      const { folder, name } = this.#find(path, "statx");
      return mountAt(this.calls.libc, folder, name, path);
    });
  }

  readNames(path: string): string[] {
    const { folder, name } = this.#find(path, "getdents64");
    return this.calls.namesAt(folder, name, path);
  }

  readLink(path: string): string {
    const { folder, name } = this.#find(path, "readlink");
    return this.calls.linkAt(folder, name, path);
  }

  xattrs(path: string): Xattr[] {
    const { folder, name } = this.#find(path, "listxattr");
    return withObject(this.calls, folder, name, path, (object) => readXattrs(this.calls.libc, object.xattrs, path));
  }

  openForReading(path: string): SourceFile {
    const { folder, name } = this.#find(path, "open");
    return new LinuxSourceFile(this.calls, this.calls.openFileAt(folder, name, O_RDONLY, path), path);
  }

  createFile(path: string): TargetFile {
    const { folder, name } = this.#findName(path, "open");
    const text = cString(name, "open");
    const flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const descriptor = this.calls.libc.run("open", path, () => this.#symbols.openat(folder, text, flags, 0o600));
    return new LinuxTargetFile(this.calls, descriptor, path);
  }

  openFile(path: string): TargetFile {
    const { folder, name } = this.#findName(path, "open");
    return new LinuxTargetFile(this.calls, this.calls.openFileAt(folder, name, O_RDWR, path), path);
  }

  makeFolder(path: string): void {
    const { folder, name } = this.#findName(path, "mkdir");
    const text = cString(name, "mkdir");
    this.calls.libc.run("mkdir", path, () => this.#symbols.mkdirat(folder, text, 0o700));
  }

  makeSymlink(path: string, target: string): void {
    const { folder, name } = this.#findName(path, "symlink");
    const text = cString(name, "symlink"), content = cString(target, "symlink", 1);
    this.calls.libc.run("symlink", path, () => this.#symbols.symlinkat(content, folder, text));
  }

  makeLink(path: string, existing: string): void {
    const from = this.#findName(existing, "link"), to = this.#findName(path, "link");
    const fromText = cString(from.name, "link"), toText = cString(to.name, "link", 1);
    this.calls.libc.run("link", path, () => this.#symbols.linkat(from.folder, fromText, to.folder, toText, 0));
  }

  makeNode(path: string, type: keyof typeof NODE_TYPES, major: number, minor: number): void {
    if (major > 0xfff || minor > 0xfffff) throw new SystemError("EINVAL", "mknod", path);
    const { folder, name } = this.#findName(path, "mknod");
    const text = cString(name, "mknod");
    const mode = NODE_TYPES[type] | 0o600, device = kernelDevice(major, minor);
    this.calls.libc.run("mknod", path, () => this.#symbols.mknodat(SYS_MKNODAT, folder, text, mode, device));
  }

  remove(path: string): void {
    const { folder, name } = this.#findName(path, "unlink");
    const text = cString(name, "unlink");
    this.calls.libc.run("unlink", path, () => this.#symbols.unlinkat(folder, text, 0));
  }

  removeFolder(path: string): void {
    const { folder, name } = this.#findName(path, "rmdir");
    const text = cString(name, "rmdir");
    this.calls.libc.run("rmdir", path, () => this.#symbols.unlinkat(folder, text, AT_REMOVEDIR));
    this.#handles.forget(path);
  }

  rename(from: string, to: string): void {
    const source = this.#findName(from, "rename"), target = this.#findName(to, "rename");
    const oldText = cString(source.name, "rename"), newText = cString(target.name, "rename", 1);
    this.calls.libc.run(
      "rename",
      from,
      () => this.#symbols.renameat(source.folder, oldText, target.folder, newText),
    );
    this.#handles.forget(from);
    this.#handles.forget(to);
  }

  renameNew(from: string, to: string): void {
    const source = this.#findName(from, "rename"), target = this.#findName(to, "rename");
    if (!renamedNewAt(this.calls.libc, source, target, from)) {
      if (this.lstat(to) !== undefined) throw new SystemError("EEXIST", "rename", to);
      return this.rename(from, to);
    }
    this.#handles.forget(from);
    this.#handles.forget(to);
  }

  setMetadata(path: string, metadata: Metadata): MetadataLoss[] {
    const { folder, name } = this.#find(path, "open");
    return withObject(
      this.calls,
      folder,
      name,
      path,
      (object) => applyMetadata(object, metadata, object.isHandle && object.stat().type === "symlink"),
    );
  }

  sync(): void {
    this.calls.libc.run("syncfs", this.path, () => this.#symbols.syncfs(this.#handles.root));
  }

  close(): void {
    this.#handles.close();
  }

  /** The target itself is its own `.`. */
  #find(path: string, call: string): { folder: number; name: string } {
    return path === "" ? { folder: this.#handles.root, name: "." } : this.#findName(path, call);
  }

  #findName(path: string, call: string): { folder: number; name: string } {
    const { folder, name } = splitTargetPath(path, call);
    return { folder: this.#handles.get(folder, call), name };
  }
}
