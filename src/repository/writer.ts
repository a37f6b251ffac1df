import { type Bytes, fromHex, fromHexInto } from "../base/bytes.ts";
import { type AxiomError, isKind, messageOf, throwIfAborted } from "../base/errors.ts";
import { CHUNK_ID_BYTES, ChunkKind } from "../model/chunk.ts";
import { DedupTable } from "../stages/dedup_table.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import { type Condemned, readCondemned } from "./condemned.ts";
import { setIndexesAside, setPacksAside } from "./damaged_objects.ts";
import { type IndexView, loadIndex } from "./index_view.ts";
import { DecoderKeeper } from "./decoder_keeper.ts";
import { IndexWriter } from "./index_writer.ts";
import { MetadataWriter } from "./metadata_writer.ts";
import { kindsOf } from "./pack_reader.ts";
import { PackWriter } from "./pack_writer.ts";
import type { Repository } from "./repository.ts";
import { WriterSession } from "./session.ts";
import { type SnapshotCommit } from "./snapshots.ts";
import { TreeReader } from "./tree_reader.ts";

/** A frame of a worker is closed at this size; up to `framePlainBytesMax` if one chunk is larger. */
const FRAME_TARGET_BYTES = 2.5 * 1024 * 1024;
/** Room for new chunks before the table of known ones must grow. */
const NEW_CHUNKS_EXPECTED = 32_768;

export interface WriterIdentity {
  client: string;
  host: string;
  user: string;
  tool_version: string;
}

/**
 * Writers' half of the protocol between writers and deleters, steps 1 to 6 in order; `docs/format.md` says why each is
 * there. What it stored stays its own until step 6, so one writer can commit several snapshots one after another.
 */
export class RepositoryWriter {
  readonly packs: PackWriter;
  readonly indexes: IndexWriter;
  readonly metadata: MetadataWriter;
  /** Names of packs that hold a document which cannot be read. */
  readonly #distrusted = new Set<string>();
  readonly #id = new Uint8Array(CHUNK_ID_BYTES);

  private constructor(
    readonly repository: Repository,
    readonly session: WriterSession,
    readonly pool: WorkerPool,
    readonly view: IndexView,
    readonly condemned: Condemned,
    readonly dedup: DedupTable,
    style: FrameStyle,
    readonly signal?: AbortSignal,
  ) {
    const { store, sealer, keys, context } = repository;
    const storedBytes = [...view.listed.values()].reduce((sum, size) => sum + size, 0);
    this.indexes = new IndexWriter(store, sealer, view.objects.taken);
    this.packs = new PackWriter(
      store,
      keys,
      context.registry,
      repository.packBytes(storedBytes),
      context.random,
      ({ table, ...pack }) => this.indexes.add({ ...pack, kinds: kindsOf(table) }, table),
      signal,
      context.decoders && new DecoderKeeper(store, context.decoders),
    );
    this.metadata = new MetadataWriter(pool, dedup, keys.chunkIdKey("tree"), style, {
      onGrowth: () => this.growIfNeeded(),
      isDistrusted: (id) => this.#isDistrusted(id),
    });
  }

  /**
   * Steps 1 and 2: announce, then condemned lists, index and listing of packs, in this order. A chunk is known only if a
   * pack that is indexed, listed and not condemned holds it.
   */
  static async begin(
    repository: Repository,
    pool: WorkerPool,
    identity: WriterIdentity,
    style: FrameStyle,
    signal?: AbortSignal,
  ): Promise<RepositoryWriter> {
    repository.require("write");
    const { store, sealer, context } = repository;
    const session = await WriterSession.begin(store, sealer, identity, { ...context, signal });
    try {
      await outwaitStaleListings(repository, signal);
      const source = repository.indexSource(signal);
      const condemned = await readCondemned(source, context.onEvent);
      const view = await loadIndex(source);
      await setPacksAside(repository, view, signal);
      const usable = usablePacks(view, condemned);
      const dedup = DedupTable.create(view.index.entriesAtMost + NEW_CHUNKS_EXPECTED);
      view.index.seed(dedup, usable);
      const writer = new RepositoryWriter(repository, session, pool, view, condemned, dedup, style, signal);
      writer.#configure();
      await writer.#completeIndex(usable);
      return writer;
    } catch (error) {
      await session.end().catch(() => {}); // what went wrong first is what counts
      throw error;
    }
  }

  /**
   * Describes packs that the index lacks, wholly or in part. A damaged index object is moved out of the way only when all that
   * it may have described is described elsewhere: without it nobody would know that a pack is known in part.
   */
  async #completeIndex(usable: ReadonlySet<string>): Promise<void> {
    const { unindexed, objects } = this.view;
    const wanted = objects.damaged.length > 0 ? unindexed : unindexed.filter(({ name }) => usable.has(name));
    for (const pack of wanted) {
      try {
        await this.indexes.add(pack, await this.repository.packs.table(pack, this.signal));
      } catch (error) {
        if (!isKind(error, "object_missing")) throw error; // deleted since the listing, so this session was ended
      }
    }
    if (objects.damaged.length === 0) return;
    await this.indexes.flush();
    await setIndexesAside(this.repository, objects.damaged, this.signal);
  }

  #configure(): void {
    const { keys, config } = this.repository;
    const { chunker } = config;
    this.pool.configureSave({
      idKeys: { data: keys.chunkIdKey("data"), plain: keys.chunkIdKey("plain") },
      chunkerKeys: { data: keys.chunkerKey("data"), plain: keys.chunkerKey("plain") },
      bounds: { min: chunker.min, normal: chunker.normal, max: chunker.max },
      frameTargetBytes: Math.min(FRAME_TARGET_BYTES, config.frame_bytes.data),
      dedup: this.dedup.share(),
      xattrs: true,
    }, {
      grant: (request) => {
        this.growIfNeeded(); // here and not where files are handed over: one file can have any number of chunks
        return this.packs.grant(request);
      },
      accept: (frame) => this.packs.accept(frame),
    });
  }

  /** Hands workers a further segment of the table of known chunks before they need it. */
  growIfNeeded(): void {
    if (this.dedup.needsSegment) this.pool.addSegment(this.dedup.grow());
  }

  /**
   * Names of the index objects, where they describe every pack and nothing that cannot be relied on: what is known then is known
   * as long as they count and that holds.
   */
  wholeIndex(): readonly string[] | undefined {
    const { index, objects, unindexed, missingPacks, damagedPacks } = this.view;
    const faults = objects.damaged.length + unindexed.length + missingPacks.length + damagedPacks.length;
    const isWhole = faults === 0 && index.packs().every(({ name }) => !this.condemned.has(name));
    return isWhole ? objects.current : undefined;
  }

  /** Whether a chunk of an earlier snapshot may be relied on. */
  has(id: Bytes, kind: ChunkKind): boolean {
    return kind <= ChunkKind.plain && this.dedup.has(id) && !(kind === ChunkKind.tree && this.#isDistrusted(id));
  }

  /** The same for an id in hexadecimal, of which a backup of unchanged files asks for each chunk: it makes no garbage. */
  hasText(id: string, kind: ChunkKind): boolean {
    return this.has(fromHexInto(this.#id, id), kind);
  }

  /** Reads documents of earlier snapshots. One that turns out to be damaged is told of, and stored again when it comes again. */
  trees(): TreeReader {
    const { document } = this.repository.chunks(this.view, this.signal, true);
    const failed = (id: string, error: unknown) => {
      if (isKind(error, "data_damaged", "object_missing", "limit_exceeded")) this.#distrust(fromHex(id), error);
      throw error;
    };
    return new TreeReader((id) => {
      const read = document(id);
      return read instanceof Promise ? read.catch((error) => failed(id, error)) : read;
    });
  }

  #distrust(id: Bytes, why: AxiomError): void {
    const packs = this.view.index.lookup(id).map(({ pack }) => pack.name);
    if (packs.every((name) => this.#distrusted.has(name))) return;
    for (const name of packs) this.#distrusted.add(name);
    const message = `${why.message}; folders that it describes are read again`;
    this.repository.context.onEvent({ type: "warning", code: "damaged_tree", message });
  }

  /** Whether a document seems to be in the repository, but only in packs of which another document could not be read. */
  #isDistrusted(id: Bytes): boolean {
    if (this.#distrusted.size === 0) return false;
    const locations = this.view.index.lookup(id);
    return locations.length > 0 && locations.every(({ pack }) => this.#distrusted.has(pack.name));
  }

  /** Step 4: what is open becomes packs, then index objects. */
  async flush(): Promise<void> {
    await this.metadata.flush();
    await this.pool.flush();
    await this.packs.finish();
    await this.indexes.flush();
  }

  /** Step 5; may be done several times, each with its own looks. Fails as {@linkcode SnapshotCommit.commit} does. */
  async commit(commit: SnapshotCommit): Promise<void> {
    await commit.commit(this.session, this.repository.context.onEvent, this.signal);
  }

  /** Makes what arrived useful to the next run. The workers must have been stopped. Never throws. */
  async abandon(): Promise<void> {
    const { onEvent } = this.repository.context;
    try {
      await this.packs.settle();
      await this.indexes.flush();
    } catch (error) {
      onEvent({ type: "warning", code: "abandon", message: `Cannot keep what was uploaded: ${messageOf(error)}` });
    }
    await this.end();
  }

  /** Step 6. */
  async end(): Promise<void> {
    await this.session.endOrWarn(this.repository.context.onEvent);
  }
}

/**
 * Where listings may be stale, a list of condemned packs that was put before this session may not show yet, and this session
 * may not show to who put it; once both have waited, one of the two sees the other.
 */
export async function outwaitStaleListings({ store, context }: Repository, signal?: AbortSignal): Promise<void> {
  const { staleListingMs, staleListingReason = "its listings may be stale" } = store.traits;
  if (staleListingMs === 0) return;
  const message = `Waiting ${staleListingMs / 1000} s, for which what others do in ${store.location} may not show ` +
    `(${staleListingReason}); a repository on a local disk needs no wait`;
  context.onEvent({ type: "notice", code: "stale_listings", message });
  try {
    await context.clock.sleep(staleListingMs, signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

function usablePacks(view: IndexView, condemned: Condemned): Set<string> {
  const damaged = new Set(view.damagedPacks.map(({ name }) => name));
  return new Set([...view.listed.keys()].filter((name) => !condemned.has(name) && !damaged.has(name)));
}
