import { fromHex } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_KIND_NAMES } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import type { FileStat, TargetTree } from "../platform/file_system.ts";
import { userIds } from "../platform/host.ts";
import type { RepositoryKeys } from "../repository/keys.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { CompareFile, CompareResult } from "../stages/worker_protocol.ts";
import { metadataDifferences } from "./metadata_differences.ts";
import type { RestoreOptions } from "./restore.ts";
import type { RestoreBatch, RestoreFile } from "./restore_file.ts";
import { dropPart } from "./restore_parts.ts";
import { type FileLayout, holesOf } from "./restore_plan.ts";

/** A larger file is changed where it stands, and may be left half old and half new if chunks turn out to be damaged. */
const BESIDE_BYTES_MAX = LIMITS.regionBytes;

/** Decides which chunks of a file have to be written, and where to. */
export class RestoreFilePlanner {
  readonly #uid = userIds()?.uid;

  constructor(
    readonly pool: WorkerPool,
    readonly target: TargetTree | undefined,
    readonly options: RestoreOptions,
    readonly keys: RepositoryKeys,
  ) {}

  /** @param existing What stands at the path of `file`; without anything, there may still be an interrupted restore's part */
  async plan(file: RestoreFile, entry: Entry, existing: FileStat | undefined, batch: RestoreBatch): Promise<void> {
    if (existing?.type === "file" && !this.#judgesByTime) {
      if (this.options.overwrite === "if-changed" && looksSame(entry, existing) && this.#maySet(file, existing)) {
        file.whole = false;
        file.standing = true;
        return;
      }
      if (await this.#planInPlace(file, existing, batch)) return;
    }
    const part = await this.#partOf(file);
    const same = part === undefined ? undefined : (await this.#compare(part, file.layout)).same;
    file.whole &&= part === undefined;
    addChunks(file, same, batch);
    await this.#prepare(file, part);
  }

  /** For a file in a folder that this restore made; undefined if it is planned already. */
  planNew(file: RestoreFile, batch: RestoreBatch): Promise<void> | undefined {
    addChunks(file, undefined, batch);
    return file.whole && !this.#judgesByTime ? undefined : this.#prepare(file, undefined);
  }

  async #prepare(file: RestoreFile, part: string | undefined): Promise<void> {
    if (this.options.dryRun || this.target === undefined) return;
    const isAtOnce = file.whole || file.layout.sizeBytes === 0;
    if (!file.fresh || !isAtOnce || part !== undefined || this.#judgesByTime) {
      file.writePath = part ?? await file.parts.of(file.path);
    }
    if (file.whole) return;
    const handle = part === undefined ? this.target.createFile(file.writePath) : this.target.openFile(part);
    try {
      handle.truncate(file.layout.sizeBytes);
      if (part !== undefined) {
        for (const { offset, length } of holesOf(file.layout)) handle.punchHole(offset, length);
      }
    } catch (error) {
      if (part === undefined) dropPart(this.target, file.writePath);
      throw error;
    } finally {
      handle.close();
    }
  }

  /**
   * False for a file that is written anew beside the one that stands there, which therefore outlives a failure. One that
   * another name leads to, perhaps outside the target, is either right already or written anew.
   */
  async #planInPlace(file: RestoreFile, existing: FileStat, batch: RestoreBatch): Promise<boolean> {
    const { layout, path } = file;
    const { same, dirtyHole } = await this.#compare(path, layout);
    const isSame = same.indexOf(0) < 0;
    file.standing = isSame && dirtyHole === undefined && existing.sizeBytes === layout.sizeBytes;
    if (existing.links > 1 && !(file.standing && this.#maySet(file, existing))) {
      file.standing = false;
      return false;
    }
    if (existing.links === 1 && !isSame && layout.sizeBytes <= BESIDE_BYTES_MAX) return false;
    if (existing.links === 1 && file.standing) this.#isRight(file, existing);
    file.whole = false;
    file.inPlace = true;
    addChunks(file, same, batch);
    return true;
  }

  /** Whether the metadata of what is there may be set: not by one of several names, unless there is nothing to set. */
  #maySet(file: RestoreFile, existing: FileStat): boolean {
    return this.#isRight(file, existing) || existing.links === 1;
  }

  #isRight(file: RestoreFile, existing: FileStat): boolean {
    file.untouched = metadataDifferences(this.target!, file.path, existing, file.metadata).length === 0;
    return file.untouched;
  }

  /** Then a half-written file under its own name would be taken for a newer one by the next run. */
  get #judgesByTime(): boolean {
    return this.options.overwrite === "if-newer" || this.options.overwrite === "never";
  }

  /** What an interrupted restore wrote of a file; anything else that has this name is removed. */
  async #partOf(file: RestoreFile): Promise<string | undefined> {
    if (this.target === undefined) return undefined;
    const name = await file.parts.of(file.path);
    const stat = this.target.lstat(name);
    if (stat === undefined) return undefined;
    if (this.#isPart(stat, file)) return name;
    if (stat.type !== "dir" && !this.options.dryRun) this.target.remove(name);
    return undefined;
  }

  /**
   * One that has its mode already cannot be opened by everyone, and lacks only its name. One that belongs to somebody else
   * may be open there.
   */
  #isPart({ type, links, mode, uid }: FileStat, { metadata }: RestoreFile): boolean {
    const isOurs = this.#uid === undefined || uid === this.#uid || uid === metadata.uid;
    return type === "file" && links === 1 && (mode & 0o600) === 0o600 && isOurs;
  }

  async #compare(path: string, layout: FileLayout): Promise<CompareResult> {
    if (layout.chunks.length === 0 && layout.sizeBytes === 0) return { same: new Uint8Array(0) };
    return await this.pool.compare(comparison(path, layout, this.keys));
  }
}

/** What a worker needs to compare a file of the target with what it has to be. */
export function comparison(path: string, { chunks, kind, sizeBytes }: FileLayout, keys: RepositoryKeys): CompareFile {
  const places = new Float64Array(2 * chunks.length);
  const ids = new Uint8Array(32 * chunks.length);
  chunks.forEach(({ id, offset, length }, i) => {
    places.set([offset, length], 2 * i);
    ids.set(fromHex(id), 32 * i);
  });
  return { path, ids, places, sizeBytes, idKey: keys.chunkIdKey(CHUNK_KIND_NAMES[kind]) };
}

function addChunks(file: RestoreFile, same: Uint8Array | undefined, { plan }: RestoreBatch): void {
  file.layout.chunks.forEach((chunk, i) => {
    if (same?.[i] === 1) return;
    file.missing++;
    plan.add(file, chunk);
  });
}

function looksSame(entry: Entry, existing: FileStat): boolean {
  return entry.size === String(existing.sizeBytes) && entry.mtime === existing.mtimeNs;
}
