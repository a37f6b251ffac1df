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
import { applyMetadata } from "./apply_metadata.ts";
import { admit, portableLstat, requireExact } from "./portable_calls.ts";
import { translate } from "./portable_errors.ts";
import { openPortableFile, PortableFile } from "./portable_file.ts";
import { PortableObject } from "./portable_metadata.ts";
import { joinPath, namesOfTargetPath, undefinedIfMissing } from "./target_path.ts";

const WINDOWS = Deno.build.os === "windows";

/**
 * A target by paths. Before each call every folder on the way is looked at, and a symbolic link among them is refused; who
 * can write to the target at the same time could put one there in between, which only the Linux implementation prevents.
 */
export class PortableTargetTree implements TargetTree {
  /** Written since the last `sync`. */
  readonly #unsynced = new Set<string>();
  readonly #root: string;

  constructor(readonly path: string) {
    admit(path, "open", "read");
    this.#root = translate("open", path, () => Deno.realPathSync(path));
    if (portableLstat(this.#root).type !== "dir") throw new SystemError("ENOTDIR", "open", path);
  }

  lstat(path: string): FileStat | undefined {
    return undefinedIfMissing(() => portableLstat(this.#find(path, "lstat")));
  }

  mountOf(path: string): string | undefined {
    return this.lstat(path)?.device;
  }

  readNames(path: string): string[] {
    const place = this.#find(path, "readdir");
    const { type } = portableLstat(place);
    if (type !== "dir") throw new SystemError("ENOTDIR", "readdir", path);
    return translate("readdir", path, () => Array.from(Deno.readDirSync(place), (entry) => entry.name));
  }

  readLink(path: string): string {
    const place = this.#find(path, "readlink");
    admit(place, "readlink", "read");
    return translate("readlink", path, () => Deno.readLinkSync(place));
  }

  xattrs(path: string): Xattr[] {
    portableLstat(this.#find(path, "listxattr"));
    return [];
  }

  openForReading(path: string): SourceFile {
    return openPortableFile(this.#find(path, "open"), "read");
  }

  createFile(path: string): TargetFile {
    const place = this.#findForWriting(path, "open");
    const options = { createNew: true, read: true, write: true, mode: 0o600 };
    const file = translate("open", path, () => Deno.openSync(place, options));
    this.#unsynced.add(place);
    return new PortableFile(file, place);
  }

  openFile(path: string): TargetFile {
    const place = this.#findForWriting(path, "open");
    const file = openPortableFile(place, "write");
    this.#unsynced.add(place);
    return file;
  }

  makeFolder(path: string): void {
    const place = this.#findForWriting(path, "mkdir");
    translate("mkdir", path, () => Deno.mkdirSync(place, { mode: 0o700 }));
  }

  makeSymlink(path: string, target: string): void {
    const place = this.#findForWriting(path, "symlink");
    requireExact(target, "symlink");
    if (Deno.permissions.querySync({ name: "write" }).state !== "granted") {
      throw new SystemError("EACCES", "symlink", path); // Deno asks for the right to write anywhere
    }
    translate("symlink", path, () => Deno.symlinkSync(target, place, WINDOWS ? { type: "file" } : undefined));
  }

  makeLink(path: string, existing: string): void {
    const from = this.#findForWriting(existing, "link"), place = this.#findForWriting(path, "link");
    translate("link", path, () => Deno.linkSync(from, place));
  }

  makeNode(path: string): void {
    this.#findForWriting(path, "mknod");
    throw new SystemError("ENOTSUP", "mknod", path);
  }

  /** Deno's own call would take an empty folder too. */
  remove(path: string): void {
    const place = this.#findForWriting(path, "unlink");
    if (portableLstat(place).type === "dir") throw new SystemError("EISDIR", "unlink", path);
    translate("unlink", path, () => Deno.removeSync(place));
    this.#unsynced.delete(place);
  }

  removeFolder(path: string): void {
    const place = this.#findForWriting(path, "rmdir");
    if (portableLstat(place).type !== "dir") throw new SystemError("ENOTDIR", "rmdir", path);
    translate("rmdir", path, () => Deno.removeSync(place));
  }

  rename(from: string, to: string): void {
    const source = this.#findForWriting(from, "rename"), place = this.#findForWriting(to, "rename");
    translate("rename", from, () => Deno.renameSync(source, place));
    if (this.#unsynced.delete(source)) this.#unsynced.add(place);
  }

  /** What comes there in between is replaced: the system's own call is not to be had. */
  renameNew(from: string, to: string): void {
    const place = this.#findForWriting(to, "rename");
    if (undefinedIfMissing(() => portableLstat(place)) !== undefined) throw new SystemError("EEXIST", "rename", to);
    this.rename(from, to);
  }

  setMetadata(path: string, metadata: Metadata): MetadataLoss[] {
    const place = path === "" ? this.#root : this.#findForWriting(path, "utimes");
    const isLink = portableLstat(place).type === "symlink";
    return applyMetadata(new PortableObject(place, isLink), metadata, isLink);
  }

  sync(): void {
    for (const place of this.#unsynced) {
      if (undefinedIfMissing(() => portableLstat(place))?.type === "file") syncFile(place);
    }
    this.#unsynced.clear();
  }

  close(): void {
    this.#unsynced.clear();
  }

  #findForWriting(path: string, call: string): string {
    if (path === "") throw new SystemError("EINVAL", call, path);
    const place = this.#find(path, call);
    admit(place, call, "read");
    admit(place, call, "write");
    return place;
  }

  #find(path: string, call: string): string {
    let place = this.#root;
    let isFirst = true;
    for (const name of namesOfTargetPath(path, call, WINDOWS)) {
      if (!isFirst) {
        const { type } = portableLstat(place);
        if (type !== "dir") throw new SystemError(type === "symlink" ? "ELOOP" : "ENOTDIR", call, path);
      }
      place = joinPath(place, name);
      isFirst = false;
    }
    return place;
  }
}

/** Windows flushes only what is open for writing; elsewhere a read-only file can be flushed too. */
function syncFile(path: string): void {
  translate("fsync", path, () => {
    using file = Deno.openSync(path, WINDOWS ? { write: true } : { read: true });
    file.syncSync();
  });
}
