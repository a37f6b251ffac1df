import { createHash } from "node:crypto";
import { fromBase64, fromHex, toBase64 } from "../../src/base/bytes.ts";
import { sortNames } from "../../src/base/names.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import type { Entry } from "../../src/model/entry.ts";
import type { FileStat, FileSystem } from "../../src/platform/file_system.ts";
import type { ChunkReader } from "../../src/repository/chunk_reader.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { TreeReader } from "../../src/repository/tree_reader.ts";

/** What must be equal after a restore, one line per entry, by path below the folder; the folder itself is `.`. */
export type Picture = Map<string, string>;

type Identity = Pick<FileStat, "type" | "mode" | "uid" | "gid" | "mtimeNs">;

function line(stat: Identity, parts: Record<string, unknown>): string {
  const { type, mode, uid, gid, mtimeNs } = stat;
  return JSON.stringify({ type, mode: mode.toString(8), uid, gid, mtimeNs, ...parts });
}

/** Which names of a picture are one file. */
class LinkGroups {
  readonly #names = new Map<string, string[]>();

  add(
    { type, links }: { type: string; links?: number },
    device: string | undefined,
    inode: string,
    path: string,
  ): void {
    if (type === "dir" || links === undefined || links < 2) return;
    const key = `${device}:${inode}`;
    const names = this.#names.get(key);
    if (names === undefined) this.#names.set(key, [path]);
    else names.push(path);
  }

  /** Puts into each line of a file with several names here the first of them. */
  writeInto(picture: Picture): void {
    for (const names of this.#names.values()) {
      if (names.length < 2) continue;
      for (const name of names) picture.set(name, `${picture.get(name)} = ${names[0]}`);
    }
  }
}

/** Of a folder on disk; every byte is read. */
export function pictureOfFolder(files: FileSystem, folder: string): Picture {
  const picture: Picture = new Map();
  const groups = new LinkGroups();
  const visit = (path: string, relative: string) => {
    const stat = files.lstat(path);
    const parts: Record<string, unknown> = {
      xattrs: files.xattrs(path).map(({ name, value }) => [name, toBase64(value)]),
    };
    groups.add(stat, stat.device, stat.inode, relative);
    if (stat.type === "file") Object.assign(parts, { size: stat.sizeBytes, hash: hashOfFile(files, path) });
    if (stat.type === "symlink") parts.target = files.readLink(path);
    if (stat.type === "chardev" || stat.type === "blockdev") parts.device = [stat.deviceMajor, stat.deviceMinor];
    picture.set(relative, line(stat, parts));
    if (stat.type !== "dir") return;
    for (const name of sortNames(files.readNames(path))) {
      visit(`${path}/${name}`, relative === "." ? name : `${relative}/${name}`);
    }
  };
  visit(folder, ".");
  groups.writeInto(picture);
  return picture;
}

const buffer = new Uint8Array(256 * 1024);

function hashOfFile(files: FileSystem, path: string): string {
  const hash = createHash("sha256");
  const file = files.openForReading(path);
  try {
    for (let at = 0;;) {
      const length = file.read(buffer, at);
      hash.update(buffer.subarray(0, length));
      at += length;
      if (length < buffer.length) return hash.digest("hex");
    }
  } finally {
    file.close();
  }
}

/** Of what a snapshot has at `folder`, read chunk by chunk; throws if anything of it is missing or damaged. */
export async function pictureOfSnapshot(
  repository: Repository,
  stored: StoredSnapshot,
  folder: string,
): Promise<Picture> {
  const chunks = repository.chunks(await repository.loadIndex());
  const trees = new TreeReader(chunks.document);
  let entry: Entry | undefined;
  let id = stored.snapshot.root;
  for (const name of folder.split("/").filter((part) => part !== "")) {
    entry = await trees.find(id, name);
    if (entry === undefined) throw new Error(`The snapshot has no ${name} of ${folder}`);
    id = entry.subtree ?? "";
  }
  const picture: Picture = new Map();
  await new SnapshotWalk(chunks, trees, picture).walk(entry!);
  return picture;
}

class SnapshotWalk {
  readonly #groups = new LinkGroups();

  constructor(readonly chunks: ChunkReader, readonly trees: TreeReader, readonly picture: Picture) {}

  async walk(root: Entry): Promise<void> {
    await this.#visit(root, ".");
    this.#groups.writeInto(this.picture);
  }

  async #visit(entry: Entry, path: string): Promise<void> {
    const parts: Record<string, unknown> = { xattrs: await this.#xattrs(entry) };
    this.#groups.add(entry, entry.device, entry.inode, path);
    if (entry.type === "file") Object.assign(parts, { size: Number(entry.size), hash: await this.#hash(entry) });
    if (entry.type === "symlink") parts.target = entry.target;
    if (entry.rdev !== undefined) parts.device = entry.rdev;
    this.picture.set(path, line({ ...entry, mtimeNs: entry.mtime }, parts));
    if (entry.type !== "dir") return;
    for await (const child of this.trees.entries(entry.subtree!)) {
      await this.#visit(child, path === "." ? child.name : `${path}/${child.name}`);
    }
  }

  async #hash(entry: Entry): Promise<string> {
    const hash = createHash("sha256");
    const kind = entry.content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    let bytes = 0;
    for await (const elements of this.trees.content(entry.content)) {
      for (const element of elements) {
        const chunk = typeof element === "string"
          ? await this.chunks.read(fromHex(element), kind)
          : new Uint8Array(Number(element.hole));
        hash.update(chunk);
        bytes += chunk.length;
      }
    }
    if (bytes !== Number(entry.size)) throw new Error(`${entry.name} has ${bytes} bytes, not ${entry.size}`);
    return hash.digest("hex");
  }

  async #xattrs(entry: Entry): Promise<[string, string][]> {
    const pairs: [string, string][] = [];
    for (const { name, value, chunks } of entry.xattrs ?? []) {
      if (value !== undefined) pairs.push([name, toBase64(fromBase64(value))]);
      else {
        const hex = await Promise.all(chunks!.map((id) => this.trees.get(id)));
        pairs.push([name, toBase64(Uint8Array.from(hex.flatMap((part) => [...part])))]);
      }
    }
    return pairs;
  }
}
