/** Vectors of docs/format.md, sections 1 and 9: names, tree nodes, and how folders and contents are split. */
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../../src/base/canonical_json.ts";
import { type Bytes, fromHex, fromUtf8, toHex } from "../../src/base/bytes.ts";
import { decodeName, sortNames } from "../../src/base/names.ts";
import type { ContentElement, Entry } from "../../src/model/entry.ts";
import { encodeIndexNode, encodeLeaf } from "../../src/model/tree.ts";
import type { RepositoryKeys } from "../../src/repository/keys.ts";
import { leafEnds, TreeWriter, writeContentNodes } from "../../src/repository/tree_writer.ts";
import { chunkIdentifier } from "../../src/stages/identify.ts";
import { vectorKeys } from "./vector_keys.ts";

const NAMES = [
  "",
  "61",
  "c3a9",
  "65cc81",
  "f09f9880",
  "efbfae",
  "e9",
  "80",
  "c080",
  "e28061",
  "e282",
  "eda080",
  "edb080edbfbf",
  "f4908080",
  "f09f9880ff",
  "66fc7220e282ac20e28220eda080",
];

/** Entry `i` of the folder whose documents are counted: long enough that leaves also end because they are full. */
function plainEntry(i: number): Entry {
  const name = i % 100 === 99
    ? decodeName(Uint8Array.of(0xff, 0x80 | (i >> 7), 0x80 | (i & 0x7f)))
    : `entry ${String(i).padStart(6, "0")}`;
  return {
    name,
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: "0",
    mtime: "0",
    ctime: "0",
    inode: String(i),
    user: "u".repeat(500),
  };
}

const FOLDER_ENTRIES = 5000;
const CONTENT_ELEMENTS = 90_000;
const HOW_ENTRIES =
  `entries 0 to ${FOLDER_ENTRIES - 1}, sorted by name; entry i is an empty file of mode 420 with owner ids 0, ` +
  'times "0", the inode i and the user name "u" 500 times; its name is "entry " and six digits of i, but for i modulo 100 = 99 ' +
  "the bytes 255, 128 + floor(i / 128), 128 + i modulo 128";
const HOW_ELEMENTS =
  `elements 0 to ${CONTENT_ELEMENTS - 1}; element i is the SHA-256 of "element i", but for i modulo 1000 = 500 ` +
  "a hole of i";

async function splitting(keys: RepositoryKeys) {
  const identify = chunkIdentifier(keys.chunkIdKey("tree"));
  const documents: [id: string, length: number][] = [];
  const put = (data: Bytes) => {
    const id = toHex(identify(data));
    documents.push([id, data.length]);
    return Promise.resolve(id);
  };
  const entries = new Map(Array.from({ length: FOLDER_ENTRIES }, (_, i) => [plainEntry(i).name, plainEntry(i)]));
  const writer = new TreeWriter(put, keys.treeSplitKey());
  for (const name of sortNames([...entries.keys()])) await writer.add(entries.get(name)!);
  const folder = { how: HOW_ENTRIES, root: await writer.finish(), documents: documents.splice(0) };
  const elements = Array.from(
    { length: CONTENT_ELEMENTS },
    (_, i): ContentElement =>
      i % 1000 === 500 ? { hole: String(i) } : createHash("sha256").update(`element ${i}`).digest("hex"),
  );
  const content = await writeContentNodes(elements, put);
  return { folder, content: { how: HOW_ELEMENTS, result: content, documents: documents.length } };
}

function names(keys: RepositoryKeys) {
  const ends = leafEnds(keys.treeSplitKey());
  const texts = NAMES.slice(1).map((bytes) => decodeName(fromHex(bytes)));
  return {
    names: NAMES.map((bytes) => ({ bytes, json: JSON.stringify(decodeName(fromHex(bytes))) })),
    names_sorted: sortNames(texts).map((name) => JSON.stringify(name)),
    names_that_end_leaves: Array.from({ length: 2000 }, (_, i) => `name ${i}`).filter(ends),
  };
}

const CHUNK_ID = "ab".repeat(32);
const COMMON = {
  mode: 0o755,
  uid: 0,
  gid: 4294967295,
  mtime: "-1",
  ctime: "1750000000123456789",
  inode: "18446744073709551615",
};

/** Sorted by name; together they have every member. */
const ENTRIES: Entry[] = [
  { ...COMMON, name: "blockdev", type: "blockdev", rdev: [8, 1], inode: "0" },
  { ...COMMON, name: "chardev", type: "chardev", rdev: [4294967295, 0] },
  {
    ...COMMON,
    name: "dir",
    type: "dir",
    subtree: CHUNK_ID,
    xattrs: [{ name: "user.a", value: "AP8=" }, { name: "user.b", chunks: [CHUNK_ID] }],
  },
  { ...COMMON, name: "fifo", type: "fifo", user: "n\u00e4me", group: "group" },
  {
    ...COMMON,
    name: "file",
    type: "file",
    size: "10",
    links: 2,
    device: "2049",
    content: { elements: [CHUNK_ID, { hole: "4" }] },
    changed: true,
  },
  {
    ...COMMON,
    name: "file of nodes",
    type: "file",
    size: "9007199254740991",
    content: { kind: "plain", nodes: [CHUNK_ID], depth: 2 },
    chunker: { algorithm: "fixed-1", block_bytes: 16384 },
  },
  {
    ...COMMON,
    name: "file that is empty",
    type: "file",
    size: "0",
    chunker: { algorithm: "fastcdc-1" },
    of_a_later_version: { x: [1] },
  },
  { ...COMMON, name: "socket", type: "socket" },
  { ...COMMON, name: "symlink\udcff", type: "symlink", target: "../\udc80/\u{1f600}" },
];

export async function treeVectors() {
  const { keys } = vectorKeys();
  return {
    ...names(keys),
    ...await splitting(keys),
    leaf: fromUtf8(encodeLeaf(ENTRIES.map((entry) => canonicalJson(entry as unknown as Json)))),
    index_node: fromUtf8(encodeIndexNode([{ first: "a", id: CHUNK_ID }, { first: "\udcff", id: CHUNK_ID }])),
  };
}
