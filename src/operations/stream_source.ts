import { AxiomError, messageOf, throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import type { BackupSource } from "./backup_source.ts";
import type { BackupTally } from "./backup_tally.ts";
import { isDamage } from "./damage.ts";
import type { FilePlan } from "./file_saver.ts";
import { FolderWriter } from "./folder_writer.ts";
import { type EntryOwner, madeEntry, madeStat } from "./made_entry.ts";
import { resolvePath } from "./snapshot_paths.ts";
import { StreamSaver } from "./stream_saver.ts";

export interface StreamOptions {
  /** In the snapshot, absolute and normalized. */
  path: string;
  /** Reads whatever the producer gives. A failed read ends the backup. */
  bytes: ReadableStream<Uint8Array>;
  /** For messages: `standard input`, `the output of pg_dump`. */
  what: string;
  /** Resolves when the producer is done; rejects with `source_failed` if it failed, and then there is no snapshot. */
  done: Promise<void>;
  /** False takes an end without a byte for the failure of a producer that nobody can ask. */
  mayBeEmpty: boolean;
  plan: FilePlan;
  owner: EntryOwner;
  signal?: AbortSignal;
}

/** One file that is made of a stream. */
export class StreamSource implements BackupSource {
  readonly isRepeatable = false;

  constructor(readonly options: StreamOptions) {
    options.done.catch(() => {}); // awaited at the end of the stream
  }

  begin(nowNs: string): string {
    return nowNs;
  }

  paths(): string[] {
    return [this.options.path];
  }

  async save(writer: RepositoryWriter, tally: BackupTally, parent: StoredSnapshot | undefined): Promise<string> {
    const { path, signal } = this.options;
    const last = await this.#last(writer, parent);
    const saver = new StreamSaver(writer);
    const onProgress = (sizeBytes: number) => tally.reading(path, sizeBytes);
    const saved = await saver.save(this.#chunks(), this.options.plan, last?.chunker, onProgress);
    await saver.finish();
    throwIfAborted(signal);
    await this.#finished(saved.sizeBytes);
    const names = path.slice(1).split("/");
    const now = writer.repository.context.clock.nowNs();
    const entry = madeEntry(names.at(-1)!, "file", this.options.owner, now);
    entry.size = String(saved.sizeBytes);
    if (saved.content !== undefined) entry.content = saved.content;
    if (saved.chunker !== undefined) entry.chunker = saved.chunker;
    const { chunksNew, bytesNew, content, chunker } = saved;
    tally.saved(
      path,
      last,
      { changed: false, chunksNew, bytesNew, content, chunker },
      madeStat(entry, saved.sizeBytes),
    );
    return await this.#root(writer, names.slice(0, -1), entry, now);
  }

  /** What the parent has there, for its chunker; nothing if that cannot be read. */
  async #last(writer: RepositoryWriter, parent: StoredSnapshot | undefined): Promise<Entry | undefined> {
    if (parent === undefined) return undefined;
    try {
      const { entry } = await resolvePath(writer.trees(), parent, this.options.path);
      return entry?.type === "file" ? entry : undefined;
    } catch (error) {
      if (isDamage(error) || (error instanceof AxiomError && error.kind === "path_missing")) return undefined;
      throw error;
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    const { bytes, what, signal } = this.options;
    const reader = bytes.getReader();
    const onAbort = () => void reader.cancel(signal?.reason).catch(() => {});
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      for (;;) {
        throwIfAborted(signal);
        const { done, value } = await reader.read();
        throwIfAborted(signal); // a reader that was cancelled says that it is done
        if (done) return;
        yield value;
      }
    } catch (error) {
      throwIfAborted(signal);
      throw new AxiomError("source_failed", `Cannot read ${what}: ${messageOf(error)}`, {
        hint: "No snapshot was made",
        cause: error,
      });
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #finished(sizeBytes: number): Promise<void> {
    const { done, what, mayBeEmpty } = this.options;
    try {
      await done;
    } catch (error) {
      throwIfAborted(this.options.signal);
      throw error;
    }
    if (sizeBytes > 0 || mayBeEmpty) return;
    throw new AxiomError("source_failed", `Cannot save ${what}: nothing came from it`, {
      hint:
        "No snapshot was made. --stdin-from-command can tell a producer that failed from one that has nothing to say",
    });
  }

  async #root(writer: RepositoryWriter, folders: readonly string[], leaf: Entry, now: string): Promise<string> {
    const splitKey = writer.repository.keys.treeSplitKey();
    const write = async (entry: Entry) => {
      const folder = new FolderWriter(writer.metadata.put, splitKey, undefined);
      await folder.add(entry, false);
      return (await folder.finish()).id;
    };
    let id = await write(leaf);
    for (const name of folders.toReversed()) {
      id = await write({ ...madeEntry(name, "dir", this.options.owner, now), subtree: id });
    }
    return id;
  }
}

/** Path of a stream's file in the snapshot. Throws `usage` for a name that leads nowhere. */
export function streamPath(name: string): string {
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  if (names.length === 0 || names.includes("..") || name.includes("\0") || name.endsWith("/")) {
    throw new AxiomError("usage", `Cannot save a stream as "${displayName(name)}": that is no name of a file`, {
      hint: "Choose another one with --stdin-filename, such as db/shop.sql",
    });
  }
  return `/${names.join("/")}`;
}
