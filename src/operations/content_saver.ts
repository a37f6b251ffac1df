import { throwIfAborted } from "../base/errors.ts";
import type { Entry } from "../model/entry.ts";
import type { FileStat, FileSystem } from "../platform/file_system.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { readXattrs } from "./entry_of_stat.ts";
import type { FilePlan, FileSaver, SavedContent } from "./file_saver.ts";
import { type Pending, pending, settled } from "./pending.ts";

/** Saves what files hold, of a file with several names once. */
export class ContentSaver {
  /** Contents of files with several names, until the last name was met. */
  readonly #linked = new Map<string, { content: Promise<SavedContent>; left: number }>();

  constructor(
    readonly files: FileSystem,
    readonly writer: RepositoryWriter,
    readonly saver: FileSaver,
    readonly planOf: (path: string, stat: FileStat) => FilePlan,
    readonly signal?: AbortSignal,
  ) {}

  /** @param last What the parent snapshot has of it */
  async save(path: string, stat: FileStat, last: Entry | undefined): Promise<Pending<SavedContent>> {
    return stat.links > 1 ? await this.#saveLinked(path, stat, last) : await this.#saveOne(path, stat, last);
  }

  async #saveOne(path: string, stat: FileStat, last: Entry | undefined): Promise<Pending<SavedContent>> {
    if (stat.sizeBytes === 0) {
      return settled({ changed: false, chunksNew: 0, bytesNew: 0, ...readXattrs(this.files, path) });
    }
    await this.writer.pool.room();
    throwIfAborted(this.signal);
    this.writer.growIfNeeded();
    return pending(this.saver.save(path, stat, (seen) => this.planOf(path, seen), last));
  }

  async #saveLinked(path: string, stat: FileStat, last: Entry | undefined): Promise<Pending<SavedContent>> {
    const key = `${stat.device}:${stat.inode}`;
    const known = this.#linked.get(key);
    if (known === undefined) {
      const { done } = await this.#saveOne(path, stat, last);
      this.#linked.set(key, { content: done, left: stat.links - 1 });
      return { done };
    }
    if (--known.left === 0) this.#linked.delete(key);
    return pending(known.content.then(async (content) => {
      const isOfThisFile = content.fault === undefined && (content.stat ?? stat).inode === stat.inode;
      if (!isOfThisFile) return await (await this.#saveOne(path, stat, last)).done;
      return { ...content, chunksNew: 0, bytesNew: 0 };
    }));
  }
}
