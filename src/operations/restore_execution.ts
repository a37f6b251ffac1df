import { AxiomError, isKind, reportError, throwIfAborted } from "../base/errors.ts";
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { displayName } from "../base/names.ts";
import type { ChunkKind } from "../model/chunk.ts";
import type { PackRecord } from "../model/index_object.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import type { ChunkReader } from "../repository/chunk_reader.ts";
import { fetchFrames } from "../repository/frame_fetcher.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameWrite, LoadFrame, WriteFault, WriteOutcome } from "../stages/worker_protocol.ts";
import type { RestoreOptions } from "./restore.ts";
import { type FrameUse, holesOf } from "./restore_plan.ts";
import { RestoreRemoval } from "./restore_removal.ts";
import type { RestoreTally } from "./restore_tally.ts";
import type { RestoreBatch, RestoreFile, RestoreWork } from "./restore_walk.ts";
import { isFull, targetFull } from "./target_full.ts";

/** Frames that are read ahead per worker: one being decoded, one waiting. */
const FRAMES_PER_WORKER = 3;

type Uses = FrameUse<RestoreFile>[];

/** Writes what was planned: pack by pack, each frame of a batch read and decoded once, on all workers. */
export class RestoreExecution {
  readonly #removal: RestoreRemoval;
  readonly #slots: Semaphore;
  readonly #files = new Map<number, RestoreFile>();
  readonly #reader: ChunkReader;
  /** Of the index as it became meanwhile. */
  #later: Promise<ChunkReader> | undefined;
  /** Ends the restore: a full target is not a fault of one file. */
  #stop: unknown;

  constructor(
    readonly repository: Repository,
    readonly view: IndexView,
    readonly pool: WorkerPool,
    readonly target: TargetTree,
    readonly tally: RestoreTally,
    readonly options: RestoreOptions,
    readonly signal?: AbortSignal,
  ) {
    this.#removal = new RestoreRemoval(target, tally, options);
    this.#slots = new Semaphore(FRAMES_PER_WORKER * pool.size);
    this.#reader = repository.chunks(view, signal);
  }

  async run(batch: RestoreBatch): Promise<void> {
    this.#files.clear();
    for (const file of batch.files) {
      this.#files.set(file.number, file);
      if (file.missing === 0) this.#complete(file);
    }
    const running = new Set<Promise<void>>();
    for (const [pack, frames] of batch.plan.packs()) {
      for await (const { number, frame } of this.#fetch(pack, frames)) {
        const release = await this.#slots.acquire(this.signal);
        this.#throwIfStopped();
        const job: Promise<void> = this.#load(frame, frames.get(number)!)
          .catch((error) => this.#stop ??= error)
          .finally(() => {
            release();
            running.delete(job);
          });
        running.add(job);
      }
    }
    await Promise.all(running);
    this.#throwIfStopped();
  }

  #throwIfStopped(): void {
    throwIfAborted(this.signal);
    if (this.#stop !== undefined) throw this.#stop;
  }

  /** A pack that cannot be read is no end: other packs may hold the same chunks. */
  async *#fetch(pack: PackRecord, frames: ReadonlyMap<number, Uses>) {
    const left = new Set(frames.keys());
    try {
      const table = await this.repository.packs.table(pack, this.signal);
      for await (const fetched of fetchFrames(this.repository.packs, pack, table, frames.keys(), this.signal)) {
        left.delete(fetched.number);
        yield fetched;
      }
    } catch (error) {
      if (!(error instanceof AxiomError) || !isReadFault(error)) throw error;
      for (const number of left) for (const use of frames.get(number)!) await this.#salvage(use, error);
    }
  }

  async #load(frame: LoadFrame, uses: Uses): Promise<void> {
    const numbers = chunkNumbers(frame, uses);
    const { fault, badChunks, outcomes } = await this.pool.load(frame, { type: "write", writes: writesOf(numbers) });
    const bad = new Set(badChunks);
    const isLost = (use: FrameUse<RestoreFile>) =>
      fault !== undefined || numbers.get(use) === -1 || bad.has(numbers.get(use)!);
    const lost = new Set(uses.filter(isLost).map(({ owner }) => owner));
    for (const outcome of outcomes) this.#settle(this.#files.get(outcome.file)!, outcome, uses);
    if (lost.size === 0) return;
    const why = new AxiomError("data_damaged", fault?.message ?? "a chunk holds other bytes than its id says");
    for (const use of uses) if (lost.has(use.owner)) await this.#salvage(use, why);
  }

  #settle(file: RestoreFile, outcome: WriteOutcome, uses: Uses): void {
    if (outcome.fault !== undefined) return this.#writeFailed(file, outcome.fault);
    file.bytesWritten += outcome.bytes;
    this.tally.bytesWritten += outcome.bytes;
    file.missing -= uses.filter(({ owner }) => owner === file).length;
    if (outcome.losses !== undefined) this.tally.losses(file.path, outcome.losses);
    if (file.missing === 0) this.#complete(file);
    else this.tally.progress(file.path);
  }

  #writeFailed(file: RestoreFile, fault: WriteFault): void {
    file.failed = true;
    this.#dropPart(file);
    const error = new SystemError(fault.code, "write", file.path);
    if (isFull(error)) throw targetFull(file.path, error);
    this.tally.fault(file.path, error);
  }

  /** A pack that is gone may have been copied by another client since the index was read: it is read again, once. */
  async #readAnywhere(id: Bytes, kind: ChunkKind): Promise<Bytes> {
    try {
      return await this.#reader.read(id, kind);
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error;
    }
    this.#later ??= this.repository.loadIndex(this.signal).then((view) => this.repository.chunks(view, this.signal));
    return await (await this.#later).read(id, kind);
  }

  /** Reads one chunk from wherever else it is, and writes it here. */
  async #salvage({ owner, chunk }: FrameUse<RestoreFile>, why: AxiomError): Promise<void> {
    if (owner.failed) return;
    let bytes: Bytes;
    try {
      bytes = await this.#readAnywhere(chunk.id, owner.layout.kind);
    } catch (error) {
      if (!(error instanceof AxiomError) || !isReadFault(error)) throw error;
      owner.failed = true;
      this.#dropPart(owner);
      const altered = owner.inPlace && owner.bytesWritten > 0
        ? "; part of the file in the target was changed already"
        : "";
      const message = `Cannot restore ${displayName(owner.path)}: ${why.message}${altered}`;
      this.tally.fault(owner.path, reportError(new AxiomError(why.kind, message, { hint: why.hint, cause: error })));
      return;
    }
    try {
      this.#writeHere(owner, chunk.offset, bytes);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.#writeFailed(owner, { code: error.code, message: error.message });
    }
    owner.missing--;
    owner.bytesWritten += bytes.length;
    this.tally.bytesWritten += bytes.length;
    if (owner.missing === 0) this.#complete(owner);
  }

  #writeHere(file: RestoreFile, offset: number, bytes: Bytes): void {
    const exists = this.target.lstat(file.writePath) !== undefined;
    file.whole = false;
    const handle = exists ? this.target.openFile(file.writePath) : this.target.createFile(file.writePath);
    try {
      if (!exists) handle.truncate(file.layout.sizeBytes);
      handle.write(bytes, offset);
    } finally {
      handle.close();
    }
  }

  #putInPlace(file: RestoreFile): void {
    const { path, writePath, layout } = file;
    const holes = file.inPlace ? [...holesOf(layout)] : [];
    if (holes.length > 0 || (file.inPlace && this.target.lstat(path)?.sizeBytes !== layout.sizeBytes)) {
      const handle = this.target.openFile(path);
      try {
        handle.truncate(layout.sizeBytes);
        for (const { offset, length } of holes) handle.punchHole(offset, length);
      } finally {
        handle.close();
      }
    }
    if (!file.whole) this.tally.losses(path, this.target.setMetadata(writePath, file.metadata));
    if (writePath === path) return;
    if (this.target.lstat(path)?.type === "dir") this.#removal.makeWay(path);
    this.target.rename(writePath, path);
  }

  /** What was written beside something that stays. */
  #dropPart({ path, writePath }: RestoreFile): void {
    if (writePath !== path && this.target.lstat(writePath) !== undefined) this.target.remove(writePath);
  }

  /** All bytes are there. */
  #complete(file: RestoreFile): void {
    if (file.failed) return;
    try {
      this.#putInPlace(file);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.#writeFailed(file, { code: error.code, message: error.message });
    }
    if (file.bytesWritten === 0 && file.layout.chunks.length > 0) {
      this.tally.unchanged(file.path, file.layout.sizeBytes);
    } else this.tally.restored(file.path, file.layout.sizeBytes);
  }

  /** Links, nodes and symbolic links, removals, and last the folders' own metadata, the deepest first. */
  finish(work: RestoreWork): void {
    for (const { path, to } of work.links) this.#attempt(path, () => this.#link(path, to));
    for (const other of work.others) this.#attempt(other.path, () => this.#makeOther(other));
    for (const path of work.deletions) this.#attempt(path, () => this.#removal.remove(path));
    for (const { path, metadata } of work.folders.toReversed()) {
      this.#attempt(path, () => this.tally.losses(path, this.target.setMetadata(path, metadata)));
    }
    this.target.sync();
  }

  #attempt(path: string, action: () => void): void {
    throwIfAborted(this.signal);
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (isFull(error)) throw targetFull(path, error);
      this.tally.fault(path, error);
    }
  }

  #link(path: string, to: RestoreFile): void {
    if (to.failed) {
      const message = `Cannot restore ${displayName(path)}: ${displayName(to.path)}, whose other name it is, failed`;
      return this.tally.fault(path, { kind: "target_unwritable", message });
    }
    const existing = this.target.lstat(path);
    const first = this.target.lstat(to.path);
    if (
      existing !== undefined && first !== undefined && existing.inode === first.inode &&
      existing.device === first.device
    ) return;
    if (existing !== undefined && this.options.overwrite === "never") return void this.tally.filesSkipped++;
    this.#removal.makeWay(path);
    this.target.makeLink(path, to.path);
    this.tally.othersRestored++;
  }

  #makeOther({ path, entry, metadata }: RestoreWork["others"][number]): void {
    const existing = this.target.lstat(path);
    if (existing?.type === "symlink" && entry.type === "symlink" && this.target.readLink(path) === entry.target) {
      return this.tally.losses(path, this.target.setMetadata(path, metadata));
    }
    this.#removal.makeWay(path);
    if (entry.type === "symlink") this.target.makeSymlink(path, entry.target!);
    else if (entry.type !== "file" && entry.type !== "dir") {
      this.target.makeNode(path, entry.type, entry.rdev?.[0] ?? 0, entry.rdev?.[1] ?? 0);
    }
    this.tally.losses(path, this.target.setMetadata(path, metadata));
    this.tally.othersRestored++;
  }
}

/** Number of each chunk in its frame, or -1 where the frame does not hold it at the place that the index says. */
function chunkNumbers(frame: LoadFrame, uses: Uses): Map<FrameUse<RestoreFile>, number> {
  const byOffset = new Map<number, number>();
  let offset = 0;
  frame.lengths.forEach((length, number) => {
    byOffset.set(offset, number);
    offset += length;
  });
  return new Map(uses.map((use) => {
    const number = byOffset.get(use.chunk.location.place.offset) ?? -1;
    const holds = number >= 0 && frame.lengths[number] === use.chunk.length &&
      equalBytes(frame.ids.subarray(32 * number, 32 * number + 32), use.chunk.id);
    return [use, holds ? number : -1];
  }));
}

function writesOf(numbers: ReadonlyMap<FrameUse<RestoreFile>, number>): FrameWrite[] {
  const parts = new Map<RestoreFile, number[]>();
  for (const [{ owner, chunk }, number] of numbers) {
    let list = parts.get(owner);
    if (list === undefined) parts.set(owner, list = []);
    list.push(number, chunk.offset);
  }
  return [...parts].filter(([file, list]) => !file.failed && !list.includes(-1)).map(([file, list]) => ({
    file: file.number,
    path: file.writePath,
    parts: Float64Array.from(list),
    ...(file.whole ? { whole: { sizeBytes: file.layout.sizeBytes, metadata: file.metadata } } : {}),
  }));
}

function isReadFault(error: AxiomError): boolean {
  return ["data_damaged", "object_missing", "limit_exceeded", "repository_unsupported"].includes(error.kind);
}
