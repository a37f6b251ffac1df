import { reportError, throwIfAborted } from "../base/errors.ts";
import type { Entry } from "../model/entry.ts";
import { type FileStat, SystemError, type TargetTree } from "../platform/file_system.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { RepositoryKeys } from "../repository/keys.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { isDamage } from "./damage.ts";
import type { RestoreContext, RestoreOptions } from "./restore.ts";
import { RestoreBatches } from "./restore_batches.ts";
import { RestoreDeletions } from "./restore_deletions.ts";
import { markFailed, type RestoreBatch, type RestoreFile, type RestoreWork } from "./restore_file.ts";
import { RestoreFilePlanner } from "./restore_file_planner.ts";
import { makeFolder, WalkedFolder } from "./restore_folder.ts";
import { LinkGroups } from "./restore_links.ts";
import { metadataOf } from "./restore_metadata.ts";
import { explained, NameClash } from "./restore_names.ts";
import { PartNames } from "./restore_parts.ts";
import { isInOneFrame, layoutOf } from "./restore_plan.ts";
import type { RestoreTally } from "./restore_tally.ts";
import type { SnapshotPlace } from "./snapshot_paths.ts";
import { isFull, targetFull } from "./target_full.ts";

/**
 * Compares the snapshot with the target, makes folders and decides what has to be written. Nothing is followed or removed
 * outside the target, whatever the tree's names say: names were checked when the tree was read, paths by `TargetTree`.
 */
export class RestoreWalk {
  readonly work: RestoreWork = { folders: [], others: [], links: [], deletions: [] };
  readonly #batches: RestoreBatches;
  #files = 0;
  readonly #links = new LinkGroups();
  readonly #planner: RestoreFilePlanner;
  readonly #deletions: RestoreDeletions;

  constructor(
    readonly trees: TreeReader,
    readonly index: ChunkIndex,
    pool: WorkerPool,
    readonly target: TargetTree | undefined,
    readonly tally: RestoreTally,
    readonly options: RestoreOptions,
    readonly context: RestoreContext,
    keys: RepositoryKeys,
    /** Writes a batch; the next one is handed over when it is done. */
    execute: (batch: RestoreBatch) => Promise<void>,
  ) {
    this.#batches = new RestoreBatches(execute);
    this.#deletions = new RestoreDeletions(target, options);
    this.#planner = new RestoreFilePlanner(pool, target, options, keys);
  }

  async plan(place: SnapshotPlace): Promise<RestoreWork> {
    const parts = new PartNames(this.trees, "folder" in place ? place.folder : undefined);
    const root = new WalkedFolder("", this.target, parts, true, () => false);
    if (!("folder" in place)) await this.#entry(place.entry, place.entry.name, root);
    else {
      if (place.entry !== undefined && this.#wants("", true)) {
        this.work.folders.push({ path: "", metadata: await this.#metadata(place.entry) });
      }
      await this.#folder(place.folder, root);
    }
    await this.#batches.finish();
    return this.work;
  }

  #wants(path: string, isFolder: boolean): boolean {
    return this.options.select === undefined || this.options.select(path, isFolder);
  }

  #metadata(entry: Entry) {
    return metadataOf(entry, this.trees, this.context.owners);
  }

  async #folder(id: string, folder: WalkedFolder): Promise<void> {
    const names = new Set<string>();
    for await (const leaf of this.trees.leaves(id)) {
      for (const entry of leaf) {
        throwIfAborted(this.context.signal);
        if (this.options.delete) names.add(entry.name);
        await this.#entry(entry, folder.path === "" ? entry.name : `${folder.path}/${entry.name}`, folder);
      }
    }
    const mayHoldMore = folder.stood && !folder.isNew;
    if (this.options.delete && mayHoldMore) this.work.deletions.push(...this.#deletions.find(folder.path, names));
  }

  async #entry(entry: Entry, path: string, parent: WalkedFolder): Promise<void> {
    try {
      const wanted = this.#wants(path, entry.type === "dir");
      if (wanted) parent.make();
      if (entry.type === "dir") return await this.#subfolder(entry, path, wanted, parent);
      if (!wanted) return;
      if (entry.type === "file") return await this.#file(entry, path, parent);
      await this.#other(entry, path, parent);
    } catch (error) {
      if (error instanceof SystemError && isFull(error)) throw targetFull(path, error);
      if (error instanceof NameClash && error.other !== undefined) this.#deletions.keep(error.other);
      if (error instanceof SystemError) this.tally.fault(path, explained(this.target, path, error));
      else if (isDamage(error)) this.tally.fault(path, reportError(error));
      else throw error;
    }
  }

  async #subfolder(entry: Entry, path: string, wanted: boolean, parent: WalkedFolder): Promise<void> {
    const existing = parent.stat(path);
    const clash = parent.clash(path, existing);
    const isFolder = existing?.type === "dir";
    if (clash === undefined && !isFolder && !this.#mayReplace(entry, path, existing)) return;
    const metadata = await this.#metadata(entry);
    const parts = new PartNames(this.trees, entry.subtree);
    const stood = isFolder && clash === undefined;
    const folder = new WalkedFolder(path, this.target, parts, stood, () => {
      parent.make();
      if (clash !== undefined) throw clash;
      const isNew = !this.options.dryRun && this.target !== undefined &&
        makeFolder(this.target, path, existing === undefined);
      this.tally.foldersRestored++;
      this.work.folders.push({ path, metadata });
      return isNew;
    });
    if (wanted) folder.make();
    await this.#folder(entry.subtree!, folder);
  }

  /** Whether `--overwrite` lets an entry take the place of what is there; counted if not. */
  #mayReplace(entry: Entry, path: string, existing: FileStat | undefined): boolean {
    const { overwrite } = this.options;
    const may = existing === undefined || overwrite === "always" || overwrite === "if-changed" ||
      (overwrite === "if-newer" && BigInt(entry.mtime) > BigInt(existing.mtimeNs));
    if (!may) this.tally.skipped(path);
    return may;
  }

  async #other(entry: Entry, path: string, parent: WalkedFolder): Promise<void> {
    const existing = parent.standing(path);
    if (!this.#mayReplace(entry, path, existing)) return;
    const { type, target, rdev } = entry;
    const first = this.#links.take(entry);
    const group = first ?? this.#links.begin(entry, (left) => ({ path, failed: false, left }));
    const part = existing === undefined ? undefined : await parent.parts.of(path);
    const other = { path, part, type, target, rdev, metadata: await this.#metadata(entry), group };
    if (first === undefined) this.work.others.push(other);
    else this.work.links.push({ path, part, to: first, other });
  }

  async #file(entry: Entry, path: string, parent: WalkedFolder): Promise<void> {
    const first = this.#links.take(entry);
    const existing = parent.standing(path);
    if (first !== undefined) {
      if (!this.#mayReplace(entry, path, existing)) return;
      const part = existing === undefined ? undefined : await parent.parts.of(path);
      return void this.work.links.push({ path, part, to: first });
    }
    const sizeBytes = Number(entry.size);
    this.tally.filesTotal++;
    this.tally.bytesTotal += sizeBytes;
    if (!this.#mayReplace(entry, path, existing)) return;
    const layout = await layoutOf(entry.content, sizeBytes, this.trees, this.index, path);
    const file: RestoreFile = {
      number: this.#files++,
      path,
      writePath: path,
      parts: parent.parts,
      fresh: existing === undefined,
      inPlace: false,
      metadata: await this.#metadata(entry),
      layout,
      whole: isInOneFrame(layout),
      missing: 0,
      bytesWritten: 0,
      failed: false,
      group: this.#links.begin(entry, (left) => ({ path, failed: false, left })),
    };
    this.#batches.batch.files.push(file);
    try {
      if (parent.isNew) await this.#planner.planNew(file, this.#batches.batch);
      else await this.#planner.plan(file, entry, existing, this.#batches.batch);
      if (this.options.dryRun || this.target === undefined) this.#countDry(file);
    } catch (error) {
      markFailed(file);
      throw error;
    } finally {
      await this.#batches.planned(file);
    }
  }

  #countDry(file: RestoreFile): void {
    if (file.standing) this.tally.unchanged(file.path, file.layout.sizeBytes);
    else this.tally.restored(file.path, file.layout.sizeBytes);
  }
}
