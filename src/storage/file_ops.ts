import { fileSystemVolume, type Volume } from "./volume.ts";

/** The calls of a file system that a local store makes, so that tests can record their order and refuse them. */
export interface FileOps {
  /** Makes a new file of mode 0600 for writing and reading; an existing one is `EEXIST`. */
  createFile(path: string): Promise<OpenFile>;
  openFile(path: string): Promise<OpenFile>;
  /** Follows symbolic links. */
  stat(path: string): Promise<FileInfo>;
  readNames(path: string): Promise<string[]>;
  /** Never replaces: an existing `to` is `EEXIST`. */
  link(from: string, to: string): Promise<void>;
  /** Replaces a file or an empty folder silently; a folder that holds something is `ENOTEMPTY` or `EEXIST`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, a symbolic link or an empty folder. */
  remove(path: string): Promise<void>;
  /** Makes one folder of mode 0700. */
  makeFolder(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  syncFolder(path: string): Promise<void>;
  /** Undefined where it cannot be found out. */
  volume(path: string): Promise<Volume | undefined>;
}

/** One call at a time. */
export interface OpenFile {
  /** Writes all of `data` at the current position. */
  write(data: Uint8Array): Promise<void>;
  /** Fills `into` from `offset` on unless the file ends; returns the bytes read. */
  readAt(into: Uint8Array, offset: number): Promise<number>;
  sync(): Promise<void>;
  close(): void;
}

export interface FileInfo {
  type: "file" | "folder" | "other";
  sizeBytes: number;
  /** By the clock of the machine that holds the file; undefined where there is none. */
  modifiedMs?: number;
  /** Permission bits; undefined on Windows. */
  mode?: number;
}

class DenoFile implements OpenFile {
  constructor(private readonly file: Deno.FsFile) {}

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) at += await this.file.write(at === 0 ? data : data.subarray(at));
  }

  async readAt(into: Uint8Array, offset: number): Promise<number> {
    this.file.seekSync(offset, Deno.SeekMode.Start);
    let at = 0;
    while (at < into.length) {
      const count = await this.file.read(at === 0 ? into : into.subarray(at));
      if (count === null) break;
      at += count;
    }
    return at;
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  close(): void {
    this.file.close();
  }
}

export const denoFileOps: FileOps = {
  async createFile(path) {
    return new DenoFile(await Deno.open(path, { read: true, write: true, createNew: true, mode: 0o600 }));
  },
  async openFile(path) {
    return new DenoFile(await Deno.open(path));
  },
  async stat(path) {
    const { isFile, isDirectory, size, mtime, mode } = await Deno.stat(path);
    return {
      type: isFile ? "file" : isDirectory ? "folder" : "other",
      sizeBytes: size,
      modifiedMs: mtime?.getTime(),
      mode: mode === null ? undefined : mode & 0o7777,
    };
  },
  async readNames(path) {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(path)) names.push(name);
    return names;
  },
  link: Deno.link,
  rename: Deno.rename,
  remove: (path) => Deno.remove(path),
  makeFolder: (path) => Deno.mkdir(path, { mode: 0o700 }),
  async chmod(path, mode) {
    if (Deno.build.os !== "windows") await Deno.chmod(path, mode); // there the folder's access list counts
  },
  async syncFolder(path) {
    const folder = await Deno.open(path);
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  },
  volume: fileSystemVolume,
};
