import { AxiomError } from "../base/errors.ts";
import { ignoreEvents } from "../base/events.ts";
import { displayName, sortNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import { entryText } from "../model/entry_text.ts";
import { type FileSystem, SystemError } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { PutDocument } from "../repository/tree_writer.ts";
import { isDamage } from "./damage.ts";
import { EntryMaker } from "./entry_of_stat.ts";
import { FolderWriter } from "./folder_writer.ts";
import { SnapshotSizes } from "./snapshot_sizes.ts";
import type { StreamFolder } from "./stream_folder.ts";
import type { TreeSaver } from "./tree_saver.ts";

/** The folders that lead to the sources, with the sources as leaves; the root is `/`. */
export interface SourceNode {
  path: string;
  isSource: boolean;
  children: Map<string, SourceNode>;
}

/** @param paths Absolute, normalized; one below another is part of it */
export function sourceTree(paths: readonly string[]): SourceNode {
  const root: SourceNode = { path: "/", isSource: false, children: new Map() };
  for (const path of paths) {
    let node = root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (node.isSource) break;
      const child = node.children.get(name) ??
        { path: `${node.path === "/" ? "" : node.path}/${name}`, isSource: false, children: new Map() };
      node.children.set(name, child);
      node = child;
    }
    node.isSource = true;
    node.children.clear();
  }
  return root;
}

/** Saves the tree of sources and returns the id of its root folder. */
export class SourceTreeSaver {
  readonly #entries: EntryMaker;
  /** Sources of which there is something to save. */
  #saved = 0;

  constructor(
    readonly files: FileSystem,
    readonly saver: TreeSaver,
    readonly trees: TreeReader,
    readonly put: PutDocument,
    readonly splitKey: Uint8Array<ArrayBuffer>,
    /** Sources that are no files of this machine. */
    readonly made: readonly StreamFolder[] = [],
  ) {
    this.#entries = new EntryMaker(files);
  }

  /**
   * Throws `source_missing` or `source_unreadable` if nothing can be saved of any source: such a snapshot would look like a
   * good one.
   *
   * @param last Root folder of the parent snapshot
   */
  async save(root: SourceNode, last: string | undefined): Promise<string> {
    const id = root.isSource ? await this.#saveRoot(last) : await this.#saveChildren(root, last);
    if (id !== undefined && this.#saved > 0) return id;
    const { kind, message } = this.saver.tally.lastReport!;
    throw new AxiomError(kind, message, { hint: "Check the paths and their permissions; no snapshot was made" });
  }

  async #saveRoot(last: string | undefined): Promise<string | undefined> {
    const lastEntry: Entry | undefined = last === undefined ? undefined : { ...ROOT_ENTRY, subtree: last };
    return (await this.#saveSource("/", "root", lastEntry))?.subtree;
  }

  async #saveSource(path: string, name: string, last: Entry | undefined): Promise<Entry | undefined> {
    const made = this.made.find((each) => each.path === path);
    const entry = await (made?.save(name, last) ?? this.saver.saveSource(path, name, last).then(({ entry }) => entry));
    if (entry !== undefined) this.#saved++;
    const isEmpty = () => made?.isEmpty ?? this.#isEmptyFolder(path);
    if (last?.type === "dir" && entry?.subtree !== last.subtree && isEmpty()) await this.#warnOfEmpty(path, last, made);
    return entry;
  }

  /** A disk that is not mounted leaves an empty folder, and a snapshot of that looks like a good one. */
  async #warnOfEmpty(path: string, last: Entry, made: StreamFolder | undefined): Promise<void> {
    const { files } = await new SnapshotSizes(this.trees, { onEvent: ignoreEvents }).of(last.subtree!);
    if (files === 0) return;
    const had = files === 1 ? "1 file" : `${files} files`;
    const message = `${displayName(path)} is empty, and the snapshot before had ${had} there${
      made === undefined ? ": is it mounted?" : ""
    }`;
    this.saver.tally.onEvent({ type: "warning", code: "source_empty", message, path });
  }

  #isEmptyFolder(path: string): boolean {
    try {
      return this.files.readNames(path).length === 0;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return false;
    }
  }

  async #saveChildren(node: SourceNode, last: string | undefined): Promise<string> {
    const folder = new FolderWriter(this.put, this.splitKey, undefined);
    for (const name of sortNames([...node.children.keys()])) {
      const child = node.children.get(name)!;
      const lastChild = last === undefined ? undefined : await this.#last(last, name);
      const entry = child.isSource
        ? await this.#saveSource(child.path, name, lastChild)
        : await this.#saveStep(child, name, lastChild);
      if (entry !== undefined) await folder.add(entry, false);
    }
    return (await folder.finish()).id;
  }

  /** What the parent snapshot has there; nothing if that cannot be read. */
  async #last(folder: string, name: string): Promise<Entry | undefined> {
    try {
      return await this.trees.find(folder, name);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }

  /** A folder on the way to a source: its own metadata, and of its content only what leads to sources. */
  async #saveStep(node: SourceNode, name: string, last: Entry | undefined): Promise<Entry | undefined> {
    const stat = this.saver.look(node.path);
    if (stat === undefined) return undefined;
    const entry = this.#entries.entry(name, stat);
    const isSame = last !== undefined && entryText({ ...entry, subtree: last.subtree }) === entryText(last);
    if (!isSame) this.saver.writer.pool.prestart(1); // to seal the new documents up to the root, once the sources are saved
    return { ...entry, type: "dir", subtree: await this.#saveChildren(node, last?.subtree) };
  }
}

const ROOT_ENTRY: Entry = { name: "root", type: "dir", mode: 0, uid: 0, gid: 0, mtime: "0", ctime: "0", inode: "0" };
