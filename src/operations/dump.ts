import { type Bytes, concat, fromBase64, KIB } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { type Entry, linkKey } from "../model/entry.ts";
import type { Repository } from "../repository/repository.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { ContentStream } from "./content_stream.ts";
import type { ReadContext } from "./list_snapshots.ts";
import { absolutePath, damageReport } from "./listed_entry.ts";
import { resolvePath, type SnapshotPlace } from "./snapshot_paths.ts";
import { encodeTarHeader, type TarMember, tarPadding } from "./tar_header.ts";
import { walkTree } from "./tree_walk.ts";

export interface DumpOptions {
  snapshot: StoredSnapshot;
  /** All by default. */
  path?: string;
  /** A tar archive also of a single file; of anything else it always is one. */
  archive: boolean;
}

export interface Dump {
  format: "content" | "tar";
  /** In order; each piece is a view that is valid until the next is asked for, and must not be changed. */
  bytes: AsyncGenerator<Bytes>;
}

/**
 * The content of a file, or a tar archive of anything else. Paths in an archive are relative to what was asked for. What an
 * archive cannot hold (sockets) and what is damaged before its first byte is an event and left out; damage found later
 * ends the stream with `data_damaged`. Throws `path_missing`.
 */
export async function dump(repository: Repository, options: DumpOptions, context: ReadContext): Promise<Dump> {
  const view = await repository.loadIndex(context.signal);
  const chunks = repository.chunks(view, context.signal);
  const trees = repository.trees(view, context.signal);
  const stream = new ContentStream(trees, chunks, context.signal);
  const path = absolutePath(options.path);
  const place = await resolvePath(trees, options.snapshot, path);
  if (!("folder" in place) && place.entry.type === "file" && !options.archive) {
    await stream.check(path, place.entry);
    return { format: "content", bytes: stream.read(place.entry) };
  }
  return { format: "tar", bytes: inLargePieces(new TarDump(trees, stream, context).members(place, path)) };
}

const PIECE_BYTES = 256 * KIB;

/** Makes few large pieces of many small ones. */
async function* inLargePieces(pieces: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  const buffer: Bytes = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    if (filled + piece.length > PIECE_BYTES) {
      yield buffer.subarray(0, filled);
      filled = 0;
    }
    if (piece.length >= PIECE_BYTES) yield piece;
    else {
      buffer.set(piece, filled);
      filled += piece.length;
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/** GNU tar writes and expects records of 20 blocks. */
const RECORD_BYTES = 20 * 512;

class TarDump {
  #bytes = 0;
  #files = 0;
  /** Paths of files that have several names, until the last was met. */
  readonly #linked = new Map<string, { path: string; left: number }>();

  constructor(readonly trees: TreeReader, readonly stream: ContentStream, readonly context: ReadContext) {}

  async *members(place: SnapshotPlace, path: string): AsyncGenerator<Bytes> {
    if (!("folder" in place)) yield* this.#member(place.entry.name, path, place.entry);
    else {
      if (place.entry !== undefined) yield* this.#member("./", path, place.entry);
      const skipped = path === "/" ? 1 : path.length + 1;
      for await (const walked of walkTree(this.trees, place.folder, path, this.context)) {
        const name = walked.path.slice(skipped) + (walked.entry.type === "dir" ? "/" : "");
        yield* this.#member(name, walked.path, walked.entry);
      }
    }
    yield new Uint8Array(1024 + (RECORD_BYTES - (this.#bytes + 1024) % RECORD_BYTES) % RECORD_BYTES);
  }

  async *#member(name: string, path: string, entry: Entry): AsyncGenerator<Bytes> {
    const member = await this.#describe(name, path, entry);
    if (member === undefined) return;
    yield this.#counted(encodeTarHeader(member));
    if (member.type !== "file") return;
    for await (const piece of this.stream.read(entry)) yield this.#counted(piece);
    yield this.#counted(tarPadding(member.sizeBytes));
    this.context.onEvent({
      type: "progress",
      operation: "dump",
      filesDone: ++this.#files,
      bytesDone: this.#bytes,
      current: path,
    });
  }

  #counted(piece: Bytes): Bytes {
    this.#bytes += piece.length;
    return piece;
  }

  /** Undefined, after an event, for what cannot be part of an archive. */
  async #describe(name: string, path: string, entry: Entry): Promise<TarMember | undefined> {
    const { type, mode, uid, gid, user, group } = entry;
    if (type === "socket") {
      const message = `${displayName(path)} is a socket, which a tar archive cannot hold`;
      this.context.onEvent({ type: "warning", code: "tar_socket", message, path });
      return undefined;
    }
    const common = { path: name, mode, uid, gid, user, group, mtimeNs: entry.mtime };
    const first = type === "file" ? this.#firstName(entry) : undefined;
    if (first !== undefined) return { ...common, type: "link", sizeBytes: 0, target: first, xattrs: [] };
    try {
      if (type === "file") await this.stream.check(path, entry);
      const xattrs = await this.#xattrs(entry);
      const sizeBytes = type === "file" ? Number(entry.size) : 0;
      if (type === "file") this.#remember(name, entry);
      return { ...common, type, sizeBytes, target: entry.target, device: entry.rdev, xattrs };
    } catch (error) {
      this.context.onEvent({ type: "error", error: damageReport(error), path });
      return undefined;
    }
  }

  #firstName(entry: Entry): string | undefined {
    const key = linkKey(entry);
    const known = key === undefined ? undefined : this.#linked.get(key);
    if (known !== undefined && --known.left === 0) this.#linked.delete(key!);
    return known?.path;
  }

  #remember(path: string, entry: Entry): void {
    const key = linkKey(entry);
    if (key !== undefined) this.#linked.set(key, { path, left: entry.links! - 1 });
  }

  async #xattrs(entry: Entry): Promise<TarMember["xattrs"]> {
    const xattrs: { name: string; value: Uint8Array }[] = [];
    let bytes = 0;
    for (const { name, value, chunks } of entry.xattrs ?? []) {
      const parts: Bytes[] = [];
      for (const id of chunks ?? []) parts.push(await this.trees.get(id));
      const whole = value === undefined ? concat(parts) : fromBase64(value);
      bytes += whole.length;
      if (bytes > LIMITS.xattrBytesMax) {
        throw new AxiomError("limit_exceeded", `Cannot read the extended attributes: they have ${bytes} bytes`);
      }
      xattrs.push({ name, value: whole });
    }
    return xattrs;
  }
}
