import { type Bytes, fromHex } from "../base/bytes.ts";
import { isKind, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { TreeNode } from "../model/tree.ts";
import type { CatalogueDatabase } from "./catalogue_database.ts";
import { CatalogueNameWriter } from "./catalogue_names.ts";
import { type EntryRow, type NodePlace, rowOfEntry, rowOfPart, sameRow } from "./catalogue_rows.ts";
import { DIR_CODE, NODE_ID_BYTES } from "./catalogue_schema.ts";
import type { StoredSnapshot } from "./snapshots.ts";
import type { TreeReader } from "./tree_reader.ts";

/** A row that belongs to a node, and since which version. */
interface BaseRow extends EntryRow {
  since: number;
}

interface Child {
  name: string;
  /** Id of the document below, in hexadecimal. */
  tree?: string;
  row(name: number, node: number | undefined): EntryRow;
}

const INSERT_ENTRY = "INSERT INTO entries VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)";
const BASE_ROWS = "SELECT name, since, type, mode, size, seconds, nanoseconds, content FROM entries " +
  "WHERE lineage = ? AND since <= ? AND (until IS NULL OR until > ?)";

/** Adds snapshots to a catalogue; reads only documents that it does not have. One use, one process at a time. */
export class CatalogueWriter {
  #names: CatalogueNameWriter | undefined;
  #generation = "";
  #rowsWritten = 0;

  constructor(
    readonly database: CatalogueDatabase,
    readonly trees: TreeReader,
    readonly signal?: AbortSignal,
  ) {}

  /** @param like A snapshot in the catalogue that has probably much in common */
  async add({ id, snapshot }: StoredSnapshot, like: string | undefined): Promise<void> {
    const root = await this.#index(snapshot.root, await this.#rootOf(like), 0);
    await this.#begin();
    this.database.run("INSERT OR REPLACE INTO snapshots VALUES (?, ?)", id, root);
    await this.#commit();
  }

  /** Tries again what could not be read before: a backup may have healed it. */
  async addDamaged(): Promise<void> {
    const sql = "SELECT id, lineage, ordinal, hex(damaged) AS tree FROM nodes WHERE damaged IS NOT NULL LIMIT ?";
    const damaged = await this.database.read(() => this.database.all(sql, LIMITS.catalogueRetriesMax));
    for (const { id, lineage, ordinal, tree } of damaged as unknown as (NodePlace & { id: number; tree: string })[]) {
      const document = await this.#read(tree.toLowerCase());
      if (document === undefined) continue;
      const children = childrenOf(document);
      const nodes = await this.#indexBelow(children, [], 0);
      const names = await this.#begin();
      this.#writeRows(children.map((child, i) => child.row(names.add(child.name), nodes[i])), { lineage, ordinal }, []);
      this.database.run("UPDATE nodes SET damaged = NULL WHERE id = ?", id);
      await this.#commit();
    }
  }

  async #rootOf(snapshotId: string | undefined): Promise<NodePlace | undefined> {
    if (snapshotId === undefined) return undefined;
    const sql = "SELECT lineage, ordinal FROM snapshots JOIN nodes ON nodes.id = root WHERE snapshots.id = ? " +
      "AND damaged IS NULL";
    return await this.database.read(() => this.database.get(sql, snapshotId)) as NodePlace | undefined;
  }

  /** Returns the node of a document, whose folders below are in the catalogue already. */
  async #index(tree: string, base: NodePlace | undefined, depth: number): Promise<number> {
    throwIfAborted(this.signal);
    const id = fromHex(tree);
    const key = id.subarray(0, NODE_ID_BYTES);
    const known = await this.database.read(() => this.database.get("SELECT id FROM nodes WHERE tree = ?", key));
    if (known !== undefined) return known.id as number;
    const document = depth < LIMITS.treeDepthMax ? await this.#read(tree) : undefined;
    await this.#begin();
    if (document === undefined) return await this.#writeNode(key, this.#newPlace(), id);
    const children = childrenOf(document);
    const baseRows = base === undefined ? [] : this.#rowsAt(base);
    const nodes = await this.#indexBelow(children, baseRows, depth + 1);
    const names = await this.#begin();
    const rows = children.map((child, i) => child.row(names.add(child.name), nodes[i]));
    const place = this.#placeAfter(base);
    this.#writeRows(rows, place, place.ordinal > 0 ? baseRows : []);
    return await this.#writeNode(key, place, null);
  }

  async #indexBelow(children: readonly Child[], baseRows: readonly BaseRow[], depth: number) {
    const byName = new Map(baseRows.map((row) => [row.name, row]));
    const nodes: (number | undefined)[] = [];
    for (const { name, tree } of children) {
      if (tree === undefined) nodes.push(undefined);
      else {
        const number = (await this.#begin()).find(name);
        const like = number === undefined ? undefined : this.#placeOf(byName.get(number));
        nodes.push(await this.#index(tree, like, depth));
      }
    }
    return nodes;
  }

  /** Undefined where it is damaged. */
  async #read(tree: string): Promise<TreeNode | undefined> {
    try {
      return await this.trees.node(tree);
    } catch (error) {
      if (!isKind(error, "data_damaged", "object_missing", "limit_exceeded", "repository_unsupported")) throw error;
      return undefined;
    }
  }

  #rowsAt({ lineage, ordinal }: NodePlace): BaseRow[] {
    return this.database.all(BASE_ROWS, lineage, ordinal, ordinal) as unknown as BaseRow[];
  }

  /** Of what lies below a row, if that can be a base for a later version. */
  #placeOf(row: EntryRow | undefined): NodePlace | undefined {
    if (row === undefined || row.type < DIR_CODE) return undefined;
    const sql = "SELECT lineage, ordinal FROM nodes WHERE id = ? AND damaged IS NULL";
    return this.database.get(sql, row.content) as NodePlace | undefined;
  }

  /** A version goes on the lineage of `base` if that is its last; else it begins one. */
  #placeAfter(base: NodePlace | undefined): NodePlace {
    if (base === undefined) return this.#newPlace();
    const row = this.database.get("SELECT max(ordinal) AS last FROM nodes WHERE lineage = ?", base.lineage);
    return row?.last === base.ordinal ? { lineage: base.lineage, ordinal: base.ordinal + 1 } : this.#newPlace();
  }

  #newPlace(): NodePlace {
    const { last } = this.database.get("SELECT max(lineage) AS last FROM nodes")!;
    return { lineage: ((last as number | null) ?? 0) + 1, ordinal: 0 };
  }

  async #writeNode(key: Bytes, { lineage, ordinal }: NodePlace, damaged: Bytes | null): Promise<number> {
    const sql = "INSERT INTO nodes (tree, lineage, ordinal, damaged) VALUES (?, ?, ?, ?)";
    const node = this.database.run(sql, key, lineage, ordinal, damaged);
    if (++this.#rowsWritten >= LIMITS.catalogueBatchRows) await this.#commit();
    return node;
  }

  #writeRows(rows: readonly EntryRow[], { lineage, ordinal }: NodePlace, baseRows: readonly BaseRow[]): void {
    const gone = new Map(baseRows.map((row) => [row.name, row]));
    for (const row of rows) {
      const before = gone.get(row.name);
      if (before !== undefined && sameRow(before, row)) {
        gone.delete(row.name);
        continue;
      }
      const { name, type, mode, size, seconds, nanoseconds, content } = row;
      this.database.run(INSERT_ENTRY, lineage, name, ordinal, type, mode, size, seconds, nanoseconds, content);
      this.#rowsWritten++;
    }
    const close = "UPDATE entries SET until = ? WHERE lineage = ? AND name = ? AND since = ?";
    for (const { name, since } of gone.values()) this.database.run(close, ordinal, lineage, name, since);
    this.#rowsWritten += gone.size;
  }

  /** What is known of names is read again if another process wrote meanwhile. */
  async #begin(): Promise<CatalogueNameWriter> {
    if (this.database.isWriting) return this.#names!;
    await this.database.begin();
    if (this.#names === undefined || this.#readGeneration() !== this.#generation) {
      this.#names = new CatalogueNameWriter(this.database);
    }
    return this.#names;
  }

  async #commit(): Promise<void> {
    this.#names!.flush();
    this.#generation = String(Number(this.#readGeneration()) + 1);
    this.database.run("UPDATE meta SET value = ? WHERE key = 'generation'", this.#generation);
    await this.database.commit();
    this.#rowsWritten = 0;
  }

  #readGeneration(): string {
    return String(this.database.get("SELECT value FROM meta WHERE key = 'generation'")?.value);
  }
}

function childrenOf(document: TreeNode): Child[] {
  if ("children" in document) {
    return document.children.map((part) => ({
      name: part.first,
      tree: part.id,
      row: (name, node) => rowOfPart(part, name, node!),
    }));
  }
  return document.entries.map((entry) => ({
    name: entry.name,
    tree: entry.subtree,
    row: (name, node) => rowOfEntry(entry, name, node),
  }));
}
