import { ChunkKind } from "../model/chunk.ts";
import { decodeTreeNode } from "../model/tree.ts";
import { type FileSystem, SystemError } from "../platform/file_system.ts";
import type { PackedFolder } from "../platform/packed_folder.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import type { BackupTally } from "./backup_tally.ts";
import type { ChangeDetector } from "./change_detection.ts";
import { isDamage } from "./damage.ts";
import type { EarlyScan } from "./early_scan.ts";
import { FolderMatcher, isLeaf, type MatchedFolder, type WantsSame } from "./folder_match.ts";
import { FolderWriter, type SavedFolder } from "./folder_writer.ts";
import type { KnownFolders } from "./known_folders.ts";
import { type Pending, pending, settled, then } from "./pending.ts";
import type { SavePolicy } from "./save_policy.ts";

/** Walks a folder that the parent snapshot has under `id`. */
export type WalkFolder = (path: string, relative: string, id: string) => Promise<Pending<SavedFolder>>;

/** The quick way through folders in which nothing changed: no entry of them becomes an object. */
export class UnchangedFolders {
  readonly #matcher: FolderMatcher | undefined;

  constructor(
    readonly files: FileSystem,
    readonly writer: RepositoryWriter,
    readonly trees: TreeReader,
    readonly policy: SavePolicy,
    detector: ChangeDetector | undefined,
    readonly tally: BackupTally,
    readonly early: EarlyScan | undefined,
    readonly known: KnownFolders | undefined,
    readonly walkFolder: WalkFolder,
  ) {
    if (detector === undefined || files.packed === undefined || policy.unchanged === "one_by_one") return;
    this.#matcher = new FolderMatcher(detector, (id) => writer.has(id, ChunkKind.data));
  }

  /** Undefined, and nothing is done, where something changed in the folder itself or has to be looked at entry by entry. */
  async walk(path: string, relative: string, id: string): Promise<Pending<SavedFolder> | undefined> {
    if (this.#matcher === undefined || !this.writer.hasText(id, ChunkKind.tree)) return undefined;
    const matched = await this.#match(path, relative, id, this.#matcher);
    return matched === undefined ? undefined : await this.#walkBelow(path, relative, id, matched);
  }

  async #match(path: string, relative: string, id: string, matcher: FolderMatcher): Promise<MatchedFolder | undefined> {
    const folder = this.early?.take(path) ?? this.#look(path);
    if (folder === undefined) return undefined;
    const known = this.known?.find(id, path, folder);
    if (known !== undefined) return known;
    try {
      matcher.begin(folder, this.#wantsSame(path, relative));
      const matched = await this.#isSame(id, matcher) ? matcher.end() : undefined;
      if (matched !== undefined) this.known?.add(id, path, folder, matched);
      return matched;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }

  /** Whether all that the document names is as it was. */
  async #isSame(id: string, matcher: FolderMatcher): Promise<boolean> {
    const got = this.trees.get(id); // a promise costs more than most folders
    const document = got instanceof Promise ? await got : got;
    if (isLeaf(document)) return matcher.isSame(document);
    const node = decodeTreeNode(document, id.slice(0, 16));
    if ("entries" in node) return false; // written by someone else
    for (const { id: leaf } of node.children) {
      if (!this.writer.hasText(leaf, ChunkKind.tree) || !matcher.isSame(await this.trees.get(leaf))) return false;
    }
    return true;
  }

  #look(path: string): PackedFolder | undefined {
    try {
      return this.files.packed!(path);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return undefined;
    }
  }

  #wantsSame(path: string, relative: string): WantsSame | undefined {
    if (this.policy.unchanged === "as_it_is") return undefined;
    return (name, type, sizeBytes, device) =>
      this.policy.select(pathOf(path, name), relativeOf(relative, name), { type, sizeBytes, device }) === "save";
  }

  async #walkBelow(path: string, relative: string, id: string, matched: MatchedFolder): Promise<Pending<SavedFolder>> {
    this.tally.matched(path, matched);
    const open: { name: string; saved: Pending<SavedFolder> }[] = [];
    for (const { name, subtree } of matched.folders) {
      const walked = await this.walkFolder(pathOf(path, name), relativeOf(relative, name), subtree);
      const saved = then(walked, (folder) => {
        this.tally.folder(true, folder.unchanged);
        return folder;
      });
      if (saved.done instanceof Promise || !saved.done.unchanged) open.push({ name, saved });
    }
    return open.length === 0 ? settled({ id, unchanged: true }) : pending(this.#replace(id, open));
  }

  /** The folder `id` with other documents for some of its folders. */
  async #replace(id: string, open: { name: string; saved: Pending<SavedFolder> }[]): Promise<SavedFolder> {
    const subtrees = new Map<string, string>();
    for (const { name, saved } of open) {
      const folder = await saved.done;
      if (!folder.unchanged) subtrees.set(name, folder.id);
    }
    if (subtrees.size === 0) return { id, unchanged: true };
    const { metadata, repository } = this.writer;
    const folder = new FolderWriter(metadata.put, repository.keys.treeSplitKey(), undefined);
    for await (const entry of this.trees.entries(id)) {
      const subtree = subtrees.get(entry.name);
      await folder.add(subtree === undefined ? entry : { ...entry, subtree }, false);
    }
    return await folder.finish();
  }
}

export function pathOf(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** The same for a path below a source, which is empty for the source itself. */
export function relativeOf(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
