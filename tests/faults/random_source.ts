import { type Metadata, SystemError, type TargetTree, type Xattr } from "../../src/platform/file_system.ts";
import { noise } from "./source_folder.ts";

/** PEP 383: names of bytes that are no UTF-8, and others that programs stumble over. */
const NAMES = [
  "plain",
  "with space",
  "ü",
  "u\u0308",
  "日本語",
  "\udcff\udcfe",
  "caf\udce9",
  "-dash",
  ".hidden",
  "a\nb",
  "tab\t",
  "quote\"'",
  "back\\slash",
  "*?[x]",
  "~",
  "$HOME",
  "🦀",
  "n".repeat(255),
  "con",
  "trailing.",
  "\u200b",
];

const SIZES = [0, 1, 17, 4095, 4096, 5000, 70_000, 300_000];

type Kind = "file" | "dir" | "symlink" | "fifo" | "socket" | "chardev" | "sparse" | "link";

interface Made {
  path: string;
  kind: Kind;
}

/** A folder with all kinds of entries, made and edited at random, the same for the same numbers. */
export class RandomSource {
  #made: Made[] = [];
  #counter = 0;

  constructor(
    readonly target: TargetTree,
    readonly fraction: () => number,
    /** Whether device nodes, sockets and other owners may be made. */
    readonly privileged: boolean,
  ) {}

  #below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)];
  }

  /** Paths of one kind, or of any. */
  #paths(kind?: Kind): string[] {
    return this.#made.filter((made) => kind === undefined || made.kind === kind).map(({ path }) => path);
  }

  #newPath(): string {
    const folder = this.fraction() < 0.3 ? "" : this.#one(["", ...this.#paths("dir")]);
    const name = this.fraction() < 0.5 ? this.#one(NAMES) : `entry ${this.#counter++}`;
    return folder === "" ? name : `${folder}/${name}`;
  }

  fill(entries: number): void {
    for (let i = 0; i < entries; i++) this.#attempt(() => this.#make());
  }

  edit(edits: number): void {
    for (let i = 0; i < edits; i++) this.#attempt(() => this.#change());
  }

  /** What the file system does not allow is left out, such as a name that is there. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  #make(path = this.#newPath()): void {
    const { target } = this;
    const kinds: Kind[] = ["file", "file", "file", "dir", "dir", "symlink", "sparse", "link", "fifo"];
    const kind: Kind = this.#one<Kind>(this.privileged ? [...kinds, "socket", "chardev"] : kinds);
    switch (kind) {
      case "file":
        this.#write(path, this.#one(SIZES));
        break;
      case "sparse":
        this.#writeSparse(path);
        break;
      case "dir":
        target.makeFolder(path);
        break;
      case "symlink":
        target.makeSymlink(path, this.#one(["a", "../up", "/etc/passwd", "\udcff", "x".repeat(300), ...this.#paths()]));
        break;
      case "link":
        target.makeLink(path, this.#one(this.#paths("file")) ?? "none");
        break;
      default:
        target.makeNode(path, kind, kind === "chardev" ? 1 : 0, kind === "chardev" ? 3 : 0);
    }
    this.#made.push({ path, kind: kind === "link" ? "file" : kind });
    this.#setMetadata(path);
  }

  #write(path: string, size: number): void {
    const file = this.target.createFile(path);
    try {
      file.write(noise(`${this.#below(40)}`, size), 0);
    } finally {
      file.close();
    }
  }

  #writeSparse(path: string): void {
    const file = this.target.createFile(path);
    try {
      file.truncate(this.#one([100_000, 1_000_000, 3_000_001]));
      for (let i = this.#below(4); i > 0; i--) file.write(noise(`${i}`, 5000), this.#below(90_000));
    } finally {
      file.close();
    }
  }

  #setMetadata(path: string): void {
    const metadata: Metadata = {
      mode: this.#mode(path),
      mtimeNs: this.#one([
        "0",
        "1",
        "-1500000001",
        "1700000000123456789",
        "4102444800000000007",
        `${this.#below(1e15)}`,
      ]),
      ...(this.privileged ? { uid: this.#one([0, 1000, 65534, 4_000_000_000]), gid: this.#one([0, 100, 5]) } : {}),
      ...(this.fraction() < 0.3 ? { xattrs: this.#xattrs(path) } : {}),
    };
    this.target.setMetadata(path, metadata);
  }

  /** Nobody but root reads what its mode forbids. */
  #mode(path: string): number {
    if (this.privileged) return this.#one([0o644, 0o600, 0o755, 0o4755, 0o2711, 0o1777, 0o000, 0o444]);
    const isFolder = this.target.lstat(path)?.type === "dir";
    return this.#one(isFolder ? [0o755, 0o700, 0o2711, 0o1777] : [0o644, 0o600, 0o755, 0o4755, 0o2711, 0o1777, 0o444]);
  }

  #xattrs(path: string): Xattr[] {
    const type = this.target.lstat(path)?.type;
    if (type !== "file" && type !== "dir") return [];
    const names = ["user.a", "user.b", "user.ü"].filter(() => this.fraction() < 0.6);
    return names.map((name) => ({ name, value: noise(name, this.#one([0, 1, 100, 800])) }));
  }

  #change(): void {
    const path = this.#one(this.#paths());
    if (path === undefined) return this.#make();
    const file = this.#one(this.#paths("file")) ?? path;
    const changes: (() => void)[] = [
      () => this.#make(),
      () => this.#make(),
      () => this.#setMetadata(path),
      () => this.#overwrite(file),
      () => this.#resize(file),
      () => this.#punch(this.#one(this.#paths("sparse")) ?? file),
      () => this.#rename(path),
      () => this.#remove(path),
      () => {
        this.#remove(path);
        this.#make(path);
      },
    ];
    this.#one(changes)();
  }

  #overwrite(path: string): void {
    const file = this.target.openFile(path);
    try {
      file.write(noise(`${this.#counter++}`, 1 + this.#below(3000)), this.#below(file.stat().sizeBytes + 1));
    } finally {
      file.close();
    }
  }

  #resize(path: string): void {
    const file = this.target.openFile(path);
    try {
      file.truncate(this.#one([...SIZES, 200_000]));
    } finally {
      file.close();
    }
  }

  #punch(path: string): void {
    const file = this.target.openFile(path);
    try {
      const { sizeBytes } = file.stat();
      const offset = this.#below(sizeBytes);
      file.punchHole(offset, Math.min(sizeBytes - offset, 80_000));
    } finally {
      file.close();
    }
  }

  #rename(path: string): void {
    const to = this.#newPath();
    if (to === path || to.startsWith(`${path}/`) || this.target.lstat(to) !== undefined) return;
    this.target.rename(path, to);
    for (const made of this.#made) {
      if (made.path === path) made.path = to;
      else if (made.path.startsWith(`${path}/`)) made.path = to + made.path.slice(path.length);
    }
  }

  #remove(path: string): void {
    if (this.target.lstat(path)?.type === "dir") {
      if (this.target.readNames(path).length > 0) return;
      this.target.removeFolder(path);
    } else this.target.remove(path);
    this.#made = this.#made.filter((made) => made.path !== path);
  }
}
