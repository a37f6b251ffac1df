import { reportError, throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import { type FileStat, SystemError, type TargetTree } from "../platform/file_system.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { RepositoryKeys } from "../repository/keys.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { isDamage } from "./damage.ts";
import { metadataDifferences } from "./metadata_differences.ts";
import type { RestoreContext, RestoreOptions } from "./restore.ts";
import { comparison } from "./restore_file_planner.ts";
import { type LinkGroup, LinkGroups } from "./restore_links.ts";
import { metadataOf } from "./restore_metadata.ts";
import { layoutOf } from "./restore_plan.ts";
import type { RestoreTally } from "./restore_tally.ts";
import type { SnapshotPlace } from "./snapshot_paths.ts";

/** Files compared at a time per worker. */
const FILES_PER_WORKER = 2;

interface SeenLink extends LinkGroup {
  inode: string;
  device: string;
}

/**
 * Walks the snapshot a second time and compares all that was restored with it: content, holes, kinds, links, metadata. What
 * was skipped, or of which a fault or a loss was told, is left out.
 */
export class RestoreVerification {
  filesVerified = 0;
  readonly #links = new LinkGroups<SeenLink>();
  readonly #slots: Semaphore;
  readonly #running = new Set<Promise<void>>();
  /** Of the store or of a worker; ends the comparison. */
  #failure: unknown;

  constructor(
    readonly trees: TreeReader,
    readonly index: ChunkIndex,
    readonly pool: WorkerPool,
    readonly target: TargetTree,
    readonly tally: RestoreTally,
    readonly options: RestoreOptions,
    readonly context: RestoreContext,
    readonly keys: RepositoryKeys,
  ) {
    this.#slots = new Semaphore(FILES_PER_WORKER * pool.size);
  }

  /** Returns the number of files that are right. */
  async run(place: SnapshotPlace): Promise<number> {
    if (!("folder" in place)) await this.#entry(place.entry, place.entry.name);
    else {
      if (place.entry !== undefined && this.#wants("", true)) await this.#compare(place.entry, "");
      await this.#folder(place.folder, "");
    }
    await Promise.all(this.#running);
    this.#throwIfFailed();
    return this.filesVerified;
  }

  #throwIfFailed(): void {
    throwIfAborted(this.context.signal);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #wants(path: string, isFolder: boolean): boolean {
    return this.options.select === undefined || this.options.select(path, isFolder);
  }

  async #folder(id: string, path: string): Promise<void> {
    for await (const leaf of this.trees.leaves(id)) {
      for (const entry of leaf) await this.#entry(entry, path === "" ? entry.name : `${path}/${entry.name}`);
    }
  }

  async #entry(entry: Entry, path: string): Promise<void> {
    this.#throwIfFailed();
    const isFolder = entry.type === "dir";
    if (this.tally.isKnown(path, "all")) return;
    if (this.#wants(path, isFolder) && !this.tally.isKnown(path, "metadata")) await this.#compare(entry, path);
    if (isFolder && this.target.lstat(path)?.type === "dir") await this.#folder(entry.subtree!, path);
  }

  async #compare(entry: Entry, path: string): Promise<void> {
    const release = await this.#slots.acquire(this.context.signal);
    const job: Promise<void> = this.#differences(entry, path).then((found) => {
      if (found.length === 0 && entry.type === "file") this.filesVerified++;
      if (found.length === 0) return;
      const message = `Cannot trust ${displayName(path === "" ? this.options.target : path)}: ${found.join("; ")}`;
      this.tally.fault(path, { kind: "target_unwritable", message });
    }).catch((error) => {
      if (isDamage(error)) this.tally.fault(path, reportError(error));
      else this.#failure ??= error;
    }).finally(() => {
      release();
      this.#running.delete(job);
    });
    this.#running.add(job);
  }

  async #differences(entry: Entry, path: string): Promise<string[]> {
    try {
      const stat = this.target.lstat(path);
      if (stat === undefined) return ["it is not there"];
      if (stat.type !== entry.type) return [`it is a ${stat.type}, not a ${entry.type}`];
      const found = [...this.#linkDifferences(entry, path, stat), ...this.#ownDifferences(entry, path, stat)];
      const metadata = await metadataOf(entry, this.trees, this.context.owners);
      const { nanoseconds } = this.context.files.fidelity;
      for (const { what, text } of metadataDifferences(this.target, path, stat, metadata, nanoseconds)) {
        if (!this.tally.isKnown(path, what)) found.push(text);
      }
      if (entry.type === "file") found.push(...await this.#contentDifferences(entry, path, stat));
      return found;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return [error.message];
    }
  }

  /** That names of one object are names of one object. */
  *#linkDifferences(entry: Entry, path: string, { inode, device }: FileStat): Generator<string> {
    const first = this.#links.take(entry);
    if (first === undefined) this.#links.begin(entry, (left) => ({ path, failed: false, left, inode, device }));
    else if (first.inode !== inode || first.device !== device) {
      yield `it is not the same ${entry.type} as ${displayName(first.path)}`;
    }
  }

  *#ownDifferences({ type, target, rdev }: Entry, path: string, stat: FileStat): Generator<string> {
    if (type === "symlink" && this.target.readLink(path) !== target) yield "it leads elsewhere";
    if (type !== "chardev" && type !== "blockdev") return;
    const [major, minor] = rdev!;
    if (stat.deviceMajor !== major || stat.deviceMinor !== minor) {
      yield `its device is ${stat.deviceMajor}:${stat.deviceMinor}, not ${major}:${minor}`;
    }
  }

  async #contentDifferences(entry: Entry, path: string, { sizeBytes }: FileStat): Promise<string[]> {
    if (String(sizeBytes) !== entry.size) return [`it has ${sizeBytes} bytes, not ${entry.size}`];
    const layout = await layoutOf(entry.content, sizeBytes, this.trees, this.index, path);
    if (layout.sizeBytes === 0) return [];
    const { same, dirtyHole, fault } = await this.pool.compare(comparison(path, layout, this.keys));
    if (fault !== undefined) return [fault.message];
    const found: string[] = [];
    const bad = same.indexOf(0);
    if (bad >= 0) found.push(`what was written at byte ${layout.chunks[bad].offset} reads back as something else`);
    if (dirtyHole !== undefined) found.push(`byte ${dirtyHole} is in a hole and not zero`);
    return found;
  }
}
