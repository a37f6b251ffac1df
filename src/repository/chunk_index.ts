/**
 * Where every known chunk lies, merged from any number of index objects.
 *
 * - The order in which objects are added does not matter, nor does adding one twice, and no entry is ever dropped: a chunk
 *   has as many locations as there are places that hold it.
 * - Memory: 32 bytes per entry, in sorted runs. The last two become one as long as the later has at least half the entries
 *   of the earlier, so there are about log2(entries) runs.
 * - Superseded objects are left out by the caller: {@linkcode withoutSuperseded}.
 */
import { equalBytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { type ChunkPlace, ENTRY_WORDS, PACK_WORD, readPlace, readPrefix, writePrefix } from "../model/index_entries.ts";
import type { IndexObject, PackRecord } from "../model/index_object.ts";
import { CHUNK_PREFIX_BYTES, type ChunkKind } from "../model/chunk.ts";
import { EntryRun, mergeRuns } from "./entry_run.ts";

export interface ChunkLocation {
  /** One object per pack: locations can be grouped by identity. */
  readonly pack: PackRecord;
  readonly place: ChunkPlace;
}

export interface IndexedChunk extends ChunkLocation {
  /** First 16 bytes of the id. */
  readonly prefix: Uint8Array;
}

/** Names of packs that may be used, such as those that are listed and not condemned. */
export type PackNames = ReadonlySet<string>;

export class ChunkIndex {
  readonly #packs: PackRecord[] = [];
  readonly #packNumbers = new Map<string, number>();
  readonly #runs: EntryRun[] = [];
  readonly #key = new Uint32Array(4);

  /** Throws `data_damaged`, and adds nothing, if `object` describes a pack unlike an object before it. */
  add(object: IndexObject): void {
    const numbers = this.#number(object.packs);
    if (object.entryCount === 0) return;
    const run = new EntryRun();
    const words = new Uint32Array(ENTRY_WORDS);
    for (let i = 0; i < object.entryCount; i++) {
      object.readEntry(i, words, 0);
      words[PACK_WORD] = numbers[words[PACK_WORD]];
      run.insertNearEnd(words, 0);
    }
    run.trim();
    this.#runs.push(run);
    while (this.#runs.length > 1 && this.#runs.at(-1)!.count * 2 >= this.#runs.at(-2)!.count) this.#mergeLast();
  }

  /**
   * All places of a chunk, ordered by pack name; none if it is unknown.
   *
   * @param id The id or at least its first 16 bytes; what is read must be verified against all 32
   * @param allowed Only these packs; all by default
   */
  lookup(id: Uint8Array, allowed?: PackNames): ChunkLocation[] {
    const found: ChunkLocation[] = [];
    readPrefix(id, this.#key, 0);
    for (const run of this.#runs) {
      for (let i = run.lowerBound(this.#key); i < run.count && run.matches(i, this.#key); i++) {
        const location = this.#location(run.block(i), run.at(i));
        if (allowed !== undefined && !allowed.has(location.pack.name)) continue;
        if (!found.some((other) => compareLocations(location, other) === 0)) found.push(location);
      }
    }
    return found.length > 1 ? found.sort(compareLocations) : found;
  }

  /** The first place of {@linkcode lookup} where the chunk is of `kind`. */
  first(id: Uint8Array, kind: ChunkKind): ChunkLocation | undefined {
    let found: ChunkLocation | undefined;
    readPrefix(id, this.#key, 0);
    for (const run of this.#runs) {
      for (let i = run.lowerBound(this.#key); i < run.count && run.matches(i, this.#key); i++) {
        const location = this.#location(run.block(i), run.at(i));
        if (location.place.kind !== kind) continue;
        if (found === undefined || compareLocations(location, found) < 0) found = location;
      }
    }
    return found;
  }

  has(id: Uint8Array, allowed?: PackNames): boolean {
    readPrefix(id, this.#key, 0);
    return this.#runs.some((run) => {
      for (let i = run.lowerBound(this.#key); i < run.count && run.matches(i, this.#key); i++) {
        if (allowed === undefined || allowed.has(this.#packs[run.block(i)[run.at(i) + PACK_WORD]].name)) return true;
      }
      return false;
    });
  }

  /** In the order in which they were first seen. */
  packs(): readonly PackRecord[] {
    return this.#packs;
  }

  pack(name: string): PackRecord | undefined {
    const number = this.#packNumbers.get(name);
    return number === undefined ? undefined : this.#packs[number];
  }

  /** Different entries; merges all runs first. */
  get entryCount(): number {
    return this.sorted().count;
  }

  /** At least as many as there are; without merging anything. */
  get entriesAtMost(): number {
    return this.#runs.reduce((sum, run) => sum + run.count, 0);
  }

  get memoryBytes(): number {
    return this.#runs.reduce((sum, run) => sum + run.memoryBytes, 0);
  }

  /** Ordered by prefix. Nothing may be added before the iteration ends. */
  *entries(allowed?: PackNames): Generator<IndexedChunk> {
    const run = this.sorted();
    const mask = this.packMask(allowed);
    for (let i = 0; i < run.count; i++) {
      const block = run.block(i);
      const at = run.at(i);
      if (mask[block[at + PACK_WORD]] === 0) continue;
      const prefix = new Uint8Array(CHUNK_PREFIX_BYTES);
      writePrefix(block, at, prefix);
      yield { prefix, ...this.#location(block, at) };
    }
  }

  /** Tells `table`, in no order, every chunk that lies in an allowed pack; one in several places more than once. */
  seed(table: { insertPrefix(words: Uint32Array, at: number): void }, allowed?: PackNames): void {
    const mask = this.packMask(allowed);
    for (const run of this.#runs) {
      for (let i = 0; i < run.count; i++) {
        const block = run.block(i);
        const at = run.at(i);
        if (mask[block[at + PACK_WORD]] !== 0) table.insertPrefix(block, at);
      }
    }
  }

  /** All entries as one run; pack numbers are places in {@linkcode packs}. Valid until the next {@linkcode add}. */
  sorted(): EntryRun {
    while (this.#runs.length > 1) this.#mergeLast();
    return this.#runs[0] ?? new EntryRun();
  }

  /** By pack number: 1 where the pack is allowed. */
  packMask(allowed?: PackNames): Uint8Array {
    return Uint8Array.from(this.#packs, (pack) => allowed === undefined || allowed.has(pack.name) ? 1 : 0);
  }

  #mergeLast(): void {
    const later = this.#runs.pop()!;
    this.#runs.push(mergeRuns(this.#runs.pop()!, later));
  }

  #number(packs: readonly PackRecord[]): number[] {
    for (const pack of packs) {
      const known = this.pack(pack.name);
      if (known !== undefined && !isSamePack(known, pack)) {
        throw new AxiomError("data_damaged", `Cannot use the index: it describes pack ${pack.name} in two ways`, {
          hint: "Run `axiom repair index` to build the index again from the packs",
        });
      }
    }
    return packs.map((pack) => {
      const known = this.#packNumbers.get(pack.name);
      if (known !== undefined) return known;
      const number = this.#packs.push(pack) - 1;
      this.#packNumbers.set(pack.name, number);
      return number;
    });
  }

  #location(block: Uint32Array, at: number): ChunkLocation {
    return { pack: this.#packs[block[at + PACK_WORD]], place: readPlace(block, at) };
  }
}

/** Names of `objects` that no other one of them replaces: the index as it stands. */
export function withoutSuperseded(objects: ReadonlyMap<string, { supersedes: readonly string[] }>): string[] {
  const superseded = new Set<string>();
  for (const object of objects.values()) for (const name of object.supersedes) superseded.add(name);
  return [...objects.keys()].filter((name) => !superseded.has(name));
}

function compareLocations(a: ChunkLocation, b: ChunkLocation): number {
  if (a.pack !== b.pack) return a.pack.name < b.pack.name ? -1 : 1;
  const [left, right] = [a.place, b.place];
  return left.frame - right.frame || left.kind - right.kind || left.offset - right.offset || left.length - right.length;
}

function isSamePack(a: PackRecord, b: PackRecord): boolean {
  return equalBytes(a.salt, b.salt) && a.epoch === b.epoch && a.storedBytes === b.storedBytes &&
    a.tableBytes === b.tableBytes && a.kinds === b.kinds;
}
