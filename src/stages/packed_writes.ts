import type { Metadata, Xattr } from "../platform/file_system.ts";

/**
 * What is to be written of one frame into which files, in a few arrays: to send an object for each of hundreds of files takes
 * longer than to decode the frame. Files are known by their place in `paths`.
 */
export interface PackedWrites {
  paths: string[];
  /** Of each file the number of its first part; one more for the end. */
  starts: Uint32Array<ArrayBuffer>;
  /** Of each part the number of the chunk in the frame, and where in the file it goes. */
  chunks: Uint32Array<ArrayBuffer>;
  offsets: Float64Array<ArrayBuffer>;
  /** Length of a file that the frame holds whole: it is made, written, given its metadata and closed. -1 of one that exists. */
  sizes: Float64Array<ArrayBuffer>;
  /** Mode, owner and group of each file; -1 keeps the owner or group as it is. */
  modes: Float64Array<ArrayBuffer>;
  mtimes: string[];
  /** Of those files that have some. */
  xattrs: Map<number, readonly Xattr[]>;
}

/** A file of which a frame holds parts. */
export interface FileToWrite {
  writePath: string;
  whole: boolean;
  layout: { sizeBytes: number };
  metadata: Metadata;
}

/** Fills {@linkcode PackedWrites}. */
export class WritePacker<File extends FileToWrite> {
  readonly files: File[] = [];
  readonly #starts: number[] = [];
  readonly #chunks: number[] = [];
  readonly #offsets: number[] = [];

  /** A part of `file`; those of one file are added one after another. */
  add(file: File, chunk: number, offset: number): void {
    if (file !== this.files.at(-1)) {
      this.files.push(file);
      this.#starts.push(this.#chunks.length);
    }
    this.#chunks.push(chunk);
    this.#offsets.push(offset);
  }

  finish(): PackedWrites {
    const { files } = this;
    const modes = new Float64Array(3 * files.length);
    const xattrs: PackedWrites["xattrs"] = new Map();
    files.forEach(({ whole, metadata }, i) => {
      if (!whole) return;
      modes[3 * i] = metadata.mode;
      modes[3 * i + 1] = metadata.uid ?? -1;
      modes[3 * i + 2] = metadata.gid ?? -1;
      if (metadata.xattrs !== undefined && metadata.xattrs.length > 0) xattrs.set(i, metadata.xattrs);
    });
    return {
      paths: files.map(({ writePath }) => writePath),
      starts: Uint32Array.from([...this.#starts, this.#chunks.length]),
      chunks: Uint32Array.from(this.#chunks),
      offsets: Float64Array.from(this.#offsets),
      sizes: Float64Array.from(files, ({ whole, layout }) => whole ? layout.sizeBytes : -1),
      modes,
      mtimes: files.map(({ whole, metadata }) => whole ? metadata.mtimeNs : ""),
      xattrs,
    };
  }
}

const NO_XATTRS: readonly Xattr[] = [];

/** Of a file that is made whole; without extended attributes it is to have none. */
export function metadataAt({ modes, mtimes, xattrs }: PackedWrites, file: number): Metadata {
  const uid = modes[3 * file + 1], gid = modes[3 * file + 2];
  return {
    mode: modes[3 * file],
    uid: uid < 0 ? undefined : uid,
    gid: gid < 0 ? undefined : gid,
    mtimeNs: mtimes[file],
    xattrs: xattrs.get(file) ?? NO_XATTRS,
  };
}
