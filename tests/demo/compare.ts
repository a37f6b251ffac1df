import { toHex } from "../../src/base/bytes.ts";
import { sortNames } from "../../src/base/names.ts";
import { type FileStat, type FileSystem, SystemError } from "../../src/platform/file_system.ts";

export interface Comparison {
  files: number;
  folders: number;
  others: number;
  bytes: number;
  xattrs: number;
  hardLinkGroups: number;
  differences: string[];
}

const BUFFER_BYTES = 1024 * 1024;

/** Compares two folders entry by entry: names, kinds, bytes, modes, owners, times in ns, links, targets, attributes. */
export function compareFolders(files: FileSystem, left: string, right: string): Comparison {
  return new FolderComparison(files).run(left, right);
}

class FolderComparison {
  readonly #result: Comparison = {
    files: 0,
    folders: 0,
    others: 0,
    bytes: 0,
    xattrs: 0,
    hardLinkGroups: 0,
    differences: [],
  };
  readonly #leftLinks = new Map<string, string[]>();
  readonly #rightLinks = new Map<string, string[]>();
  readonly #a = new Uint8Array(BUFFER_BYTES);
  readonly #b = new Uint8Array(BUFFER_BYTES);

  constructor(readonly files: FileSystem) {}

  run(left: string, right: string): Comparison {
    this.#compare(left, right, ".");
    const groups = (links: Map<string, string[]>) =>
      [...links.values()].filter((names) => names.length > 1).map((names) => names.sort().join("\0")).sort();
    const [wanted, found] = [groups(this.#leftLinks), groups(this.#rightLinks)];
    this.#result.hardLinkGroups = wanted.length;
    if (JSON.stringify(wanted) !== JSON.stringify(found)) this.#differ(".", "hard links", wanted.length, found.length);
    return this.#result;
  }

  #differ(path: string, what: string, wanted: unknown, found: unknown): void {
    this.#result.differences.push(`${path}: ${what} ${String(wanted)} became ${String(found)}`);
  }

  #compare(left: string, right: string, path: string): void {
    const a = this.files.lstat(left);
    let b: FileStat;
    try {
      b = this.files.lstat(right);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.#differ(path, "it", "exists", error.code);
    }
    for (const key of ["type", "mode", "uid", "gid", "mtimeNs"] as const) {
      if (a[key] !== b[key]) this.#differ(path, key, a[key], b[key]);
    }
    if (a.type !== b.type) return;
    this.#compareXattrs(left, right, path);
    if (a.type === "dir") return this.#compareNames(left, right, path);
    if (a.links > 1 || b.links > 1) {
      remember(this.#leftLinks, a, path);
      remember(this.#rightLinks, b, path);
    }
    if (a.type === "file") return this.#compareBytes(left, right, a, b, path);
    this.#result.others++;
    if (a.type === "symlink" && this.files.readLink(left) !== this.files.readLink(right)) {
      this.#differ(path, "target", this.files.readLink(left), this.files.readLink(right));
    }
  }

  #compareNames(left: string, right: string, path: string): void {
    this.#result.folders++;
    const names = sortNames(this.files.readNames(left));
    const found = new Set(this.files.readNames(right));
    for (const name of names) {
      found.delete(name);
      this.#compare(`${left}/${name}`, `${right}/${name}`, `${path}/${name}`);
    }
    for (const name of found) this.#differ(`${path}/${name}`, "it", "is not there", "is there");
  }

  #compareXattrs(left: string, right: string, path: string): void {
    const text = (file: string) => this.files.xattrs(file).map(({ name, value }) => `${name}=${toHex(value)}`);
    const [wanted, found] = [text(left), text(right)];
    this.#result.xattrs += wanted.length;
    if (wanted.join() !== found.join()) this.#differ(path, "extended attributes", wanted, found);
  }

  #compareBytes(left: string, right: string, a: FileStat, b: FileStat, path: string): void {
    this.#result.files++;
    this.#result.bytes += a.sizeBytes;
    if (a.sizeBytes !== b.sizeBytes) return this.#differ(path, "size", a.sizeBytes, b.sizeBytes);
    const first = this.files.openForReading(left);
    const second = this.files.openForReading(right);
    try {
      for (let offset = 0; offset < a.sizeBytes; offset += BUFFER_BYTES) {
        const length = first.read(this.#a, offset);
        if (second.read(this.#b, offset) !== length || !isEqual(this.#a, this.#b, length)) {
          return this.#differ(path, `bytes from ${offset}`, "these", "others");
        }
      }
    } finally {
      first.close();
      second.close();
    }
  }
}

function remember(links: Map<string, string[]>, stat: FileStat, path: string): void {
  const key = `${stat.device}:${stat.inode}`;
  links.set(key, [...links.get(key) ?? [], path]);
}

function isEqual(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}
