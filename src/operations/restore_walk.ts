import { createHash } from "node:crypto";
import { concat, fromBase64 } from "../base/bytes.ts";
import { reportError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { encodeName } from "../base/names.ts";
import { CHUNK_KIND_NAMES } from "../model/chunk.ts";
import { type Entry, linkKey } from "../model/entry.ts";
import { type FileStat, type Metadata, SystemError, type TargetTree, type Xattr } from "../platform/file_system.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { Repository } from "../repository/repository.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { isDamage } from "./damage.ts";
import type { RestoreContext, RestoreOptions } from "./restore.ts";
import { type FileLayout, holesOf, layoutOf, ReadPlan } from "./restore_plan.ts";
import type { RestoreTally } from "./restore_tally.ts";
import { SnapshotKnowledge } from "./snapshot_knowledge.ts";
import type { SnapshotPlace } from "./snapshot_paths.ts";
import { isFull, targetFull } from "./target_full.ts";

/** A file on its way back. */
export interface RestoreFile {
  number: number;
  path: string;
  /** Where it is written: `path`, or beside it while something else stands there that must outlive a failure. */
  writePath: string;
  /** An existing file is changed, and gets its length and its holes when all of its chunks are there. */
  inPlace: boolean;
  metadata: Metadata;
  layout: FileLayout;
  /** One frame holds all of it and nothing of it exists: a worker makes it in one go. */
  whole: boolean;
  /** Chunks that are not written yet. */
  missing: number;
  bytesWritten: number;
  failed: boolean;
}

/** Files whose content is restored together: so many that a frame is rarely needed by two batches, and no more. */
export interface RestoreBatch {
  plan: ReadPlan<RestoreFile>;
  files: RestoreFile[];
}

/** What a restore has to do once all content is there. */
export interface RestoreWork {
  /** In the order in which they were made; their metadata is set in reverse. */
  folders: { path: string; metadata: Metadata }[];
  /** Symbolic links and nodes, made when all content is there. */
  others: { path: string; entry: Entry; metadata: Metadata }[];
  links: { path: string; to: RestoreFile }[];
  /** What stands in restored folders and not in the snapshot. */
  deletions: string[];
}

/**
 * Compares the snapshot with the target, makes folders and decides what has to be written. Nothing is followed or removed
 * outside the target, whatever the tree's names say: names were checked when the tree was read, paths by `TargetTree`.
 */
export class RestoreWalk {
  readonly work: RestoreWork = { folders: [], others: [], links: [], deletions: [] };
  #batch: RestoreBatch = { plan: new ReadPlan(), files: [] };
  #executing: Promise<void> = Promise.resolve();
  #files = 0;
  readonly #known: SnapshotKnowledge;
  readonly #linked = new Map<string, RestoreFile>();
  readonly #made = new Set<string>([""]);
  /** What this restore writes beside existing files. */
  readonly #parts = new Set<string>();

  constructor(
    readonly trees: TreeReader,
    readonly index: ChunkIndex,
    readonly pool: WorkerPool,
    readonly target: TargetTree | undefined,
    readonly tally: RestoreTally,
    readonly options: RestoreOptions,
    readonly context: RestoreContext,
    readonly repository: Repository,
    /** Writes a batch; the next one is handed over when it is done. */
    readonly execute: (batch: RestoreBatch) => Promise<void>,
  ) {
    this.#known = new SnapshotKnowledge(options.snapshot.snapshot, options.path);
  }

  async plan(place: SnapshotPlace): Promise<RestoreWork> {
    if (!("folder" in place)) {
      await this.#entry(place.entry, place.entry.name, () => {});
      return await this.#finish();
    }
    if (place.entry !== undefined && this.#wants("", true)) {
      this.work.folders.push({ path: "", metadata: await this.#metadata(place.entry) });
    }
    await this.#folder(place.folder, "", () => {});
    return await this.#finish();
  }

  async #finish(): Promise<RestoreWork> {
    await this.#handOver();
    await this.#executing;
    return this.work;
  }

  /** Starts a batch once the one before it is done; the walk goes on meanwhile. */
  async #handOver(): Promise<void> {
    const batch = this.#batch;
    this.#batch = { plan: new ReadPlan(), files: [] };
    await this.#executing;
    this.#executing = this.execute(batch);
    this.#executing.catch(() => {}); // the next to await it sees the failure
  }

  #wants(path: string, isFolder: boolean): boolean {
    return this.options.select === undefined || this.options.select(path, isFolder);
  }

  /** @param makeParent Makes the folder itself, once something in it is wanted */
  async #folder(id: string, path: string, makeParent: () => void): Promise<void> {
    const names = new Set<string>();
    for await (const entry of this.trees.entries(id)) {
      throwIfAborted(this.context.signal);
      names.add(entry.name);
      await this.#entry(entry, path === "" ? entry.name : `${path}/${entry.name}`, makeParent);
    }
    if (this.options.delete) this.#findDeletions(path, names);
  }

  async #entry(entry: Entry, path: string, makeParent: () => void): Promise<void> {
    try {
      const wanted = this.#wants(path, entry.type === "dir");
      if (wanted) makeParent();
      if (entry.type === "dir") return await this.#subfolder(entry, path, wanted, makeParent);
      if (!wanted) return;
      if (entry.type === "file") return await this.#file(entry, path);
      if (this.#mayReplace(entry, path)) {
        this.work.others.push({ path, entry, metadata: await this.#metadata(entry) });
      }
    } catch (error) {
      if (error instanceof SystemError && isFull(error)) throw targetFull(path, error);
      if (error instanceof SystemError) this.tally.fault(path, error);
      else if (isDamage(error)) this.tally.fault(path, reportError(error));
      else throw error;
    }
  }

  async #subfolder(entry: Entry, path: string, wanted: boolean, makeParent: () => void): Promise<void> {
    const existing = this.target?.lstat(path);
    if (existing !== undefined && existing.type !== "dir" && !this.#overwrites(entry, existing)) {
      this.tally.filesSkipped++;
      return;
    }
    const metadata = await this.#metadata(entry);
    const make = () => {
      if (this.#made.has(path)) return;
      makeParent();
      this.#made.add(path);
      this.#makeFolder(path);
      this.work.folders.push({ path, metadata });
    };
    if (wanted) make();
    await this.#folder(entry.subtree!, path, make);
  }

  #makeFolder(path: string): void {
    this.tally.foldersRestored++;
    if (this.options.dryRun || this.target === undefined) return;
    const existing = this.target.lstat(path);
    if (existing?.type === "dir") return;
    if (existing !== undefined) this.target.remove(path);
    this.target.makeFolder(path);
  }

  /** Whether what is not a file may take the place of what is there. */
  #mayReplace(entry: Entry, path: string): boolean {
    const existing = this.target?.lstat(path);
    if (existing === undefined || this.#overwrites(entry, existing)) return true;
    this.tally.filesSkipped++;
    return false;
  }

  /** Then a half-written file under its own name would be taken for a newer one by the next run. */
  get #judgesByTime(): boolean {
    return this.options.overwrite === "if-newer" || this.options.overwrite === "never";
  }

  #overwrites(entry: Entry, existing: FileStat): boolean {
    switch (this.options.overwrite) {
      case "always":
      case "if-changed":
        return true;
      case "if-newer":
        return BigInt(entry.mtime) > BigInt(existing.mtimeNs);
      case "never":
        return false;
    }
  }

  async #file(entry: Entry, path: string): Promise<void> {
    const sizeBytes = Number(entry.size);
    const key = linkKey(entry);
    const first = key === undefined ? undefined : this.#linked.get(key);
    if (first !== undefined) {
      this.work.links.push({ path, to: first });
      return;
    }
    this.tally.filesTotal++;
    this.tally.bytesTotal += sizeBytes;
    const existing = this.target?.lstat(path);
    if (existing !== undefined && !this.#overwrites(entry, existing)) {
      this.tally.filesSkipped++;
      return;
    }
    const layout = await layoutOf(entry.content, sizeBytes, this.trees, this.index, path);
    const file: RestoreFile = {
      number: this.#files++,
      path,
      writePath: path,
      inPlace: false,
      metadata: await this.#metadata(entry),
      layout,
      whole: false,
      missing: 0,
      bytesWritten: 0,
      failed: false,
    };
    if (key !== undefined) this.#linked.set(key, file);
    this.#batch.files.push(file);
    await this.#planFile(file, entry, existing);
    if (this.#batch.files.length >= LIMITS.restoreBatchFiles) await this.#handOver();
  }

  async #planFile(file: RestoreFile, entry: Entry, existing: FileStat | undefined): Promise<void> {
    const { layout, path } = file;
    if (existing?.type === "file" && this.options.overwrite === "if-changed" && looksSame(entry, existing)) return;
    const inPlace = existing?.type === "file" && existing.links === 1 && !this.#judgesByTime;
    const part = inPlace ? undefined : this.#partOf(path);
    const same = inPlace || part !== undefined ? await this.#sameChunks(part ?? path, layout) : undefined;
    const frames = new Set(layout.chunks.map(({ location }) => `${location.pack.name} ${location.place.frame}`));
    file.whole = !inPlace && part === undefined && frames.size === 1;
    layout.chunks.forEach((chunk, i) => {
      if (same?.[i] === 1) return;
      file.missing++;
      this.#batch.plan.add(file, chunk);
    });
    if (this.options.dryRun || this.target === undefined) return this.#countDry(file);
    file.inPlace = inPlace;
    if (inPlace) return;
    if (existing !== undefined || !file.whole || this.#judgesByTime) {
      file.writePath = partName(path);
      this.#parts.add(file.writePath);
    }
    if (file.whole) return;
    const handle = part === undefined ? this.target.createFile(file.writePath) : this.target.openFile(part);
    try {
      handle.truncate(layout.sizeBytes);
      if (part !== undefined) { for (const { offset, length } of holesOf(layout)) handle.punchHole(offset, length); }
    } finally {
      handle.close();
    }
  }

  /** What an interrupted restore wrote of a file; anything else that has this name is removed. */
  #partOf(path: string): string | undefined {
    const name = partName(path);
    const stat = this.target?.lstat(name);
    if (stat === undefined) return undefined;
    // One that has its mode already cannot be opened by everyone, and lacks only its name.
    if (stat.type === "file" && stat.links === 1 && (stat.mode & 0o600) === 0o600) return name;
    if (stat.type !== "dir" && !this.options.dryRun) this.target!.remove(name);
    return undefined;
  }

  #countDry(file: RestoreFile): void {
    if (file.missing === 0) this.tally.unchanged(file.path, file.layout.sizeBytes);
    else this.tally.restored(file.path, file.layout.sizeBytes);
  }

  async #sameChunks(path: string, layout: FileLayout): Promise<Uint8Array | undefined> {
    if (layout.chunks.length === 0) return undefined;
    const places = new Float64Array(2 * layout.chunks.length);
    layout.chunks.forEach(({ offset, length }, i) => places.set([offset, length], 2 * i));
    const idKey = this.repository.keys.chunkIdKey(CHUNK_KIND_NAMES[layout.kind]);
    const { same } = await this.pool.compare({ path, ids: concat(layout.chunks.map(({ id }) => id)), places, idKey });
    return same;
  }

  async #metadata(entry: Entry): Promise<Metadata> {
    const owner = this.context.owners ? { uid: entry.uid, gid: entry.gid } : {};
    return { mode: entry.mode, ...owner, mtimeNs: entry.mtime, xattrs: await this.#xattrs(entry) };
  }

  async #xattrs(entry: Entry): Promise<Xattr[]> {
    const xattrs: Xattr[] = [];
    for (const { name, value, chunks } of entry.xattrs ?? []) {
      const parts = await Promise.all((chunks ?? []).map((id) => this.trees.get(id)));
      xattrs.push({ name, value: value === undefined ? concat(parts) : fromBase64(value) });
    }
    return xattrs;
  }

  /** A folder of the target's own file system: what is mounted in it was not saved with it, so it is not deleted either. */
  #isHere(stat: FileStat | undefined): boolean {
    return stat?.type === "dir" && stat.device === this.target?.lstat("")?.device;
  }

  #findDeletions(path: string, names: ReadonlySet<string>): void {
    if (!this.#isHere(this.target?.lstat(path)) || !this.#known.isComplete(path)) return;
    for (const name of this.target!.readNames(path)) {
      const child = path === "" ? name : `${path}/${name}`;
      const stat = this.target!.lstat(child);
      if (
        names.has(name) || this.#parts.has(child) || (stat?.type === "dir" && !this.#isHere(stat)) ||
        this.#known.mayHaveBeen(child)
      ) continue;
      const isFolder = stat?.type === "dir";
      if (this.#wants(child, isFolder)) this.work.deletions.push(child);
    }
  }
}

/** Where a file is written that must not be seen half-written; the same in every run, so that one goes on with the last one's. */
function partName(path: string): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return `${folder}.axiom-part-${createHash("sha256").update(encodeName(path)).digest("hex").slice(0, 16)}`;
}

function looksSame(entry: Entry, existing: FileStat): boolean {
  return entry.size === String(existing.sizeBytes) && entry.mtime === existing.mtimeNs;
}
