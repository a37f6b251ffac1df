import { LIMITS } from "../base/limits.ts";
import { compareNames } from "../base/names.ts";
import type { CatalogueDatabase } from "./catalogue_database.ts";
import type { CatalogueNames } from "./catalogue_names.ts";
import { belongsTo, ENTRY_COLUMNS, entryOfRow, type NodePlace, type StoredRow } from "./catalogue_rows.ts";
import { DIR_CODE, PART_CODE } from "./catalogue_schema.ts";
import type { FolderId, FolderSource, FoundEntry } from "./folder_source.ts";

/** What a search found in one lineage, by name. */
interface FoundRow {
  since: number;
  until: number | null;
  name: string;
  /** Absent for a part of a large folder. */
  entry?: FoundEntry;
  /** Of a folder or part. */
  node: number;
}

const BY_NAME = `SELECT ${ENTRY_COLUMNS} FROM json_each(?) AS wanted JOIN entries ` +
  `ON entries.name = wanted.value AND entries.type < ${PART_CODE} LIMIT ?`;
const BY_NODE = `SELECT ${ENTRY_COLUMNS} FROM json_each(?) AS wanted JOIN entries ` +
  `ON entries.content = wanted.value AND entries.type >= ${DIR_CODE} LIMIT ?`;
const NODES = "SELECT id, ordinal FROM nodes WHERE lineage = ? ORDER BY ordinal";

/** Goes from entries of given names up to the roots, level by level, and keeps what it met. */
export class AncestorSearch {
  readonly #rows = new Map<number, StoredRow[]>();
  readonly #places = new Map<number, NodePlace>();
  readonly #nodes = new Map<number, readonly { id: number; ordinal: number }[]>();
  /** Folders that were found by their names, which may be met again on the way up. */
  readonly #foundFolders = new Set<string>();
  #rowCount = 0;

  constructor(readonly database: CatalogueDatabase, readonly names: CatalogueNames) {}

  /** Undefined if there is too much of it. */
  run(names: ReadonlySet<number>): FolderSource | undefined {
    let nodes = this.#level(BY_NAME, [...names]);
    for (const rows of this.#rows.values()) {
      for (const row of rows) if (row.type >= DIR_CODE) this.#foundFolders.add(keyOf(row));
    }
    while (nodes !== undefined && nodes.length > 0) nodes = this.#level(BY_NODE, nodes);
    return nodes === undefined ? undefined : new FoundFolders(this.#namedRows(), this.#places);
  }

  /** Returns the nodes that the rows belong to, but for those met before. */
  #level(sql: string, ids: readonly number[]): number[] | undefined {
    const room = LIMITS.catalogueRowsMax - this.#rowCount;
    const rows = this.database.all(sql, JSON.stringify(ids), room + 1) as unknown as StoredRow[];
    if (rows.length > room) return undefined;
    this.#rowCount += rows.length;
    const nodes: number[] = [];
    for (const row of rows) {
      if (this.#foundFolders.has(keyOf(row))) continue;
      const kept = this.#rows.get(row.lineage);
      if (kept === undefined) this.#rows.set(row.lineage, [row]);
      else kept.push(row);
      for (const { id, ordinal } of this.#nodesOf(row.lineage)) {
        if (!belongsTo(row, ordinal) || this.#places.has(id)) continue;
        this.#places.set(id, { lineage: row.lineage, ordinal });
        nodes.push(id);
      }
    }
    return nodes;
  }

  #nodesOf(lineage: number) {
    let nodes = this.#nodes.get(lineage);
    if (nodes === undefined) {
      nodes = this.database.all(NODES, lineage) as unknown as { id: number; ordinal: number }[];
      this.#nodes.set(lineage, nodes);
    }
    return nodes;
  }

  #namedRows(): Map<number, FoundRow[]> {
    const named = new Map<number, FoundRow[]>();
    for (const [lineage, rows] of this.#rows) {
      const found = rows.map((row): FoundRow => {
        const { since, until, content: node } = row;
        const name = this.names.name(row.name);
        return { since, until, name, entry: entryOfRow(row, name), node };
      });
      named.set(lineage, found.sort((a, b) => compareNames(a.name, b.name)));
    }
    return named;
  }
}

function keyOf({ lineage, name, since }: StoredRow): string {
  return `${lineage} ${name} ${since}`;
}

/** Folders as a search left them, in memory. */
class FoundFolders implements FolderSource {
  constructor(
    readonly rows: ReadonlyMap<number, readonly FoundRow[]>,
    readonly places: ReadonlyMap<number, NodePlace>,
  ) {}

  async *entries(folder: FolderId, only?: string): AsyncGenerator<readonly FoundEntry[]> {
    const place = this.places.get(Number(folder));
    if (place === undefined) return;
    const rows = this.rows.get(place.lineage)!.filter((row) => belongsTo(row, place.ordinal));
    for (const { entry, node } of rows) if (entry === undefined) yield* this.entries(node, only);
    const entries: FoundEntry[] = [];
    for (const { name, entry } of rows) if (entry !== undefined && (only ?? name) === name) entries.push(entry);
    if (entries.length > 0) yield entries;
  }
}
