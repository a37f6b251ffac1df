import type { Clock } from "../base/clock.ts";
import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { prepareCatalogueFile } from "./cache_folder.ts";
import { CatalogueDatabase, CatalogueFault, faultOf } from "./catalogue_database.ts";
import { CatalogueSource } from "./catalogue_reader.ts";
import { CatalogueWriter } from "./catalogue_writer.ts";
import type { StoredSnapshot } from "./snapshots.ts";
import type { TreeReader } from "./tree_reader.ts";

export interface CatalogueContext {
  clock: Clock;
  onEvent: EventSink;
  signal?: AbortSignal;
}

export interface CatalogueUpdate {
  /** All snapshots of the repository, oldest first. */
  all: readonly StoredSnapshot[];
  /** Those that have to be in the catalogue afterwards. */
  wanted: readonly StoredSnapshot[];
  /** Called only if there is something to read. */
  trees: () => Promise<TreeReader>;
}

/**
 * Names and metadata of all entries of a repository's snapshots, in a file of the cache: an answer to what would otherwise
 * be a walk through all trees. It is made again from the repository whenever it is missing, old or broken; nothing here
 * throws but `interrupted`, and what the store throws while trees are read. Undefined or false mean: do without.
 */
export class Catalogue {
  private constructor(
    readonly file: string,
    readonly repositoryId: string,
    private database: CatalogueDatabase,
    readonly context: CatalogueContext,
  ) {}

  /** Undefined, after a warning, where it cannot be had. */
  static async open(cache: string, repositoryId: string, context: CatalogueContext): Promise<Catalogue | undefined> {
    try {
      const file = await prepareCatalogueFile(cache, repositoryId);
      return new Catalogue(file, repositoryId, await openOrReplace(file, repositoryId, context), context);
    } catch (error) {
      return doWithout(error, context.onEvent);
    }
  }

  /** Valid until the next {@linkcode update}. */
  get source(): CatalogueSource {
    return new CatalogueSource(this.database);
  }

  /** Adds what is missing. Returns whether it has all that is wanted. */
  async update(update: CatalogueUpdate): Promise<boolean> {
    for (let tries = 1;; tries++) {
      try {
        await this.#update(update);
        return true;
      } catch (error) {
        if (!(error instanceof CatalogueFault)) throw error;
        if (error.kind !== "broken" || tries > 1) return doWithout(error, this.context.onEvent) ?? false;
        if (!await this.#replace(`it is damaged (${messageOf(error)})`)) return false;
      }
    }
  }

  close(): void {
    this.database.close();
  }

  /** Closes it and has the next one made anew. */
  async discard(): Promise<void> {
    this.database.close();
    await removeFile(this.file).catch(() => {}); // the next one finds it broken too
  }

  async #update({ all, wanted, trees }: CatalogueUpdate): Promise<void> {
    const known = await this.#known();
    const live = new Set(all.map(({ id }) => id));
    const gone = [...known].filter((id) => !live.has(id));
    if (gone.length >= Math.max(LIMITS.catalogueGoneMin, all.length) && await this.#replace(undefined)) known.clear();
    const missing = wanted.filter(({ id }) => !known.has(id));
    if (missing.length === 0 && await this.source.damagedCount() === 0) return;
    try {
      await this.#add(missing, new CatalogueWriter(this.database, await trees(), this.context.signal), all, known);
    } finally {
      this.database.rollback();
    }
  }

  async #add(
    missing: readonly StoredSnapshot[],
    writer: CatalogueWriter,
    all: readonly StoredSnapshot[],
    known: Set<string>,
  ): Promise<void> {
    await writer.addDamaged();
    for (const stored of missing) {
      const { id } = stored;
      this.context.onEvent({ type: "verbose", message: `Adding the snapshot ${id.slice(0, 8)} to the catalogue` });
      await writer.add(stored, likeOne(stored, all, known));
      known.add(id);
    }
  }

  async #known(): Promise<Set<string>> {
    const rows = await this.database.read(() => this.database.all("SELECT id FROM snapshots"));
    return new Set(rows.map(({ id }) => id as string));
  }

  /** Begins anew with an empty file; `why` is told unless that is nobody's concern. */
  async #replace(why: string | undefined): Promise<boolean> {
    const { onEvent } = this.context;
    if (why !== undefined) tellReplaced(why, onEvent);
    this.database.close();
    try {
      await removeFile(this.file);
      this.database = await CatalogueDatabase.open(this.file, this.repositoryId, this.context);
      return true;
    } catch (error) {
      return doWithout(error, onEvent) ?? false;
    }
  }
}

async function openOrReplace(file: string, id: string, context: CatalogueContext): Promise<CatalogueDatabase> {
  try {
    return await CatalogueDatabase.open(file, id, context);
  } catch (error) {
    const fault = faultOf(error);
    if (fault.kind === "busy") throw fault;
    if (fault.kind === "broken") tellReplaced(`it is damaged (${fault.message})`, context.onEvent);
    await removeFile(file);
    return await CatalogueDatabase.open(file, id, context);
  }
}

/** The journal first: without its file it would be taken for the one of the next file of that name. */
async function removeFile(file: string): Promise<void> {
  for (const path of [`${file}-journal`, `${file}-wal`, `${file}-shm`, file]) {
    await Deno.remove(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** The snapshot of the catalogue that a new one has probably most in common with. */
function likeOne(
  { id, snapshot }: StoredSnapshot,
  all: readonly StoredSnapshot[],
  known: ReadonlySet<string>,
): string | undefined {
  if (snapshot.parent !== null && known.has(snapshot.parent)) return snapshot.parent;
  const group = JSON.stringify([snapshot.host, snapshot.paths]);
  const alike = all.filter((other) =>
    other.id !== id && known.has(other.id) && JSON.stringify([other.snapshot.host, other.snapshot.paths]) === group
  );
  const before = alike.findLast((other) => BigInt(other.snapshot.time) <= BigInt(snapshot.time));
  return (before ?? alike[0])?.id;
}

function tellReplaced(why: string, onEvent: EventSink): void {
  const message = `The catalogue is made again: ${why}`;
  onEvent({ type: "warning", code: "catalogue_replaced", message });
}

/** Tells that it goes on without; always undefined. */
function doWithout(error: unknown, onEvent: EventSink): undefined {
  if (isKind(error, "interrupted")) throw error;
  const message = `The catalogue cannot be used, so this takes longer: ${messageOf(error)}`;
  onEvent({ type: "warning", code: "catalogue_unavailable", message });
}
