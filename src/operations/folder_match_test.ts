import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { compareNames, encodeName } from "../base/names.ts";
import { type Entry, entryFault } from "../model/entry.ts";
import { entryText } from "../model/entry_text.ts";
import { encodeLeaf } from "../model/tree.ts";
import type { FileStat, FileType } from "../platform/file_system.ts";
import { HASH_START, hashByte, PACKED, type PackedFolder } from "../platform/packed_folder.ts";
import { deviceMajor, deviceMinor, deviceNumber, TYPES } from "../platform/stat_buffer.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { ChangeDetector } from "./change_detection.ts";
import { FolderMatcher, isLeaf, type MatchedFolder } from "./folder_match.ts";
import { isPartName } from "./restore_parts.ts";
import { ReusableContent } from "./reusable_content.ts";

const KNOWN = "ab".repeat(32), UNKNOWN = "cd".repeat(32), SUBTREE = "ef".repeat(32);
const SCAN_NS = "1700000000000000000";
const detector = new ChangeDetector(SCAN_NS, new Set(["2049"]));

const STAT: FileStat = {
  type: "file",
  mode: 0o644,
  uid: 1000,
  gid: 100,
  sizeBytes: 5,
  mtimeNs: "1600000000123456789",
  ctimeNs: "1600000000123456790",
  inode: "77",
  device: "64769",
  links: 1,
  allocatedBytes: 4096,
  deviceMajor: 0,
  deviceMinor: 0,
};

function entryOf(name: string, stat: FileStat): Entry {
  const { type, mode, uid, gid, mtimeNs: mtime, ctimeNs: ctime, inode } = stat;
  const entry: Entry = { name, type, mode, uid, gid, mtime, ctime, inode, user: "ann", group: "staff" };
  if (type === "file") Object.assign(entry, { size: String(stat.sizeBytes), content: { elements: [KNOWN] } });
  if (type === "dir") entry.subtree = SUBTREE;
  if (type === "symlink") entry.target = 'to "there"\\';
  if (type !== "dir" && stat.links > 1) Object.assign(entry, { links: stat.links, device: stat.device });
  return entry;
}

function packed(found: readonly [name: string, stat: FileStat][]): PackedFolder {
  const entries = new Uint32Array(PACKED.words * found.length);
  const names: number[] = [];
  const wide = (at: number, value: bigint) => entries.set([Number(value & 0xffffffffn), Number(value >> 32n)], at);
  const time = (at: number, ns: bigint) => {
    const nanoseconds = ((ns % 10n ** 9n) + 10n ** 9n) % 10n ** 9n;
    wide(at, BigInt.asUintN(64, (ns - nanoseconds) / 10n ** 9n));
    entries[at + 2] = Number(nanoseconds);
  };
  found.forEach(([name, stat], number) => {
    const at = PACKED.words * number, device = Number(stat.device);
    const numbers = [deviceMajor(device), deviceMinor(device)];
    entries.set([stat.links, stat.uid, stat.gid, (TYPES.indexOf(stat.type) << 12) | stat.mode], at + PACKED.links);
    wide(at + PACKED.inode, BigInt(stat.inode));
    wide(at + PACKED.sizeBytes, BigInt(stat.sizeBytes));
    time(at + PACKED.ctimeSeconds, BigInt(stat.ctimeNs));
    time(at + PACKED.mtimeSeconds, BigInt(stat.mtimeNs));
    entries.set([...numbers, names.length], at + PACKED.deviceMajor);
    const bytes = encodeName(name);
    entries[at + PACKED.nameHash] = bytes.reduce(hashByte, HASH_START);
    names.push(...bytes, 0);
  });
  return { count: found.length, entries, names: Uint8Array.from(names) };
}

function match(
  leaves: readonly (readonly Entry[])[],
  folder: PackedFolder,
  wantsSame?: (name: string) => boolean,
): MatchedFolder | undefined {
  const matcher = new FolderMatcher(detector, (id) => id[0] === 0xab);
  matcher.begin(folder, wantsSame);
  for (const entries of leaves) if (!matcher.isSame(encodeLeaf(entries.map(entryText)))) return undefined;
  return matcher.end();
}

const wide = (bits: bigint) => fc.oneof(fc.bigInt(0n, 1n << bits), fc.bigInt(0n, (1n << bits) - 1n), fc.bigInt(0n, 9n));
const oddNs = fc.oneof(
  fc.bigInt(-(10n ** 19n), 10n ** 19n),
  fc.bigInt(BigInt(SCAN_NS) - 3_000_000_000n, BigInt(SCAN_NS) + 5n),
  fc.bigInt(BigInt(SCAN_NS) - 600_000_000_001n, BigInt(SCAN_NS) - 599_999_999_999n),
  fc.bigInt(0n, 2_000_000_000n),
).map(String);

const oddStat = fc.record({
  type: fc.constantFrom<FileType>("file", "dir", "symlink", "fifo", "socket", "chardev", "blockdev"),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.nat(0xffffffff),
  gid: fc.nat(0xffffffff),
  sizeBytes: fc.oneof(fc.maxSafeNat(), fc.nat(9)),
  mtimeNs: oddNs,
  ctimeNs: oddNs,
  inode: wide(64n).map((inode) => BigInt.asUintN(64, inode).toString()),
  device: fc.oneof(
    fc.constant("2049"),
    fc.tuple(fc.nat(0xffff), fc.nat(0xfffff)).map(([major, minor]) => deviceNumber(major, minor)),
  ),
  links: fc.constantFrom(1, 2, 0xffffffff),
  allocatedBytes: fc.constant(0),
  deviceMajor: fc.constant(0),
  deviceMinor: fc.constant(0),
});

/** What changed meanwhile. */
const someStat = fc.oneof(
  fc.constant({}),
  fc.tuple(oddStat, fc.constantFrom(...Object.keys(STAT) as (keyof FileStat)[]))
    .map(([stat, key]) => ({ [key]: stat[key] })),
);

const oddText = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constantFrom("\udc80", '"},{', "\u2028", "\\"));
const oddName = fc.oneof(oddText, fc.constant(".axiom-part-0123456789abcdef")).map((text) =>
  text.replace(/[\0/]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udc7f\udd00-\udfff]/g, "") || "n"
).filter((name) => name !== "." && name !== ".." && encodeName(name).length < 256);
const ids = fc.array(fc.constantFrom(KNOWN, KNOWN, KNOWN, UNKNOWN), { maxLength: 3 });

/** Members that an entry may have beside what its stat says, or in their place. */
const oddMembers = fc.record({
  changed: fc.boolean(),
  chunker: fc.constantFrom({ algorithm: "fixed-1", block_bytes: 4096 }, { algorithm: "fastcdc-1", later: { a: [] } }),
  content: fc.oneof(
    ids.map((elements) => ({ elements: [...elements, { hole: "18446744073709551615" }] })),
    ids.map((elements) => ({ kind: "plain", elements })),
    ids.map((elements) => ({ elements, later: "]}," })),
    ids.map((nodes) => ({ nodes, depth: 1 })),
  ),
  device: fc.constantFrom("2049", "0"),
  group: oddText,
  links: fc.constantFrom(0, 1, 2),
  rdev: fc.constantFrom([1, 2], [0xffffffff, 0]),
  size: fc.constantFrom("0", "9007199254740991"),
  user: oddText,
  xattrs: fc.array(fc.oneof(
    fc.record({ name: oddText, value: fc.constantFrom("", "AAAA", "AA==") }),
    fc.record({ name: oddText, chunks: ids }),
    fc.constant({ name: "a", value: "", later: [] }),
  )),
  zeta: fc.constantFrom<unknown>(null, 1, [], { a: ["},"] }, '"}'),
}, { requiredKeys: [] });

const TIMES_AND_INODE = /"(ctime|mtime|inode)":"[0-9]+"/g;

/** As a walk does it that makes an object of every entry; contents in documents of their own are left out. */
function isSameEntryByEntry(entry: Entry, name: string, stat: FileStat): boolean {
  const writer = { hasText: (id: string) => id === KNOWN } as unknown as RepositoryWriter;
  return entry.name === name && !(stat.type === "file" && isPartName(name)) && detector.isUnchanged(entry, stat) &&
    entry.content?.nodes === undefined && new ReusableContent(writer, {} as TreeReader).of(entry) === true;
}

Deno.test("whatever an entry holds, it matches only where the walk entry by entry would take it over", () => {
  const found = { matches: 0, same: 0 };
  fc.assert(
    fc.property(oddName, oddStat, someStat, oddMembers, fc.boolean(), (name, before, now, members, isTaken) => {
      const usual = entryOf(name, before), stat = { ...before, ...now };
      if (before.type === "chardev" || before.type === "blockdev") usual.rdev = [1, 2];
      const given = isTaken ? { ...usual, ...members } as Entry : usual;
      const text = entryText(given), entry = JSON.parse(text) as Entry;
      if (entryFault(entry) !== undefined) return;
      const isSame = isSameEntryByEntry(entry, name, stat);
      const isMatched = match([[given]], packed([[name, stat]])) !== undefined;
      if (isSame) found.same++;
      if (isMatched) found.matches++;
      equal(isMatched && !isSame, false, text);
      // Left to the careful walk, although it is the same: times before 1970, numbers of 16 digits, names with escapes.
      const isUsual = !/\\/.test(JSON.stringify(name)) && !/"(-|[0-9]{16,}")/.test(text.replace(TIMES_AND_INODE, ""));
      if (given === usual && isUsual && !name.startsWith(".axiom-part-")) equal(isMatched, isSame, text);
    }),
    { numRuns: 8000 },
  );
  equal(found.matches > 200 && found.same > found.matches, true, JSON.stringify(found));
});

const file = entryOf("name", STAT);
const cases: [what: string, entries: Entry[], isSame: boolean][] = [
  ["as it was", [file], true],
  ["no content", [{ ...file, content: undefined }], false],
  ["a hole", [{ ...file, content: { elements: [KNOWN, { hole: "17" }, KNOWN] } }], true],
  ["a chunker", [{ ...file, chunker: { algorithm: "fixed-1", block_bytes: 4096 } }], true],
  ["extended attributes", [{ ...file, xattrs: [{ name: "user.a]}", value: "AAAA" }, { name: "b", value: "" }] }], true],
  ["extended attributes in chunks", [{ ...file, xattrs: [{ name: "user.a", chunks: [KNOWN] }] }], false],
  ["a chunk that is not there", [{ ...file, content: { elements: [KNOWN, UNKNOWN] } }], false],
  ["content in nodes", [{ ...file, content: { nodes: [KNOWN], depth: 1 } }], false],
  ["content that is plain", [{ ...file, content: { kind: "plain", elements: [KNOWN] } }], false],
  ["marked as changed", [{ ...file, changed: true }], false],
  ["a member of a later version", [{ ...file, zeta: 1 }], false],
  ["another name", [{ ...file, name: "nam" }], false],
  ["a longer name", [{ ...file, name: "names" }], false],
  ["a name more", [file, { ...file, name: "other" }], false],
  ["a name twice", [file, file], false],
  ["no name", [], false],
];

for (const [what, entries, isSame] of cases) {
  Deno.test(`a file and an entry: ${what}`, () => {
    equal(match([entries], packed([["name", STAT]])) !== undefined, isSame);
  });
}

Deno.test("names of any kind are found, in as many leaves as there are", () => {
  const names = ["a", "é", "z.txt", "日本", "A", "a".repeat(255), "dir", "link"].sort(compareNames);
  const stats = names.map((name, i): [string, FileStat] => {
    const type = name === "dir" ? "dir" : name === "link" ? "symlink" : "file";
    return [name, { ...STAT, inode: String(i), sizeBytes: i, type }];
  });
  const entries = stats.map(([name, stat]) => entryOf(name, stat));
  const folder = packed([...stats].reverse());
  const bytes = stats.reduce((sum, [, stat]) => sum + (stat.type === "file" ? stat.sizeBytes : 0), 0);
  const whole = {
    files: 6,
    bytes,
    others: 1,
    folders: [{ name: "dir", number: names.toReversed().indexOf("dir"), subtree: SUBTREE }],
  };
  deepEqual(match([entries], folder), whole);
  deepEqual(match([entries.slice(0, 3), entries.slice(3)], folder), whole);
  equal(match([entries.slice(3), entries.slice(0, 3)], folder), undefined);
  equal(match([entries.slice(0, 3), entries.slice(2)], folder), undefined);
  equal(match([entries, []], packed([...stats, ["more", STAT]])), undefined);
  deepEqual(match([entries], folder, () => true), whole);
  equal(match([entries], folder, (name) => name !== "日本"), undefined);
  deepEqual(match([[]], packed([])), { files: 0, bytes: 0, others: 0, folders: [] });
});

Deno.test("names with escapes, or that are not UTF-8, and half files of a restore are left to others", () => {
  for (const name of ['a"b', "a\\b", "a\nb", "\udc80", ".axiom-part-0123456789abcdef"]) {
    equal(match([[entryOf(name, STAT)]], packed([[name, STAT]])), undefined, JSON.stringify(name));
  }
});

Deno.test("an empty file needs no content", () => {
  const empty = { ...STAT, sizeBytes: 0 };
  equal(match([[{ ...entryOf("name", empty), content: undefined }]], packed([["name", empty]]))?.files, 1);
});

Deno.test("a document that is cut short anywhere matches nothing", () => {
  const document = encodeLeaf([entryText(file)]);
  const matcher = new FolderMatcher(detector, () => true);
  for (let at = 0; at < document.length; at++) {
    matcher.begin(packed([["name", STAT]]), undefined);
    equal(matcher.isSame(document.slice(0, at)), false, String(at));
  }
  equal(isLeaf(document), true);
  equal(isLeaf(document.slice(0, 5)), false);
});
