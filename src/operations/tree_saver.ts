import { setImmediate } from "node:timers";
import { throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { sortNames } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Entry } from "../model/entry.ts";
import { type FileStat, type FileSystem, SystemError } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import type { ChangeDetector } from "./change_detection.ts";
import { ContentSaver } from "./content_saver.ts";
import type { EarlyScan } from "./early_scan.ts";
import { EntrySaver } from "./entry_saver.ts";
import type { FilterGate } from "./filter_gate.ts";
import type { FileSaver } from "./file_saver.ts";
import { FolderWriter, type SavedFolder } from "./folder_writer.ts";
import type { BackupTally } from "./backup_tally.ts";
import type { KnownFolders } from "./known_folders.ts";
import { ParentCursor } from "./parent_cursor.ts";
import { type Pending, pending, settled, then } from "./pending.ts";
import { ReusableContent } from "./reusable_content.ts";
import type { SavePolicy } from "./save_policy.ts";
import { pathOf, relativeOf, UnchangedFolders } from "./unchanged_folders.ts";

/** Other people's FUSE mounts cannot even be looked at; patterns leave them out all the same. */
const UNKNOWN = { type: "dir", sizeBytes: 0, device: "" } as const;

/** What the walk met, and what the parent snapshot has there. */
interface Found {
  path: string;
  relative: string;
  name: string;
  stat: FileStat;
  last: Entry | undefined;
  empty?: boolean;
}

interface Item {
  entry: Entry | undefined;
  isParents: boolean;
}

const BREATH_MS = 4;

/** Slices of a folder that may wait for their files at a time. */
const SLICES_AHEAD = 8;

/**
 * Walks folders in the order of their names' bytes and saves what changed. The walk itself is one thread of calls; files
 * are saved by workers meanwhile, and a folder's document is made when its last file is known.
 */
export class TreeSaver {
  readonly #entries: EntrySaver;
  #breathAt = 0;
  readonly #contents: ContentSaver;
  readonly #reusable: ReusableContent;
  readonly #unchanged: UnchangedFolders;

  constructor(
    readonly files: FileSystem,
    readonly writer: RepositoryWriter,
    readonly saver: FileSaver,
    readonly trees: TreeReader,
    readonly policy: SavePolicy,
    readonly detector: ChangeDetector | undefined,
    readonly tally: BackupTally,
    early: EarlyScan | undefined,
    known: KnownFolders | undefined,
    readonly gate?: FilterGate,
    readonly signal?: AbortSignal,
  ) {
    this.#entries = new EntrySaver(files, saver.putXattr, tally);
    this.#reusable = new ReusableContent(writer, trees);
    this.#contents = new ContentSaver(files, writer, saver, (path, stat) => policy.plan(path, stat), signal);
    const walk = (path: string, relative: string, id: string) => this.#walkFolder(path, relative, id, false);
    this.#unchanged = new UnchangedFolders(files, writer, trees, policy, detector, tally, early, known, walk);
  }

  /**
   * Saves a source that was named by its path: a folder with everything below it, or anything else.
   *
   * @param last What the parent snapshot has there
   */
  async saveSource(path: string, name: string, last: Entry | undefined): Promise<Item> {
    const stat = this.look(path);
    return stat === undefined
      ? { entry: undefined, isParents: false }
      : await (await this.#save({ path, relative: "", name, stat, last })).done;
  }

  /** What stands at the path of a source or above it; reported if that is nothing. */
  look(path: string): FileStat | undefined {
    try {
      return this.files.lstat(path);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.tally.missingSource(path, error);
      return undefined;
    }
  }

  /** Resolves when the folder was walked, with a promise of its document. */
  async #walk(
    path: string,
    relative: string,
    parentId: string | undefined,
    empty: boolean,
  ): Promise<Pending<SavedFolder>> {
    await this.#breathe();
    const isAsItWas = parentId !== undefined && !empty && this.gate === undefined;
    const same = !isAsItWas ? undefined : await this.#unchanged.walk(path, relative, parentId);
    if (same !== undefined) return same;
    const has = (id: string) => this.writer.hasText(id, ChunkKind.tree);
    const cursor = parentId === undefined ? undefined : new ParentCursor(this.trees, parentId, has);
    const parent = cursor === undefined ? undefined : { cursor, id: parentId! };
    const folder = new FolderWriter(this.writer.metadata.put, this.writer.repository.keys.treeSplitKey(), parent);
    const names = empty ? [] : sortNames(this.policy.namesToSave(path, relative, this.files.readNames(path)));
    const slices: Promise<void>[] = [];
    let tail = Promise.resolve();
    for (let at = 0; at < names.length; at += LIMITS.scanSliceEntries) {
      const slice = names.slice(at, at + LIMITS.scanSliceEntries);
      const items = await this.#saveSlice(path, relative, slice, cursor);
      tail = this.#addAll(folder, items, tail);
      tail.catch(() => {}); // whoever awaits the folder sees it
      slices.push(tail);
      if (slices.length > SLICES_AHEAD) await slices.shift();
    }
    return pending(tail.then(() => folder.finish()));
  }

  async #addAll(folder: FolderWriter, items: Pending<Item>[], before: Promise<void>): Promise<void> {
    await before;
    for (const item of items) {
      const { entry, isParents } = item.done instanceof Promise ? await item.done : item.done;
      const added = entry === undefined ? undefined : folder.add(entry, isParents);
      if (added !== undefined) await added;
    }
  }

  async #saveSlice(path: string, relative: string, names: string[], cursor?: ParentCursor): Promise<Pending<Item>[]> {
    await this.#breathe();
    const stats = this.#statNames(path, names);
    if (stats === undefined) return [];
    const chosen = this.#choose(path, relative, names, stats);
    const leftOut = this.gate === undefined ? undefined : await this.gate.leftOut(chosen);
    const items: Pending<Item>[] = [];
    for (const found of chosen) {
      if (leftOut?.has(found)) {
        this.tally.excluded++;
        continue;
      }
      const taken = cursor?.take(found.name);
      found.last = taken instanceof Promise ? await taken : taken;
      const item = this.#save(found);
      items.push(item instanceof Promise ? await item : item);
    }
    return items;
  }

  /** What the policy saves of a folder. */
  #choose(path: string, relative: string, names: string[], stats: (FileStat | SystemError)[]): Found[] {
    const chosen: Found[] = [];
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const childPath = pathOf(path, name);
      const childRelative = relativeOf(relative, name);
      const stat = stats[i];
      const selection = this.policy.select(childPath, childRelative, stat instanceof SystemError ? UNKNOWN : stat);
      if (selection === "exclude") {
        this.tally.excluded++;
        continue;
      }
      if (stat instanceof SystemError) {
        this.tally.fault(childPath, stat);
        continue;
      }
      const empty = selection === "empty";
      chosen.push({ path: childPath, relative: childRelative, name, stat, last: undefined, empty });
    }
    return chosen;
  }

  /** Nothing of a folder that cannot be opened any more; what was saved of it stays. */
  #statNames(path: string, names: string[]): (FileStat | SystemError)[] | undefined {
    try {
      return this.files.statNames(path, names);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.tally.fault(path, error);
      return undefined;
    }
  }

  /** Lets in messages of workers and signals, which a walk of synchronous calls would keep out. */
  #breathe(): Promise<void> | undefined {
    throwIfAborted(this.signal);
    return performance.now() < this.#breathAt ? undefined : this.#breath();
  }

  async #breath(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#breathAt = performance.now() + BREATH_MS;
    throwIfAborted(this.signal);
    this.writer.pool.throwIfBroken();
  }

  /** A promise only where something has to be waited for: most entries of most backups are as they were, and cost little more than a look. */
  #save(found: Found): Pending<Item> | Promise<Pending<Item>> {
    const { path, stat, last } = found;
    if (stat.type === "dir") return this.#saveFolder(found).catch((error) => settled(this.#failed(path, error)));
    const same = last !== undefined && this.detector?.isUnchanged(last, stat) === true &&
      !this.policy.wantsAnew(path, stat, last) && !this.policy.recheck(path);
    const reusable = same && this.#reusable.of(last);
    if (reusable instanceof Promise) return reusable.then((yes) => yes ? this.#reuse(found) : this.#saveAnew(found));
    return reusable ? this.#reuse(found) : this.#saveAnew(found);
  }

  #reuse({ path, stat, last }: Found): Pending<Item> {
    this.tally.unmodified(path, stat);
    return settled({ entry: last, isParents: true });
  }

  #saveAnew(found: Found): Pending<Item> | Promise<Pending<Item>> {
    const { path, name, stat, last } = found;
    const room = this.#contents.room();
    if (room !== undefined) return room.then(() => this.#saveAnew(found));
    try {
      if (stat.type === "file") return this.#saveFile(path, name, stat, last);
      const entry = this.#entries.ofSpecial(path, name, stat);
      this.tally.other();
      return then({ done: entry }, asNew);
    } catch (error) {
      return settled(this.#failed(path, error));
    }
  }

  #failed(path: string, error: unknown): Item {
    if (!(error instanceof SystemError)) throw error;
    this.tally.fault(path, error);
    return { entry: undefined, isParents: false };
  }

  async #saveFolder({ path, relative, name, stat, last, empty = false }: Found): Promise<Pending<Item>> {
    const lastFolder = last?.type === "dir" ? last : undefined;
    const same = lastFolder !== undefined && this.detector?.isUnchanged(lastFolder, stat) === true &&
      this.#reusable.of(lastFolder) === true;
    const entry = same ? lastFolder : await this.#entries.ofFolder(path, name, stat);
    const saved = await this.#walkFolder(path, relative, lastFolder?.subtree, empty);
    return then(saved, ({ id, unchanged }) => {
      const isParents = same && unchanged;
      this.tally.folder(lastFolder !== undefined, isParents);
      return { entry: isParents ? lastFolder : { ...entry, subtree: id }, isParents };
    });
  }

  async #walkFolder(
    path: string,
    relative: string,
    parentId: string | undefined,
    empty: boolean,
  ): Promise<Pending<SavedFolder>> {
    try {
      return await this.#walk(path, relative, parentId, empty);
    } catch (error) {
      // A source of which nothing can be read is as good as missing: an empty folder must not stand for it.
      if (!(error instanceof SystemError) || relative === "") throw error;
      this.tally.fault(path, error);
      return settled({ id: await this.#emptyFolder(), unchanged: false });
    }
  }

  #emptyFolder(): Promise<string> {
    const { keys } = this.writer.repository;
    return new FolderWriter(this.writer.metadata.put, keys.treeSplitKey(), undefined).finish().then(({ id }) => id);
  }

  #saveFile(path: string, name: string, stat: FileStat, last: Entry | undefined): Pending<Item> {
    const lastFile = last?.type === "file" ? last : undefined;
    return then(this.#contents.save(path, stat, lastFile), (content) => {
      this.tally.saved(path, lastFile, content, stat);
      if (content.fault !== undefined) return { entry: undefined, isParents: false };
      const entry = this.#entries.ofFile(path, name, stat, content);
      return entry instanceof Promise ? entry.then(asNew) : asNew(entry);
    }, (error) => this.#failed(path, error));
  }
}

function asNew(entry: Entry): Item {
  return { entry, isParents: false };
}
