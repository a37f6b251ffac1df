import { AncestorSearch } from "./ancestor_search.ts";
import { LIMITS } from "../base/limits.ts";
import { compareNames } from "../base/names.ts";
import type { CatalogueDatabase } from "./catalogue_database.ts";
import { CatalogueNames, NAME_END, NAME_START, type NameQuery } from "./catalogue_names.ts";
import { ENTRY_COLUMNS, entryOfRow, type EntryRow, type NodePlace, type StoredRow } from "./catalogue_rows.ts";
import { PART_CODE } from "./catalogue_schema.ts";
import type { FolderId, FolderSource, FoundEntry } from "./folder_source.ts";

const AT = "lineage = ? AND since <= ? AND (until IS NULL OR until > ?)";
/** Entries of a folder that are handed on at a time. */
const LEAF_ENTRIES = 1024;

/** Reads folders out of the catalogue. */
export class CatalogueSource implements FolderSource {
  readonly #names: CatalogueNames;
  /** Of names that were asked for; undefined for one that the catalogue lacks. */
  readonly #numbers = new Map<string, number | undefined>();

  constructor(readonly database: CatalogueDatabase) {
    this.#names = new CatalogueNames(database);
  }

  /** Nodes of the roots of those snapshots that the catalogue has. */
  async roots(snapshotIds: readonly string[]): Promise<Map<string, FolderId>> {
    const wanted = JSON.stringify(snapshotIds);
    const sql = "SELECT snapshots.id AS id, snapshots.root AS root FROM json_each(?) AS wanted " +
      "JOIN snapshots ON snapshots.id = wanted.value";
    const rows = await this.database.read(() => this.database.all(sql, wanted));
    return new Map(rows.map(({ id, root }) => [id as string, root as number]));
  }

  /** Folders that could not be read when they were indexed; searches do not see what they hold. */
  async damagedCount(): Promise<number> {
    const sql = "SELECT count(*) AS count FROM nodes WHERE damaged IS NOT NULL";
    return await this.database.read(() => this.database.get(sql)!.count as number);
  }

  async *entries(folder: FolderId, only?: string): AsyncGenerator<readonly FoundEntry[]> {
    const rows = await this.database.read(() => this.#rows(Number(folder), only));
    if (rows.length > 0 && rows[0].row.type === PART_CODE) return yield* this.#parts(rows, only);
    for (let at = 0; at < rows.length; at += LEAF_ENTRIES) {
      yield rows.slice(at, at + LEAF_ENTRIES).map(({ row, name }) => entryOfRow(row, name)!);
    }
  }

  async *#parts(parts: readonly NamedRow[], only?: string): AsyncGenerator<readonly FoundEntry[]> {
    for (let i = 0; i < parts.length; i++) {
      const isBelow = only === undefined || compareNames(parts[i].name, only) <= 0 &&
          (i + 1 === parts.length || compareNames(only, parts[i + 1].name) < 0);
      if (isBelow) yield* this.entries(parts[i].row.content, only);
    }
  }

  /** All of a node, or its parts, or the entry called `only`. */
  #rows(node: number, only: string | undefined): NamedRow[] {
    const place = this.#place(node);
    if (place === undefined) return [];
    const { lineage, ordinal } = place;
    const select = (condition: string, ...values: number[]) => {
      const sql = `SELECT ${ENTRY_COLUMNS} FROM entries WHERE ${AT}${condition}`;
      const rows = this.database.all(sql, lineage, ordinal, ordinal, ...values) as unknown as StoredRow[];
      return sorted(rows.map((row) => ({ row, name: this.#names.name(row.name) })));
    };
    if (only === undefined) return select("");
    const number = this.#numberOf(only);
    const found = number === undefined ? [] : select(` AND name = ? AND type < ${PART_CODE}`, number);
    return found.length > 0 ? found : select(` AND type = ${PART_CODE}`);
  }

  #numberOf(name: string): number | undefined {
    if (!this.#numbers.has(name)) this.#numbers.set(name, this.#names.search(exactName(name))[0]);
    return this.#numbers.get(name);
  }

  #place(node: number): NodePlace | undefined {
    return this.database.get("SELECT lineage, ordinal FROM nodes WHERE id = ?", node) as NodePlace | undefined;
  }

  /**
   * The parts of all folders in which something matches a query: what matches, and what leads to it. Undefined where so
   * much matches that looking through all folders is as fast.
   */
  async matching(queries: readonly NameQuery[]): Promise<FolderSource | undefined> {
    return await this.database.read(() => {
      const names = new Set<number>();
      for (const query of queries) {
        for (const name of this.#names.search(query)) names.add(name);
        if (names.size > LIMITS.catalogueMatchesMax) return undefined;
      }
      return new AncestorSearch(this.database, this.#names).run(names);
    });
  }
}

/** What a name as a whole is looked for by. */
function exactName(name: string): NameQuery {
  return { literals: [`${NAME_START}${name}${NAME_END}`], ignoreCase: false, matches: (other) => other === name };
}

interface NamedRow {
  row: EntryRow;
  name: string;
}

function sorted(rows: NamedRow[]): NamedRow[] {
  return rows.sort((a, b) => compareNames(a.name, b.name));
}
