import { concat } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeName, encodeName } from "../base/names.ts";
import type { CatalogueDatabase } from "./catalogue_database.ts";

/** Stands before the first and after the last character of a name, so that the ends of names can be looked for too. */
export const NAME_START = "\u0002";
export const NAME_END = "\u0003";

/** What a name must be like. */
export interface NameQuery {
  /** Texts that occur in every name that matches, with {@linkcode NAME_START} and {@linkcode NAME_END} around it. */
  readonly literals: readonly string[];
  /** Whether those may occur in other case. */
  readonly ignoreCase: boolean;
  matches(name: string): boolean;
}

const BLOCK_NAMES = 512;

/** Each name once, by number. */
export class CatalogueNames {
  /** Decoded blocks, least recently used first. */
  readonly #blocks = new Map<number, string[]>();

  constructor(readonly database: CatalogueDatabase) {}

  name(id: number): string {
    return this.block(Math.floor(id / BLOCK_NAMES))[id % BLOCK_NAMES];
  }

  /** Numbers of all names that match, ascending. */
  search(query: NameQuery): number[] {
    const trigrams = trigramsOf(query);
    return trigrams.length > 0 ? this.#searchTrigrams(query, trigrams) : this.#searchAll(query);
  }

  #searchTrigrams(query: NameQuery, trigrams: readonly string[]): number[] {
    const found: number[] = [];
    const sql = "SELECT rowid AS id FROM name_search WHERE name_search MATCH ? ORDER BY rowid";
    const match = trigrams.map((each) => `"${each.replaceAll('"', '""')}"`).join(" AND ");
    for (const { id } of this.database.each(sql, match)) {
      if (query.matches(this.name(id as number))) found.push(id as number);
    }
    return found;
  }

  #searchAll(query: NameQuery): number[] {
    const found: number[] = [];
    for (const { block, names } of this.database.each("SELECT block, names FROM name_blocks ORDER BY block")) {
      const first = (block as number) * BLOCK_NAMES;
      decodeBlock(names as Uint8Array).forEach((name, place) => {
        if (query.matches(name)) found.push(first + place);
      });
    }
    return found;
  }

  protected block(number: number): string[] {
    let names = this.#blocks.get(number);
    if (names !== undefined) this.#blocks.delete(number);
    else names = this.#readBlock(number);
    this.#blocks.set(number, names);
    if (this.#blocks.size > LIMITS.catalogueBlocksKept) this.#blocks.delete(this.#blocks.keys().next().value!);
    return names;
  }

  #readBlock(number: number): string[] {
    const row = this.database.get("SELECT names FROM name_blocks WHERE block = ?", number);
    return row === undefined ? [] : decodeBlock(row.names as Uint8Array);
  }
}

/** Adds names. Knows all of them by 8 bytes each, so it is made when something is added, and not for searches. */
export class CatalogueNameWriter extends CatalogueNames {
  /** Open addressing by hash: a hash and a number + 1 in turn; 0 is free. */
  #table = new Uint32Array(2 * 4096);
  #count = 0;
  /** The last block, which is not full. */
  #last: string[] = [];

  constructor(database: CatalogueDatabase) {
    super(database);
    for (const { names } of database.each("SELECT names FROM name_blocks ORDER BY block")) {
      this.#last = decodeBlock(names as Uint8Array);
      for (const name of this.#last) this.#insert(hashOf(name), this.#count++);
    }
    if (this.#last.length === BLOCK_NAMES) this.#last = [];
  }

  find(name: string): number | undefined {
    const hash = hashOf(name);
    const mask = this.#table.length / 2 - 1;
    for (let slot = hash & mask;; slot = (slot + 1) & mask) {
      const id = this.#table[2 * slot + 1] - 1;
      if (id < 0) return undefined;
      if (this.#table[2 * slot] === hash && this.name(id) === name) return id;
    }
  }

  /** The number of a name, a new one if need be; only between `begin` and {@linkcode flush}. */
  add(name: string): number {
    const known = this.find(name);
    if (known !== undefined) return known;
    const id = this.#count++;
    this.#insert(hashOf(name), id);
    this.#last.push(name);
    const text = `${NAME_START}${name.toWellFormed()}${NAME_END}`;
    this.database.run("INSERT INTO name_search (rowid, name) VALUES (?, ?)", id, text);
    if (this.#last.length === BLOCK_NAMES) {
      this.#write(Math.floor(id / BLOCK_NAMES));
      this.#last = [];
    }
    return id;
  }

  /** Writes what was added; before `commit`. */
  flush(): void {
    if (this.#last.length > 0) this.#write(Math.floor(this.#count / BLOCK_NAMES));
  }

  #write(block: number): void {
    this.database.run("INSERT OR REPLACE INTO name_blocks VALUES (?, ?)", block, encodeBlock(this.#last));
  }

  protected override block(number: number): string[] {
    return number === Math.floor(this.#count / BLOCK_NAMES) ? this.#last : super.block(number);
  }

  #insert(hash: number, id: number): void {
    if (this.#count * 3 > this.#table.length) this.#grow();
    place(this.#table, hash, id + 1);
  }

  #grow(): void {
    const larger = new Uint32Array(this.#table.length * 2);
    for (let at = 0; at < this.#table.length; at += 2) {
      if (this.#table[at + 1] > 0) place(larger, this.#table[at], this.#table[at + 1]);
    }
    this.#table = larger;
  }
}

function place(table: Uint32Array, hash: number, value: number): void {
  const mask = table.length / 2 - 1;
  let slot = hash & mask;
  while (table[2 * slot + 1] > 0) slot = (slot + 1) & mask;
  table[2 * slot] = hash;
  table[2 * slot + 1] = value;
}

/** FNV-1a over UTF-16 code units. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const NUL = Uint8Array.of(0);

function encodeBlock(names: readonly string[]): Uint8Array {
  return concat(names.flatMap((name) => [encodeName(name), NUL]));
}

function decodeBlock(data: Uint8Array): string[] {
  const names = decodeName(data).split("\0");
  names.pop();
  return names;
}

const TRIGRAMS_MAX = 8;
// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/**
 * Trigrams of which every name that matches has all; none if the literals are too short. SQLite folds case by tables of
 * its own, so letters beyond ASCII are not looked for in other case.
 */
function trigramsOf({ literals, ignoreCase }: NameQuery): string[] {
  const trigrams = new Set<string>();
  for (const literal of literals) {
    if (ignoreCase && !ASCII.test(literal)) continue;
    const characters = [...literal.toWellFormed()];
    for (let i = 0; i + 3 <= characters.length; i++) trigrams.add(characters.slice(i, i + 3).join(""));
  }
  const all = [...trigrams];
  const step = Math.ceil(all.length / TRIGRAMS_MAX);
  return all.filter((_, i) => i % step === 0);
}
