import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { EventSink } from "../base/events.ts";
import { GIB, MIB } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import { requireAccess } from "../model/features.ts";
import { PREFIX } from "../model/object_keys.ts";
import type { RepositoryConfig } from "../model/repository_config.ts";
import type { DecoderHost } from "../stages/decoder_host.ts";
import type { StageRegistry } from "../stages/registry.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { createKeys, type CreateKeysOptions } from "./create_keys.ts";
import { type IndexSource, type IndexView, loadIndex } from "./index_view.ts";
import type { RepositoryKeys } from "./keys.ts";
import { ObjectSealer } from "./object_sealer.ts";
import { type OpenKeys, openKeys, type OpenKeysOptions } from "./open_keys.ts";
import { PackReader } from "./pack_reader.ts";
import type { Secret } from "./secret.ts";
import { readSnapshots, type SnapshotList } from "./snapshots.ts";
import { TreeReader } from "./tree_reader.ts";

/** What a repository needs from outside. */
export interface RepositoryContext {
  registry: StageRegistry;
  random: Random;
  clock: Clock;
  onEvent: EventSink;
  /** Undefined where no plugins run: their decoders are neither stored nor used. */
  decoders?: DecoderHost;
}

/** For a table of `LIMITS.framesPerPackMax` frames and `LIMITS.chunksPerPackMax` chunks, 11.3 MiB, and its padding. */
const PACK_TABLE_ROOM_BYTES = 16 * MIB;

/** Without `config/`, which comes last, these are no repository. */
const LEFT_BY_INTERRUPTION = [PREFIX.keyring, PREFIX.keys];

/** A repository whose keys are at hand. What a closed one cannot do is no method of anything else. */
export class Repository {
  readonly keys: RepositoryKeys;
  readonly sealer: ObjectSealer;
  readonly packs: PackReader;

  /** @param opened Of the repository in `store` */
  constructor(readonly store: ObjectStore, readonly opened: OpenKeys, readonly context: RepositoryContext) {
    this.keys = opened.keys;
    this.sealer = new ObjectSealer(opened.keys, context.random);
    this.packs = new PackReader(store, opened.keys, context.registry, context.decoders);
    for (const message of opened.warnings) context.onEvent({ type: "warning", code: "repository", message });
  }

  /**
   * Makes a repository in a store that holds nothing, or only what an interrupted call left: keys without a config.
   * Throws `repository_exists`.
   */
  static async create(
    store: ObjectStore,
    options: Omit<CreateKeysOptions, "random" | "clock">,
    context: RepositoryContext,
  ): Promise<Repository> {
    for await (const { key } of store.list("", options.signal)) {
      if (LEFT_BY_INTERRUPTION.some((prefix) => key.startsWith(prefix))) continue;
      throw new AxiomError("repository_exists", `Cannot make a repository in ${store.location}: it holds ${key}`, {
        hint: "Choose an empty folder",
      });
    }
    const opened = await createKeys(store, { ...options, random: context.random, clock: context.clock });
    return new Repository(store, opened, context);
  }

  /** Fails as {@linkcode openKeys} does. */
  static async open(
    store: ObjectStore,
    secret: Secret,
    context: RepositoryContext,
    options?: OpenKeysOptions,
  ): Promise<Repository> {
    return new Repository(store, await openKeys(store, secret, options), context);
  }

  /** The same repository by another way to its store, such as a read-only one. */
  on(store: ObjectStore): Repository {
    return new Repository(store, { ...this.opened, warnings: [] }, this.context);
  }

  get id(): string {
    return this.opened.config.repository_id;
  }

  get config(): RepositoryConfig {
    return this.opened.config;
  }

  /** Throws `repository_unsupported` if a feature forbids it. */
  require(access: "write" | "delete"): void {
    requireAccess(this.opened.access, access, this.store.location);
  }

  /**
   * Pack size for what is stored now: 32 MiB, growing so that there are not more than some 30,000 packs; whatever the config
   * says there is room for the longest table.
   */
  packBytes(storedBytes: number): number {
    const { min, max } = this.config.pack_bytes;
    const wanted = storedBytes < 1024 * GIB ? 32 * MIB : 64 * MIB;
    return Math.min(Math.max(wanted, min), max, LIMITS.packBytesMax - PACK_TABLE_ROOM_BYTES);
  }

  indexSource(signal?: AbortSignal): IndexSource {
    return { store: this.store, sealer: this.sealer, packs: this.packs, onEvent: this.context.onEvent, signal };
  }

  /** Readers call it after {@linkcode readSnapshots}: what a snapshot needs was indexed before it. */
  loadIndex(signal?: AbortSignal): Promise<IndexView> {
    return loadIndex(this.indexSource(signal));
  }

  snapshots(signal?: AbortSignal): Promise<SnapshotList> {
    return readSnapshots(this.store, this.sealer, signal);
  }

  chunks(view: IndexView, signal?: AbortSignal, readsAhead?: boolean): ChunkReader {
    return new ChunkReader(this.packs, view.index, this.keys, signal, readsAhead);
  }

  trees(view: IndexView, signal?: AbortSignal): TreeReader {
    return new TreeReader(this.chunks(view, signal).document);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
