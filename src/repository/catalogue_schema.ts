/**
 * Tables of the catalogue, which is made again whenever this file's version is another.
 *
 * A tree document is a node. Nodes that are versions of one folder form a lineage, in the order in which they were
 * indexed; an entry belongs to the nodes from `since` up to, not including, `until`. So a folder of which one entry
 * changed adds two rows, whatever its size, and an unchanged subtree adds nothing.
 *
 * ```text
 * name_blocks   names in groups of 512, their bytes each followed by NUL; a name's number is 512 × block + place
 * name_search   trigrams of U+0002 name U+0003, by the name's number
 * nodes         first 16 bytes of a document's id → lineage and place in it; the whole id where it could not be read
 * entries       type is a place in ENTRY_CODES; content is the number of a folder's or part's node, else a fingerprint
 * snapshots     id → node of the root
 * ```
 *
 * A large folder is an index node whose entries are of type `part`, named by the first name below each.
 */
import type { EntryType } from "../model/entry.ts";

export const CATALOGUE_VERSION = 1;

/** Those from `dir` on have a node below them. */
export const ENTRY_CODES: readonly (EntryType | "part")[] = [
  "file",
  "symlink",
  "fifo",
  "socket",
  "chardev",
  "blockdev",
  "dir",
  "part",
];
export const DIR_CODE = 6;
export const PART_CODE = 7;

/** Bytes of a document's id that are kept; as in the index, 2^-128 n² is no risk. */
export const NODE_ID_BYTES = 16;

export const CATALOGUE_SCHEMA = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE name_blocks (block INTEGER PRIMARY KEY, names BLOB NOT NULL);
CREATE VIRTUAL TABLE name_search USING fts5(name, content = '', detail = none, columnsize = 0, tokenize = 'trigram');
CREATE TABLE nodes (
  id INTEGER PRIMARY KEY,
  tree BLOB NOT NULL UNIQUE,
  lineage INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  damaged BLOB
);
CREATE INDEX nodes_of_lineage ON nodes (lineage, ordinal);
CREATE INDEX damaged_nodes ON nodes (id) WHERE damaged IS NOT NULL;
CREATE TABLE entries (
  lineage INTEGER NOT NULL,
  name INTEGER NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  type INTEGER NOT NULL,
  mode INTEGER,
  size INTEGER,
  seconds INTEGER,
  nanoseconds INTEGER,
  content INTEGER,
  PRIMARY KEY (lineage, name, since)
) WITHOUT ROWID;
CREATE INDEX entries_by_name ON entries (name) WHERE type < ${PART_CODE};
CREATE INDEX entries_by_node ON entries (content) WHERE type >= ${DIR_CODE};
CREATE TABLE snapshots (id TEXT PRIMARY KEY, root INTEGER NOT NULL) WITHOUT ROWID;
`;
