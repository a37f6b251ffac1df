import { sortNames } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { FileSystem } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { PutDocument } from "../repository/tree_writer.ts";
import { isDamage } from "./damage.ts";
import { EntryMaker } from "./entry_of_stat.ts";
import { FolderWriter } from "./folder_writer.ts";
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

  constructor(
    readonly files: FileSystem,
    readonly saver: TreeSaver,
    readonly trees: TreeReader,
    readonly put: PutDocument,
    readonly splitKey: Uint8Array<ArrayBuffer>,
  ) {
    this.#entries = new EntryMaker(files);
  }

  /** @param last Root folder of the parent snapshot */
  async save(root: SourceNode, last: string | undefined): Promise<string> {
    if (!root.isSource) return await this.#saveChildren(root, last);
    const lastEntry: Entry | undefined = last === undefined ? undefined : { ...ROOT_ENTRY, subtree: last };
    const { entry } = await this.saver.saveSource("/", "root", lastEntry);
    return entry!.subtree!;
  }

  async #saveChildren(node: SourceNode, last: string | undefined): Promise<string> {
    const folder = new FolderWriter(this.put, this.splitKey, undefined);
    for (const name of sortNames([...node.children.keys()])) {
      const child = node.children.get(name)!;
      const lastChild = last === undefined ? undefined : await this.#last(last, name);
      const entry = child.isSource
        ? (await this.saver.saveSource(child.path, name, lastChild)).entry
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
  async #saveStep(node: SourceNode, name: string, last: Entry | undefined): Promise<Entry> {
    const entry = this.#entries.entry(name, this.files.lstat(node.path));
    return { ...entry, type: "dir", subtree: await this.#saveChildren(node, last?.subtree) };
  }
}

const ROOT_ENTRY: Entry = { name: "root", type: "dir", mode: 0, uid: 0, gid: 0, mtime: "0", ctime: "0", inode: "0" };
