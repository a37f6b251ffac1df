/**
 * A folder as documents in canonical JSON, each at most `LIMITS.treeNodeBytesMax`:
 *
 * ```text
 * leaf    {"entries":[Entry, …],"version":1}                        sorted by the bytes of the names, no name twice
 * index   {"children":[{"first":name,"id":id}, …],"version":1}      `first` is the first name below the child
 * ```
 *
 * A leaf of 16 KiB or more ends after a name whose HMAC under the tree key is 0 modulo 512, and every leaf before it would
 * grow too large; so one change rewrites one leaf and the index nodes above it.
 */
import { decodeJson, encodeJson, type Json } from "../base/canonical_json.ts";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { compareNames, encodeName } from "../base/names.ts";
import { type Entry, entryFault, isChunkId, isEntryName } from "./entry.ts";

export interface TreeChild {
  first: string;
  id: string;
}

export type TreeNode = { entries: Entry[] } | { children: TreeChild[] };

export const LEAF_SPLIT = 512;

const LEAF_HEAD = '{"entries":[';
const LEAF_TAIL = '],"version":1}';

/** Joins entries that are canonical JSON already. */
export function encodeLeaf(entryTexts: readonly string[]): Bytes {
  return utf8(LEAF_HEAD + entryTexts.join(",") + LEAF_TAIL);
}

export const LEAF_FRAME_BYTES = LEAF_HEAD.length + LEAF_TAIL.length;

export function encodeIndexNode(children: readonly TreeChild[]): Bytes {
  return encodeJson({ children: children.map(({ first, id }) => ({ first, id })), version: 1 });
}

/** Parses and checks one node; `where` names it in messages. Throws `data_damaged`. */
export function decodeTreeNode(data: Uint8Array, where: string): TreeNode {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot read the tree ${where}: ${why}`);
  if (data.length > LIMITS.treeNodeBytesMax) throw refuse(`${data.length} bytes are more than a node can have`);
  let document: { entries?: Entry[]; children?: TreeChild[]; version?: Json };
  try {
    document = decodeJson(data) as typeof document;
  } catch (cause) {
    throw new AxiomError("data_damaged", `Cannot read the tree ${where}: it is not JSON`, { cause });
  }
  if (document?.version !== 1) throw refuse(`version ${JSON.stringify(document?.version)} is unknown`);
  if (Array.isArray(document.entries)) {
    checkEntries(document.entries, refuse);
    return { entries: document.entries };
  }
  if (!Array.isArray(document.children) || document.children.length === 0) {
    throw refuse("it has neither entries nor children");
  }
  checkChildren(document.children, refuse);
  return { children: document.children };
}

function checkEntries(entries: Entry[], refuse: (why: string) => AxiomError): void {
  for (let i = 0; i < entries.length; i++) {
    const fault = entryFault(entries[i]);
    if (fault !== undefined) throw refuse(fault);
    checkNameBytes(entries[i].name, refuse);
    if (i > 0 && compareNames(entries[i - 1].name, entries[i].name) >= 0) {
      throw refuse(`the name ${JSON.stringify(entries[i].name)} is out of order or stands twice`);
    }
  }
}

function checkChildren(children: TreeChild[], refuse: (why: string) => AxiomError): void {
  for (let i = 0; i < children.length; i++) {
    const { first, id } = children[i] ?? {};
    if (!isEntryName(first) || !isChunkId(id)) throw refuse(`child ${i} is malformed`);
    checkNameBytes(first, refuse);
    if (i > 0 && compareNames(children[i - 1].first, first) >= 0) throw refuse(`child ${i} is out of order`);
  }
}

// deno-lint-ignore no-control-regex
const ASCII = /^[\u0001-\u007f]*$/;

function checkNameBytes(name: string, refuse: (why: string) => AxiomError): void {
  if (ASCII.test(name) && name.length <= LIMITS.nameBytesMax) return;
  let bytes: Bytes;
  try {
    bytes = encodeName(name);
  } catch {
    throw refuse(`the name ${JSON.stringify(name)} stands for no bytes`);
  }
  if (bytes.length > LIMITS.nameBytesMax) throw refuse(`a name has ${bytes.length} bytes`);
}
