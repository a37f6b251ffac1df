import { toHex } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { randomId } from "../base/random.ts";
import type { ChunkKind } from "../model/chunk.ts";
import type { PackRecord } from "../model/index_object.ts";
import { packKey, PREFIX } from "../model/object_keys.ts";
import type { StoredTable } from "../model/stored_frame.ts";
import type { ChunkLocation } from "../repository/chunk_index.ts";
import { type Condemned, encodeCondemned, EVERY_PACK, readCondemned } from "../repository/condemned.ts";
import { rewriteIndex } from "../repository/index_rewrite.ts";
import type { IndexView } from "../repository/index_view.ts";
import { setAside, whereItWent } from "../repository/set_aside.ts";
import { removeSpentLists } from "../repository/spent_lists.ts";
import { outwaitStaleListings, type RepositoryWriter } from "../repository/writer.ts";
import { isDamage } from "./damage.ts";
import { FrameCopier } from "./frame_copier.ts";
import type { PackReading, PackVerifier } from "./pack_verifier.ts";
import type { DamagedReading } from "./repair_packs.ts";

/** Other clients that delete may take copies away before they are known to be needed; then copies are made again. */
const ROUNDS_MAX = 5;

interface WholeChunk {
  pack: PackRecord;
  table: StoredTable;
  frame: number;
  chunk: number;
}

/**
 * Takes damaged packs out of use as a deleter would, except that it looks upon every whole chunk of them as needed, and so
 * need not wait for anyone:
 *
 * 1. Stores whole chunks again that no other pack was just seen to hold whole, in new packs, which are then indexed.
 * 2. Puts a list of the damaged packs into `condemned/`. From now on no new backup relies on them, so it stores again what
 *    is lost; and another deleter, which reads the lists before it decides, takes no pack away that holds a copy.
 * 3. Then reads the lists of others, the index and the listing of packs, in this order. A whole chunk that is in no pack
 *    that is indexed, listed and on no list is copied again: its copy had been condemned before step 2.
 * 4. Writes the index without the damaged packs, sets these aside, and removes its list.
 *
 * A backup that began before step 2 and relies on a whole chunk finds it in its copy. One that relies on a lost chunk has
 * lost it already. Interrupted before step 4 the damaged packs stay on the list, which is as good; the next run goes on.
 */
export class PackReplacement {
  readonly #copier: FrameCopier;
  /** By name. */
  readonly #damaged: ReadonlyMap<string, DamagedReading>;
  /** Those that another deleter took away meanwhile, after it kept what it found needed. */
  readonly #gone = new Set<string>();
  /** Frames of other packs, by pack and number, that were read to see whether they are whole. */
  readonly #readings = new Map<string, PackReading>();

  constructor(
    readonly writer: RepositoryWriter,
    readonly verifier: PackVerifier,
    damaged: readonly DamagedReading[],
    readonly onEvent: EventSink,
  ) {
    this.#copier = new FrameCopier(writer);
    this.#damaged = new Map(damaged.map((entry) => [entry.pack.name, entry]));
  }

  get chunksCopied(): number {
    return this.#copier.chunksCopied;
  }

  get bytesCopied(): number {
    return this.#copier.bytesCopied;
  }

  /** Returns where each damaged pack is now; those that could not be moved are not in the result. */
  async run(): Promise<Map<string, string>> {
    const { repository, signal, view: before, condemned } = this.writer;
    demandReadable(condemned);
    await this.#copyMissing(before, condemned);
    const listKey = await this.#condemn();
    const view = await this.#settle(listKey);
    const unindexed = new Set(view.unindexed.map(({ name }) => name));
    const allowed = new Set(
      [...view.listed.keys()].filter((name) => !this.#damaged.has(name) && !unindexed.has(name)),
    );
    await rewriteIndex(repository, view.index, view.objects, allowed, { signal });
    const asideKeys = await this.#setAside();
    await removeSpentLists(repository, signal);
    return asideKeys;
  }

  async #condemn(): Promise<string> {
    const { store, sealer, context } = this.writer.repository;
    const key = PREFIX.condemned + randomId(context.random);
    await store.put(key, await sealer.seal("condemned", key, encodeCondemned([...this.#damaged.keys()])));
    return key;
  }

  /** Copies until a look at everything, taken after the list was put, shows that nothing is missing. */
  async #settle(listKey: string): Promise<IndexView> {
    const { repository, signal } = this.writer;
    await outwaitStaleListings(repository, signal);
    for (let round = 1;; round++) {
      const condemned = await readCondemned(repository.indexSource(signal), this.onEvent);
      demandReadable(condemned);
      const view = await repository.loadIndex(signal);
      if (await this.#copyMissing(view, condemned) === 0) return view;
      if (round === ROUNDS_MAX) {
        await repository.store.remove(listKey);
        throw new AxiomError(
          "storage_busy",
          "Cannot take damaged packs out of use: what is copied is condemned again and again",
          { hint: "Wait until no other client deletes, then run the same command again" },
        );
      }
    }
  }

  /** Stores again what no usable pack holds whole; returns the number of those chunks. */
  async #copyMissing(view: IndexView, condemned: Condemned): Promise<number> {
    const unusable = new Set(view.damagedPacks.map(({ name }) => name));
    const isUsable = ({ pack: { name } }: ChunkLocation) =>
      view.listed.has(name) && !condemned.has(name) && !unusable.has(name) && !this.#damaged.has(name);
    const before = this.chunksCopied;
    for (const damaged of this.#damaged.values()) {
      if (this.#gone.has(damaged.pack.name)) continue;
      try {
        await this.#copyWhole(damaged, view, isUsable);
      } catch (error) {
        if (!isKind(error, "object_missing")) throw error;
        this.#gone.add(damaged.pack.name);
      }
    }
    const missing = this.chunksCopied - before;
    if (missing > 0) await this.#copier.flush();
    return missing;
  }

  async #copyWhole(
    { pack, reading }: DamagedReading,
    view: IndexView,
    isUsable: (location: ChunkLocation) => boolean,
  ): Promise<void> {
    const table = await this.writer.repository.packs.table(pack, this.writer.signal);
    for (const [number, chunks] of wholeChunks(table, reading)) {
      const wanted: number[] = [];
      for (const chunk of chunks) {
        if (!await this.#isElsewhere({ pack, table, frame: number, chunk }, view, isUsable)) wanted.push(chunk);
      }
      await this.#copier.copy(pack, table, number, wanted);
    }
  }

  /** Whether another pack holds the chunk whole, which only reading it can tell. */
  async #isElsewhere(
    { table, frame, chunk }: WholeChunk,
    { index }: IndexView,
    isUsable: (location: ChunkLocation) => boolean,
  ): Promise<boolean> {
    const { id } = table.frames[frame].chunks[chunk];
    const kind = table.frames[frame].kind as ChunkKind;
    for (const location of index.lookup(id)) {
      if (location.place.kind === kind && isUsable(location) && await this.#isWhole(location, id)) return true;
    }
    return false;
  }

  async #isWhole({ pack, place }: ChunkLocation, id: Uint8Array): Promise<boolean> {
    try {
      const table = await this.writer.repository.packs.table(pack, this.writer.signal);
      const key = `${pack.name} ${place.frame}`;
      const known = this.#readings.get(key);
      const reading = known ?? await this.verifier.readFrames(pack, table, [place.frame]);
      if (known === undefined) this.#readings.set(key, reading);
      const bad = reading.badFrames.get(place.frame)?.chunks ?? [];
      const number = table.frames[place.frame].chunks.findIndex((chunk) =>
        chunk.offset === place.offset && toHex(chunk.id) === toHex(id)
      );
      return number >= 0 && bad !== "all" && !bad.includes(number);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }

  async #setAside(): Promise<Map<string, string>> {
    const { store } = this.writer.repository;
    const asideKeys = new Map<string, string>();
    for (const name of this.#damaged.keys()) {
      const asideKey = await setAside(store, packKey(name), this.writer.signal);
      if (asideKey !== undefined) asideKeys.set(name, asideKey);
      this.onEvent({ type: "warning", code: "set_aside", message: `The pack ${name} ${whereItWent(asideKey)}` });
    }
    return asideKeys;
  }
}

/** While a list cannot be read no copy is safe from a deleter, and none would be enough. */
function demandReadable(condemned: Condemned): void {
  if (condemned !== EVERY_PACK) return;
  throw new AxiomError("data_damaged", "Cannot take damaged packs out of use: a list of condemned packs is damaged", {
    hint: "When no other client deletes, run `axiom repair index --condemned-lists` first",
  });
}

/** Numbers of the chunks of each frame whose bytes are right. */
function* wholeChunks(table: StoredTable, { badFrames }: PackReading): Generator<[frame: number, chunks: number[]]> {
  for (const [number, { chunks }] of table.frames.entries()) {
    const bad = badFrames.get(number)?.chunks ?? [];
    if (bad === "all") continue;
    const excluded = new Set(bad);
    yield [number, [...chunks.keys()].filter((chunk) => !excluded.has(chunk))];
  }
}
