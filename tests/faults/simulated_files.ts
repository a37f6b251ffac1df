// deno-lint-ignore-file require-await -- asynchronous by the interface; each call takes effect at once
import type { FileInfo, FileOps, OpenFile } from "../../src/storage/file_ops.ts";

interface SimulatedFile {
  type: "file";
  data: number[];
  /** What a power failure leaves for certain. */
  syncedData: number[];
  mode: number;
  modifiedMs: number;
}

interface SimulatedFolder {
  type: "folder";
  entries: Map<string, SimulatedNode>;
  syncedEntries: Map<string, SimulatedNode>;
  mode: number;
  modifiedMs: number;
}

type SimulatedNode = SimulatedFile | SimulatedFolder;

export interface SimulationOptions {
  /** Whether it has hard links. */
  links: boolean;
  nowMs?: () => number;
}

/**
 * A POSIX file system in memory that knows what is durable: the bytes of a file after its fsync, the names in a folder
 * after the folder's fsync. Everything else may or may not survive {@linkcode SimulatedFiles.powerLoss}, names and bytes
 * independently of each other, as file systems without a journal for data do it.
 */
export class SimulatedFiles implements FileOps {
  readonly #root = newFolder(0);
  readonly #links: boolean;
  readonly #nowMs: () => number;

  constructor({ links, nowMs }: SimulationOptions) {
    this.#links = links;
    this.#nowMs = nowMs ?? (() => 0);
  }

  /** @param survives Asked for each change that was not synced, and for each unsynced byte up to the first that is lost */
  powerLoss(survives: () => boolean): void {
    settle(this.#root, survives, new Set());
  }

  /** Bytes of a file, for assertions; undefined if there is none. */
  peek(path: string): Uint8Array | undefined {
    const node = this.#find(path);
    return node?.type === "file" ? Uint8Array.from(node.data) : undefined;
  }

  async createFile(path: string): Promise<OpenFile> {
    const [folder, name] = this.#place(path);
    if (folder.entries.has(name)) throw failure("EEXIST", path);
    const file: SimulatedFile = { type: "file", data: [], syncedData: [], mode: 0o600, modifiedMs: this.#nowMs() };
    folder.entries.set(name, file);
    return this.#open(file);
  }

  async openFile(path: string): Promise<OpenFile> {
    const node = this.#get(path);
    if (node.type !== "file") throw failure("EISDIR", path);
    return this.#open(node);
  }

  async stat(path: string): Promise<FileInfo> {
    const node = this.#get(path);
    const sizeBytes = node.type === "file" ? node.data.length : 0;
    return { type: node.type, sizeBytes, modifiedMs: node.modifiedMs, mode: node.mode };
  }

  async readNames(path: string): Promise<string[]> {
    return [...this.#folder(path).entries.keys()];
  }

  async link(from: string, to: string): Promise<void> {
    if (!this.#links) throw failure("EPERM", to);
    const node = this.#get(from);
    const [folder, name] = this.#place(to);
    if (folder.entries.has(name)) throw failure("EEXIST", to);
    folder.entries.set(name, node);
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#get(from);
    const [source, oldName] = this.#place(from);
    const [folder, name] = this.#place(to);
    const there = folder.entries.get(name);
    if (there?.type === "folder" && node.type === "file") throw failure("EISDIR", to);
    if (there?.type === "file" && node.type === "folder") throw failure("ENOTDIR", to);
    if (there?.type === "folder" && there.entries.size > 0) throw failure("ENOTEMPTY", to);
    source.entries.delete(oldName);
    folder.entries.set(name, node);
  }

  async remove(path: string): Promise<void> {
    const node = this.#get(path);
    if (node.type === "folder" && node.entries.size > 0) throw failure("ENOTEMPTY", path);
    const [folder, name] = this.#place(path);
    folder.entries.delete(name);
  }

  async makeFolder(path: string): Promise<void> {
    const [folder, name] = this.#place(path);
    if (folder.entries.has(name)) throw failure("EEXIST", path);
    folder.entries.set(name, newFolder(this.#nowMs()));
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#get(path).mode = mode;
  }

  async syncFolder(path: string): Promise<void> {
    const folder = this.#folder(path);
    folder.syncedEntries = new Map(folder.entries);
  }

  volume(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  #open(file: SimulatedFile): OpenFile {
    return {
      write: async (data) => {
        for (const byte of data) file.data.push(byte);
        file.modifiedMs = this.#nowMs();
      },
      readAt: async (into, offset) => {
        const part = file.data.slice(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      sync: async () => {
        file.syncedData = [...file.data];
      },
      close: () => {},
    };
  }

  #find(path: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.#root;
    for (const part of path.split("/").filter((part) => part !== "")) {
      if (node?.type === "file") throw failure("ENOTDIR", path);
      node = node?.entries.get(part);
    }
    return node;
  }

  #get(path: string): SimulatedNode {
    const node = this.#find(path);
    if (!node) throw failure("ENOENT", path);
    return node;
  }

  #folder(path: string): SimulatedFolder {
    const node = this.#get(path);
    if (node.type !== "folder") throw failure("ENOTDIR", path);
    return node;
  }

  #place(path: string): [folder: SimulatedFolder, name: string] {
    const at = path.lastIndexOf("/");
    return [this.#folder(path.slice(0, at)), path.slice(at + 1)];
  }
}

function newFolder(modifiedMs: number): SimulatedFolder {
  return { type: "folder", entries: new Map(), syncedEntries: new Map(), mode: 0o700, modifiedMs };
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function settle(node: SimulatedNode, survives: () => boolean, done: Set<SimulatedNode>): void {
  if (done.has(node)) return;
  done.add(node);
  if (node.type === "file") {
    const length = node.data.length;
    let kept = node.syncedData.length;
    while (kept < length && survives()) kept++;
    node.data = node.data.slice(0, kept);
    node.syncedData = [...node.data];
    return;
  }
  for (const name of new Set([...node.entries.keys(), ...node.syncedEntries.keys()])) {
    const [now, synced] = [node.entries.get(name), node.syncedEntries.get(name)];
    const kept = now === synced || survives() ? now : synced;
    if (kept) node.entries.set(name, kept);
    else node.entries.delete(name);
  }
  node.syncedEntries = new Map(node.entries);
  for (const child of node.entries.values()) settle(child, survives, done);
}
