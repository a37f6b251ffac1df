import { MIB } from "../base/bytes.ts";
import { AxiomError, type ErrorReport, reportError, throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import { type FileStat, type FileSystem, SystemError } from "../platform/file_system.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { readXattrs } from "./entry_of_stat.ts";
import type { FilePlan, FileSaver, SavedContent } from "./file_saver.ts";
import { type Pending, pending, settled, then } from "./pending.ts";

/** Kept of files with several names; names outside the sources never come. Beyond it a file is read once more. */
const KEPT_BYTES_MAX = 64 * MIB;
/** Of one that is kept, beside its content. */
const KEPT_BYTES = 160;

/** What was saved of a file with several names: on its way, and then as text, of which there may be very many. */
interface Linked {
  left: number;
  content: Pending<SavedContent> | string;
  /** 0 while it is on its way. */
  bytes: number;
}

/** Why a file that should be empty is not: /proc and its like make up what they hold when it is read, and tell no length. */
function hiddenContent(files: FileSystem, path: string): ErrorReport | undefined {
  try {
    const file = files.openForReading(path);
    try {
      if (file.read(new Uint8Array(1), 0) === 0 || file.stat().sizeBytes > 0) return undefined;
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof SystemError) return undefined; // nothing that could be saved
    throw error;
  }
  return reportError(
    new AxiomError("source_unreadable", `Cannot read ${displayName(path)}: it has a length of 0 and content`, {
      hint: "Save a copy of it, or leave such file systems out: --one-file-system, --exclude",
    }),
  );
}

/** Saves what files hold, of a file with several names once. */
export class ContentSaver {
  /** Until the last name was met. */
  readonly #linked = new Map<string, Linked>();
  #keptBytes = 0;

  constructor(
    readonly files: FileSystem,
    readonly writer: RepositoryWriter,
    readonly saver: FileSaver,
    readonly planOf: (path: string, stat: FileStat) => FilePlan,
    readonly signal?: AbortSignal,
  ) {}

  /**
   * Call {@linkcode room} first.
   *
   * @param last What the parent snapshot has of it
   */
  save(path: string, stat: FileStat, last: Entry | undefined): Pending<SavedContent> {
    return stat.links > 1 ? this.#saveLinked(path, stat, last) : this.#saveOne(path, stat, last);
  }

  /** Waits while as many files as allowed are on their way. */
  room(): void | Promise<void> {
    if (!this.writer.pool.hasRoom) return this.writer.pool.room().then(() => throwIfAborted(this.signal));
  }

  #saveOne(path: string, stat: FileStat, last: Entry | undefined): Pending<SavedContent> {
    if (stat.sizeBytes === 0) {
      const fault = hiddenContent(this.files, path);
      return settled({
        ...{ changed: false, chunksNew: 0, bytesNew: 0 },
        ...readXattrs(this.files, path),
        ...(fault === undefined ? {} : { fault }),
      });
    }
    this.writer.growIfNeeded();
    return pending(this.saver.save(path, stat, (seen) => this.planOf(path, seen), last));
  }

  #saveLinked(path: string, stat: FileStat, last: Entry | undefined): Pending<SavedContent> {
    const key = `${stat.device}:${stat.inode}`;
    const known = this.#linked.get(key);
    if (known === undefined) {
      const content = this.#saveOne(path, stat, last);
      const linked: Linked = { left: stat.links - 1, content, bytes: 0 };
      this.#linked.set(key, linked);
      then(content, (saved) => this.#keep(key, linked, saved));
      return content;
    }
    if (--known.left <= 0) this.#forget(key, known);
    const saved = typeof known.content === "string"
      ? settled(JSON.parse(known.content) as SavedContent)
      : known.content;
    return then(saved, (content) => {
      const isOfThisFile = content.fault === undefined && (content.stat ?? stat).inode === stat.inode;
      return isOfThisFile ? { ...content, chunksNew: 0, bytesNew: 0 } : this.#saveOne(path, stat, last).done;
    });
  }

  /** A content with extended attributes stays as it is: those are bytes. */
  #keep(key: string, linked: Linked, content: SavedContent): void {
    if (this.#linked.get(key) !== linked) return;
    const text = JSON.stringify({ ...content, chunksNew: undefined, bytesNew: undefined, xattrs: undefined });
    const xattrs = content.xattrs ?? [];
    if (xattrs.length === 0) linked.content = text;
    linked.bytes = KEPT_BYTES + text.length +
      xattrs.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
    this.#keptBytes += linked.bytes;
    for (const [oldest, other] of this.#linked) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) return;
      if (other.bytes > 0) this.#forget(oldest, other);
    }
  }

  #forget(key: string, linked: Linked): void {
    this.#linked.delete(key);
    this.#keptBytes -= linked.bytes;
  }
}
