/** What a restore must bring back, entry by entry: of a folder on disk, and of a snapshot read chunk by chunk. */
import { createHash, type Hash } from "node:crypto";
import { concat, fromBase64, fromHex, toBase64 } from "../../src/base/bytes.ts";
import { sortNames } from "../../src/base/names.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import type { Entry } from "../../src/model/entry.ts";
import type { FileStat, FileSystem, Xattr } from "../../src/platform/file_system.ts";
import type { ChunkReader } from "../../src/repository/chunk_reader.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { TreeReader } from "../../src/repository/tree_reader.ts";

export interface ListedEntry {
  /** Below the folder, which is `.` itself. */
  path: string;
  type: string;
  /** Octal. */
  mode: string;
  uid?: number;
  gid?: number;
  mtimeNs: string;
  xattrs?: [name: string, base64: string][];
  /** First of the paths that are names of the same file. */
  group?: string;
  size?: number;
  /** SHA-256. */
  hash?: string;
  target?: string;
}

type Common = Pick<FileStat, "type" | "mode" | "uid" | "gid" | "mtimeNs" | "device" | "inode" | "links">;

class Lister {
  readonly entries: ListedEntry[] = [];
  readonly #groups = new Map<string, string>();

  add(path: string, common: Common, xattrs: readonly Xattr[]): ListedEntry {
    const { type, mode, uid, gid, mtimeNs, device, inode, links } = common;
    const listed: ListedEntry = { path, type, mode: mode.toString(8), uid, gid, mtimeNs };
    listed.xattrs = xattrs.map(({ name, value }) => [name, toBase64(value)]);
    if (type !== "dir" && links > 1) {
      const key = `${device} ${inode}`;
      if (!this.#groups.has(key)) this.#groups.set(key, path);
      listed.group = this.#groups.get(key);
    }
    this.entries.push(listed);
    return listed;
  }
}

function below(folder: string, name: string): string {
  return folder === "." ? name : `${folder}/${name}`;
}

/** Reads every byte of a folder. */
export function listFolder(files: FileSystem, folder: string): ListedEntry[] {
  const lister = new Lister();
  const visit = (path: string, relative: string) => {
    const stat = files.lstat(path);
    const listed = lister.add(relative, stat, files.xattrs(path));
    if (stat.type === "file") Object.assign(listed, { size: stat.sizeBytes, hash: hashOfFile(files, path, stat) });
    if (stat.type === "symlink") listed.target = files.readLink(path);
    if (stat.type !== "dir") return;
    for (const name of sortNames(files.readNames(path))) visit(`${path}/${name}`, below(relative, name));
  };
  visit(folder, ".");
  return lister.entries;
}

function hashOfFile(files: FileSystem, path: string, { sizeBytes }: FileStat): string {
  const data = new Uint8Array(sizeBytes);
  const file = files.openForReading(path);
  const length = file.read(data, 0);
  file.close();
  return createHash("sha256").update(data.subarray(0, length)).digest("hex");
}

/** Reads every chunk of what a snapshot has at `folder`; throws if anything of it is missing or damaged. */
export async function listSnapshot(
  repository: Repository,
  { snapshot }: StoredSnapshot,
  folder: string,
): Promise<ListedEntry[]> {
  const chunks = repository.chunks(await repository.loadIndex());
  const trees = new TreeReader(chunks.document);
  const lister = new Lister();
  const visit = async (entry: Entry, path: string) => {
    const { mtime, device = "", links = 1 } = entry;
    const listed = lister.add(path, { ...entry, mtimeNs: mtime, device, links }, await xattrsOf(entry, trees));
    if (entry.type === "file") Object.assign(listed, await contentOf(entry, trees, chunks));
    if (entry.type === "symlink") listed.target = entry.target;
    if (entry.type !== "dir") return;
    for await (const child of trees.entries(entry.subtree!)) await visit(child, below(path, child.name));
  };
  await visit(await findEntry(trees, snapshot.root, folder), ".");
  return lister.entries;
}

export async function findEntry(trees: TreeReader, root: string, path: string): Promise<Entry> {
  let entry: Entry | undefined;
  for (const name of path.split("/").slice(1)) entry = await trees.find(entry?.subtree ?? root, name);
  if (entry === undefined) throw new Error(`The snapshot has no ${path}`);
  return entry;
}

async function contentOf(entry: Entry, trees: TreeReader, chunks: ChunkReader): Promise<Partial<ListedEntry>> {
  const hash: Hash = createHash("sha256");
  const kind = entry.content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
  let size = 0;
  for await (const elements of trees.content(entry.content)) {
    for (const element of elements) {
      const isHole = typeof element !== "string";
      const data = isHole ? new Uint8Array(Number(element.hole)) : await chunks.read(fromHex(element), kind);
      hash.update(data);
      size += data.length;
    }
  }
  if (String(size) !== entry.size) throw new Error(`${entry.name} has ${size} bytes, not ${entry.size}`);
  return { size, hash: hash.digest("hex") };
}

function xattrsOf({ xattrs = [] }: Entry, trees: TreeReader): Promise<Xattr[]> {
  return Promise.all(xattrs.map(async ({ name, value, chunks = [] }) => ({
    name,
    value: value === undefined ? concat(await Promise.all(chunks.map((id) => trees.get(id)))) : fromBase64(value),
  })));
}
