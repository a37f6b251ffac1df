import {
  type Fidelity,
  type FileStat,
  type FileSystem,
  type SourceFile,
  SystemError,
  type TargetTree,
  type Xattr,
} from "../../src/platform/file_system.ts";
import type { PackedFolder } from "../../src/platform/packed_folder.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";

/** Passes every call on to the real file system; what makes trouble overrides. */
export class ForwardingFiles implements FileSystem {
  constructor(protected readonly inner: FileSystem = openFileSystem()) {}

  get fidelity(): Fidelity {
    return this.inner.fidelity;
  }

  lstat(path: string): FileStat {
    return this.inner.lstat(path);
  }

  readNames(path: string): string[] {
    return this.inner.readNames(path);
  }

  statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    return this.inner.statNames(folder, names);
  }

  readLink(path: string): string {
    return this.inner.readLink(path);
  }

  xattrs(path: string): Xattr[] {
    return this.inner.xattrs(path);
  }

  openForReading(path: string): SourceFile {
    return this.inner.openForReading(path);
  }

  realPath(path: string): string {
    return this.inner.realPath(path);
  }

  openTarget(path: string): TargetTree {
    return this.inner.openTarget(path);
  }

  volume(path: string): { kind: string; freeBytes: number } | undefined {
    return this.inner.volume(path);
  }

  otherClocks(): ReadonlySet<string> {
    return this.inner.otherClocks();
  }

  userName(uid: number): string | undefined {
    return this.inner.userName(uid);
  }

  groupName(gid: number): string | undefined {
    return this.inner.groupName(gid);
  }

  userId(name: string): number | undefined {
    return this.inner.userId(name);
  }

  groupId(name: string): number | undefined {
    return this.inner.groupId(name);
  }
}

/** Folders above `folder` look the same at all times, whatever other programs do in them. */
export class SteadyFiles extends ForwardingFiles {
  /** The quick way through unchanged folders, which a backup takes where it can. */
  readonly packed: FileSystem["packed"];

  constructor(readonly folder: string, { packed = true } = {}) {
    super();
    if (packed && this.inner.packed !== undefined) this.packed = (path) => this.inner.packed!(path);
  }

  override lstat(path: string): FileStat {
    const stat = super.lstat(path);
    return path.startsWith(this.folder) ? stat : { ...stat, mtimeNs: "0", ctimeNs: "0" };
  }
}

export type SourceCall = "lstat" | "readNames" | "statName" | "readLink" | "xattrs" | "open" | "stat" | "read";

/**
 * Calls `before` ahead of each call for a path, which may throw a `SystemError` or change what is on disk. `read` comes
 * with the offset.
 */
export class FaultyFiles extends ForwardingFiles {
  constructor(readonly before: (call: SourceCall, path: string, offset: number) => void, inner?: FileSystem) {
    super(inner);
  }

  override lstat(path: string): FileStat {
    this.before("lstat", path, 0);
    return super.lstat(path);
  }

  override readNames(path: string): string[] {
    this.before("readNames", path, 0);
    return super.readNames(path);
  }

  override statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    const faults = names.map((name) => this.#faultOf(`${folder}/${name}`));
    return super.statNames(folder, names).map((stat, i) => faults[i] ?? stat);
  }

  /** As `readNames` and `statName`. */
  packed(folder: string): PackedFolder | undefined {
    this.before("readNames", folder, 0);
    for (const name of this.inner.readNames(folder)) {
      if (this.#faultOf(`${folder}/${name}`) !== undefined) return undefined;
    }
    return this.inner.packed?.(folder);
  }

  #faultOf(path: string): SystemError | undefined {
    try {
      this.before("statName", path, 0);
      return undefined;
    } catch (error) {
      if (error instanceof SystemError) return error;
      throw error;
    }
  }

  override readLink(path: string): string {
    this.before("readLink", path, 0);
    return super.readLink(path);
  }

  override xattrs(path: string): Xattr[] {
    this.before("xattrs", path, 0);
    return super.xattrs(path);
  }

  override openForReading(path: string): SourceFile {
    this.before("open", path, 0);
    const file = super.openForReading(path);
    return {
      stat: () => {
        this.before("stat", path, 0);
        return file.stat();
      },
      read: (into, offset) => {
        this.before("read", path, offset);
        return file.read(into, offset);
      },
      dataSegments: (sizeBytes) => file.dataSegments(sizeBytes),
      close: () => file.close(),
    };
  }
}

/** Does a call of a target, or something else: `go` is the call itself, with these or other arguments. */
export type AroundTarget = (
  tree: TargetTree,
  call: keyof TargetTree,
  args: unknown[],
  go: (...args: unknown[]) => unknown,
) => unknown;

/** Targets of which each call is made by `around`. */
export class AlteredTargets extends ForwardingFiles {
  constructor(readonly around: AroundTarget) {
    super();
  }

  override openTarget(path: string): TargetTree {
    const tree = super.openTarget(path);
    return new Proxy(tree, {
      get: (_, member) => {
        const value = Reflect.get(tree, member);
        if (typeof value !== "function") return value;
        const go = (...args: unknown[]) => value.apply(tree, args);
        return (...args: unknown[]) => this.around(tree, member as keyof TargetTree, args, go);
      },
    });
  }
}
