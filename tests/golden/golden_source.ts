/** What the golden repository was made of: a little of everything that a folder can hold, and what changed in it later. */
import type { Bytes } from "../../src/base/bytes.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { decodeName } from "../../src/base/names.ts";
import type { FileSystem, Metadata, TargetTree, Xattr } from "../../src/platform/file_system.ts";
import { seededRandom } from "../fixtures/fixed.ts";

const FIRST_TIME_NS = 1_600_000_000_123_456_789n;
const name = (...bytes: number[]) => decodeName(Uint8Array.from(bytes));

/** `caf` and é in Latin 1. */
const LATIN_1 = name(0x63, 0x61, 0x66, 0xe9);
/** A cut euro sign, a surrogate in UTF-8, and a byte that no UTF-8 has. */
const BROKEN = name(0xe2, 0x82, 0x2d, 0xed, 0xa0, 0x80, 0x2d, 0xff);

/** Extended attributes by name of the file; laid over the file system, because not every one holds large values. */
export const XATTRS: ReadonlyMap<string, readonly Xattr[]> = new Map([
  ["attributes", [
    { name: "user.empty", value: new Uint8Array(0) },
    { name: "user.large", value: seededRandom("a large attribute")(6000) },
    { name: "user.small", value: utf8("a value") },
  ]],
  ["folder", [{ name: "user.folder", value: Uint8Array.of(0, 255, 10) }]],
]);

export function withXattrs(files: FileSystem): FileSystem {
  return new Proxy(files, {
    get(target, property) {
      if (property === "xattrs") return (path: string) => [...XATTRS.get(path.slice(path.lastIndexOf("/") + 1)) ?? []];
      const member = Reflect.get(target, property);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** Numbered lines from `first` to `last`: they compress, and no two chunks of them are equal. */
function lines(what: string, first: number, last: number): Bytes {
  let text = "";
  for (let i = first; i <= last; i++) text += `${what} ${String(i).padStart(6, "0")} of ${last}\n`;
  return utf8(text);
}

class SourceMaker {
  #time = FIRST_TIME_NS;

  constructor(readonly tree: TargetTree) {}

  metadata(mode: number, mtimeNs = (this.#time += 1_000_000_001n).toString()): Metadata {
    return { mode, mtimeNs };
  }

  file(path: string, data: Bytes, mode = 0o644, mtimeNs?: string): void {
    if (this.tree.lstat(path) !== undefined) this.tree.remove(path);
    const file = this.tree.createFile(path);
    if (data.length > 0) file.write(data, 0);
    file.setMetadata(this.metadata(mode, mtimeNs));
    file.close();
  }

  sparse(path: string, sizeBytes: number, parts: [offset: number, data: Bytes][]): void {
    const file = this.tree.createFile(path);
    file.truncate(sizeBytes);
    for (const [offset, data] of parts) file.write(data, offset);
    file.setMetadata(this.metadata(0o600));
    file.close();
  }
}

/** @param leafNames Names of a folder that needs several documents */
export function writeGoldenSource(tree: TargetTree, leafNames: readonly string[]): void {
  const make = new SourceMaker(tree);
  for (const folder of ["contents", "folder", "folder/empty", "many", "names"]) tree.makeFolder(folder);
  make.file("contents/attributes", utf8("a file with extended attributes\n"));
  make.file("contents/cbc.txt", lines("sealed by CBC", 1, 300));
  make.file("contents/chunks.txt", lines("a file of many chunks", 1, 6000));
  make.file("contents/ctr.txt", lines("sealed by CTR", 1, 300));
  make.file("contents/database.db", lines("a page of a database", 1, 1200));
  make.file("contents/empty", new Uint8Array(0), 0o400);
  make.file("contents/linked", lines("a file of two names", 1, 40), 0o640);
  tree.makeLink("contents/linked again", "contents/linked");
  make.file("contents/noise", seededRandom("noise")(3000));
  make.file("contents/plain.txt", lines("stored unencrypted", 1, 300));
  make.file("contents/small", utf8("x"), 0o4755, "-86400000000001");
  make.sparse("contents/sparse", 1_000_000, [[300_000, utf8("in the middle")], [304_096, lines("later", 1, 200)]]);
  for (const leafName of leafNames) make.file(`many/${leafName}`, new Uint8Array(0));
  for (const odd of [LATIN_1, BROKEN, "a\nb", 'quote " and \\', "e\u0301", "\u00e9", "\u{1f600}", "\uffee", "\x7f"]) {
    make.file(`names/${odd}`, utf8(`named ${encodeURIComponent(odd.toWellFormed())}\n`));
  }
  tree.makeSymlink("names/link", "../contents/small");
  tree.makeSymlink("names/link to nothing", `${LATIN_1}/${BROKEN}`);
  tree.makeNode("names/fifo", "fifo", 0, 0);
  for (const path of ["names/link", "names/link to nothing", "names/fifo"]) {
    tree.setMetadata(path, make.metadata(0o644));
  }
  tree.setMetadata("folder/empty", make.metadata(0o2750));
  for (const folder of ["contents", "folder", "many", "names", ""]) tree.setMetadata(folder, make.metadata(0o755));
}

export function changeGoldenSource(tree: TargetTree, leafNames: readonly string[]): void {
  const make = new SourceMaker(tree);
  const longer = "2000000000000000000";
  make.file("contents/chunks.txt", lines("a file of many chunks", 1, 3000), 0o644, longer);
  make.file("contents/database.db", lines("a page of a database", 300, 1500), 0o644, longer);
  make.file("contents/new", utf8("new in the second snapshot\n"), 0o644, longer);
  tree.remove("contents/noise");
  make.file(`many/${leafNames.at(-1)}`, utf8("no longer empty"), 0o644, longer);
  for (const folder of ["contents", "many"]) tree.setMetadata(folder, make.metadata(0o755, longer));
}
