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
import { BlockedFolders } from "./restore_blocked.ts";
import { RestoreDeletions } from "./restore_deletions.ts";
import {
  fileToRestore,
  type FoundFile,
  markFailed,
  type RestoreBatch,
  type RestoreFile,
  type RestoreWork,
} from "./restore_file.ts";
import { RestoreFilePlanner } from "./restore_file_planner.ts";
import { makeFolder, WalkedFolder } from "./restore_folder.ts";
import { type LinkGroup, LinkGroups } from "./restore_links.ts";
import { metadataAtHand, metadataOf } from "./restore_metadata.ts";
import { explained, NameClash } from "./restore_names.ts";
import { PartNames } from "./restore_parts.ts";
import { layoutAtHand, layoutOf } from "./restore_plan.ts";
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
  readonly #links = new LinkGroups();
  readonly #planner: RestoreFilePlanner;
  readonly #deletions: RestoreDeletions;
  readonly #blocked: BlockedFolders;

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
    this.#blocked = new BlockedFolders(trees, tally, options, context.signal);
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
    for await (const { entries } of this.trees.leafNodes(id)) {
      for (const entry of entries) {
        throwIfAborted(this.context.signal);
        if (this.options.delete) names.add(entry.name);
        const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
        const later = this.#entry(entry, path, folder);
        if (later !== undefined) await later;
      }
    }
    const mayHoldMore = folder.stood && !folder.isNew;
    if (this.options.delete && mayHoldMore) this.work.deletions.push(...this.#deletions.find(folder.path, names));
  }

  /** Undefined if there is nothing to wait for, as with most files: a few promises for each were half of all garbage. */
  #entry(entry: Entry, path: string, parent: WalkedFolder): Promise<void> | undefined {
    try {
      return this.#visit(entry, path, parent)?.catch((error) => this.#fault(path, error));
    } catch (error) {
      this.#fault(path, error);
      return undefined;
    }
  }

  #visit(entry: Entry, path: string, parent: WalkedFolder): Promise<void> | undefined {
    const wanted = this.#wants(path, entry.type === "dir");
    if (wanted) parent.make();
    if (entry.type === "dir") return this.#subfolder(entry, path, wanted, parent);
    if (!wanted) return;
    return entry.type === "file" ? this.#file(entry, path, parent) : this.#other(entry, path, parent);
  }

  /** Throws what is no fault of this entry alone. */
  #fault(path: string, error: unknown): void {
    if (error instanceof SystemError && isFull(error)) throw targetFull(path, error);
    if (error instanceof NameClash && error.other !== undefined) this.#deletions.keep(error.other);
    if (error instanceof SystemError) this.tally.fault(path, explained(this.target, path, error));
    else if (isDamage(error)) this.tally.fault(path, reportError(error));
    else throw error;
  }

  async #subfolder(entry: Entry, path: string, wanted: boolean, parent: WalkedFolder): Promise<void> {
    const existing = parent.stat(path);
    const clash = parent.clash(path, existing);
    const isFolder = existing?.type === "dir";
    if (clash === undefined && existing !== undefined && !isFolder && !this.#isReplaceable(entry, existing)) {
      return await this.#blocked.leaveOut(entry, path, existing.type);
    }
    const metadata = await this.#metadata(entry);
    const parts = new PartNames(this.trees, entry.subtree);
    const stood = isFolder && clash === undefined;
    const folder = new WalkedFolder(path, this.target, parts, stood, () => {
      parent.make();
      if (clash !== undefined) throw clash;
      const isNew = this.options.dryRun || this.target === undefined
        ? !stood
        : makeFolder(this.target, path, existing === undefined);
      this.tally.foldersRestored++;
      this.work.folders.push({ path, metadata });
      return isNew;
    });
    if (wanted) folder.make();
    await this.#folder(entry.subtree!, folder);
  }

  /** Whether `--overwrite` lets an entry take the place of what is there; counted if not. */
  #mayReplace(entry: Entry, path: string, existing: FileStat | undefined): boolean {
    const may = existing === undefined || this.#isReplaceable(entry, existing);
    if (!may) this.tally.skipped(path);
    return may;
  }

  #isReplaceable(entry: Entry, existing: FileStat): boolean {
    const { overwrite } = this.options;
    return overwrite === "always" || overwrite === "if-changed" ||
      (overwrite === "if-newer" && BigInt(entry.mtime) > BigInt(existing.mtimeNs));
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

  #file(entry: Entry, path: string, parent: WalkedFolder): Promise<void> | undefined {
    const first = this.#links.take(entry);
    const existing = parent.standing(path);
    if (first !== undefined) {
      return this.#mayReplace(entry, path, existing) ? this.#furtherName(path, existing, first, parent) : undefined;
    }
    const sizeBytes = Number(entry.size);
    this.tally.filesTotal++;
    this.tally.bytesTotal += sizeBytes;
    if (!this.#mayReplace(entry, path, existing)) return;
    const isAtHand = entry.content?.nodes === undefined && entry.xattrs === undefined;
    if (!isAtHand) return this.#gatheredFile(entry, path, parent, existing);
    const layout = layoutAtHand(entry.content, sizeBytes, this.index, path);
    return this.#plan({ entry, path, layout, metadata: metadataAtHand(entry, this.context.owners) }, parent, existing);
  }

  async #furtherName(path: string, existing: FileStat | undefined, to: LinkGroup, parent: WalkedFolder): Promise<void> {
    const part = existing === undefined ? undefined : await parent.parts.of(path);
    this.work.links.push({ path, part, to });
  }

  async #gatheredFile(
    entry: Entry,
    path: string,
    parent: WalkedFolder,
    existing: FileStat | undefined,
  ): Promise<void> {
    const layout = await layoutOf(entry.content, Number(entry.size), this.trees, this.index, path);
    await this.#plan({ entry, path, layout, metadata: await this.#metadata(entry) }, parent, existing);
  }

  #plan(found: FoundFile, parent: WalkedFolder, existing: FileStat | undefined): Promise<void> | undefined {
    const { entry, path } = found;
    const group = this.#links.begin(entry, (left) => ({ path, failed: false, left }));
    const file = fileToRestore(found, parent.parts, existing === undefined, group);
    const { batch } = this.#batches;
    batch.files.push(file);
    const later = parent.isNew ? this.#planner.planNew(file, batch) : this.#planner.plan(file, entry, existing, batch);
    if (later !== undefined) return this.#whenPlanned(file, later);
    this.#countDry(file);
    return this.#batches.planned(file);
  }

  async #whenPlanned(file: RestoreFile, later: Promise<void>): Promise<void> {
    try {
      await later;
      this.#countDry(file);
    } catch (error) {
      markFailed(file);
      throw error;
    } finally {
      await this.#batches.planned(file);
    }
  }

  #countDry(file: RestoreFile): void {
    if (!this.options.dryRun && this.target !== undefined) return;
    if (file.standing) this.tally.unchanged(file.path, file.layout.sizeBytes);
    else this.tally.restored(file.path, file.layout.sizeBytes);
  }
}
