import { AxiomError, isKind, reportError, throwIfAborted } from "../base/errors.ts";
import { displayName, sortNames } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import type { StreamProvider } from "../plugins/plugin_streams.ts";
import type { OfferedStream } from "../plugins/wasm_source.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { type BackupTally, isSameContent } from "./backup_tally.ts";
import { FolderWriter } from "./folder_writer.ts";
import { madeEntry, madeStat } from "./made_entry.ts";
import { ParentCursor } from "./parent_cursor.ts";
import { ReusableContent } from "./reusable_content.ts";
import type { OfferedStreams } from "./offered_streams.ts";
import { type SavedStream, StreamSaver } from "./stream_saver.ts";

/** A generation of a source plugin, and how many streams of the snapshot came from it or were vouched for by it. */
export interface UsedSource {
  readonly plugin: PluginIdentity;
  /** Where they stand in the snapshot. */
  readonly path: string;
  streams: number;
}

/** Where the streams of a source plugin stand in a snapshot. */
export function streamFolderPath({ pluginId }: Pick<StreamProvider, "pluginId">): string {
  return `/${pluginId}`;
}

/** How often a stream is begun whose plugin was replaced because it failed. */
const TRIES = 3;

/** What a source plugin gives, as a folder of files; one that fails is missing, and told. */
export class StreamFolder {
  readonly path: string;
  readonly used: UsedSource[] = [];
  readonly #saver: StreamSaver;
  readonly #reusable: ReusableContent;

  constructor(
    readonly offer: OfferedStreams,
    readonly writer: RepositoryWriter,
    readonly trees: TreeReader,
    readonly tally: BackupTally,
    readonly signal?: AbortSignal,
  ) {
    this.path = streamFolderPath(offer.options.provider);
    this.#saver = new StreamSaver(writer);
    this.#reusable = new ReusableContent(writer, trees);
  }

  get isEmpty(): boolean {
    return this.offer.streams.size === 0;
  }

  /**
   * Undefined where there were streams and none could be saved.
   *
   * @param last What the parent snapshot has there
   */
  async save(name: string, last: Entry | undefined): Promise<Entry | undefined> {
    const lastFolder = last?.type === "dir" ? last : undefined, { tally } = this;
    const has = (id: string) => this.writer.hasText(id, ChunkKind.tree);
    const cursor = lastFolder && new ParentCursor(this.trees, lastFolder.subtree!, has);
    const folder = new FolderWriter(this.writer.metadata.put, this.writer.repository.keys.treeSplitKey(), undefined);
    const failedBefore = tally.filesFailed;
    let saved = 0;
    for (const each of sortNames([...this.offer.streams.keys()])) {
      throwIfAborted(this.signal);
      const stream = this.offer.streams.get(each)!, path = `${this.path}/${each}`;
      const known = await cursor?.take(each);
      if (this.#isExcluded(path, stream)) {
        tally.excluded++;
        continue;
      }
      const entry = await this.#saveStream(path, stream, known?.type === "file" ? known : undefined);
      if (entry === undefined) continue;
      await folder.add(entry, false);
      saved++;
    }
    await this.#saver.finish();
    if (saved === 0 && tally.filesFailed > failedBefore) return undefined;
    const { id } = await folder.finish();
    tally.folder(lastFolder !== undefined, lastFolder?.subtree === id);
    return lastFolder?.subtree === id ? lastFolder : { ...this.#made(name, "dir"), subtree: id };
  }

  #isExcluded(path: string, { name, sizeBytes = 0 }: OfferedStream): boolean {
    return this.offer.options.policy.select(path, name, { type: "file", sizeBytes, device: "" }) === "exclude";
  }

  async #saveStream(path: string, stream: OfferedStream, last: Entry | undefined): Promise<Entry | undefined> {
    const { tally } = this;
    if (last !== undefined && await this.#isUnchanged(path, stream, last)) {
      const entry = stream.modifiedNs === undefined ? last : { ...last, mtime: stream.modifiedNs };
      this.#count(this.offer.lister);
      tally.unmodified(path, madeStat(entry, Number(last.size)));
      return entry;
    }
    const { chunksNew, bytesNew } = this.#saver;
    const saved = await this.#content(path, stream, last);
    const added = { chunksNew: this.#saver.chunksNew - chunksNew, bytesNew: this.#saver.bytesNew - bytesNew };
    const entry = this.#made(stream.name, "file", stream.modifiedNs);
    if (saved instanceof AxiomError) {
      tally.saved(
        path,
        last,
        { changed: false, ...added, fault: reportError(unsaved(path, saved)) },
        madeStat(entry, 0),
      );
      return undefined;
    }
    const { sizeBytes, content, chunker } = saved, { version } = stream;
    tally.saved(path, last, { changed: false, ...added, content, chunker }, madeStat(entry, sizeBytes));
    entry.size = String(sizeBytes);
    if (content !== undefined) entry.content = content;
    if (chunker !== undefined) entry.chunker = chunker;
    if (version !== undefined) entry.stream = { plugin_id: this.offer.options.provider.pluginId, version };
    if (stream.modifiedNs !== undefined || last === undefined || !isSameContent(last, saved)) return entry;
    return { ...entry, mtime: last.mtime, ctime: last.ctime }; // so that a folder in which nothing changed is the same
  }

  /** Where the plugin vouches for it by a version that it gave before. */
  async #isUnchanged(path: string, { sizeBytes, version }: OfferedStream, last: Entry): Promise<boolean> {
    const { force, policy, provider } = this.offer.options, known = last.stream;
    if (force || version === undefined || known?.version !== version || known.plugin_id !== provider.pluginId) {
      return false;
    }
    if (sizeBytes !== undefined && String(sizeBytes) !== last.size) return false;
    if (policy.wantsAnew(path, madeStat(last, Number(last.size)), last) || policy.recheck(path)) return false;
    return await this.#reusable.of(last);
  }

  /** An error is the stream's; what is thrown ends the backup. */
  async #content(path: string, stream: OfferedStream, last: Entry | undefined): Promise<SavedStream | AxiomError> {
    const { policy, owner } = this.offer.options;
    const onProgress = (sizeBytes: number) => this.tally.reading(path, sizeBytes);
    for (let tries = 1;; tries++) {
      const reading: { failure?: unknown } = {};
      try {
        return await this.#saver.save(
          this.#parts(stream, reading),
          policy.plan(path, owner),
          last?.chunker,
          onProgress,
        );
      } catch (error) {
        throwIfAborted(this.signal);
        if (error !== reading.failure || !(error instanceof AxiomError)) throw error;
        if (!isKind(error, "source_changed") || !error.retriable || tries === TRIES) return error;
      }
    }
  }

  async *#parts(stream: OfferedStream, reading: { failure?: unknown }): AsyncGenerator<Uint8Array> {
    try {
      const { plugin, bytes } = this.offer.session.read(stream, this.signal);
      yield* bytes;
      this.#count(plugin);
    } catch (error) {
      reading.failure = error;
      throw error;
    }
  }

  #count(plugin: PluginIdentity): void {
    const known = this.used.find((each) => each.plugin.sha256 === plugin.sha256);
    if (known === undefined) this.used.push({ plugin, path: this.path, streams: 1 });
    else known.streams++;
  }

  #made(name: string, type: "file" | "dir", timeNs = this.writer.repository.context.clock.nowNs()): Entry {
    return madeEntry(name, type, this.offer.options.owner, timeNs);
  }
}

/** Of a stream, or of all that a source gives. */
export function unsaved(path: string, { message, hint, cause }: AxiomError): AxiomError {
  return new AxiomError("source_unreadable", `Cannot save ${displayName(path)}: ${message}`, { hint, cause });
}
