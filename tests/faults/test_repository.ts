/** A repository in memory, opened without a costly KDF, and the operations on it as the tests of this folder call them. */
import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { AxiomEvent } from "../../src/base/events.ts";
import { systemRandom } from "../../src/base/random.ts";
import { type ConfigSettings, DEFAULT_SETTINGS } from "../../src/model/repository_config.ts";
import { backup, type BackupContext, type BackupOptions, type BackupSummary } from "../../src/operations/backup.ts";
import type { SavePolicy } from "../../src/operations/save_policy.ts";
import {
  restore,
  type RestoreContext,
  type RestoreOptions,
  type RestoreSummary,
} from "../../src/operations/restore.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { Repository, type RepositoryContext } from "../../src/repository/repository.ts";
import type { Secret } from "../../src/repository/secret.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { builtInStages } from "../../src/stages/registry.ts";
import { PREFIX } from "../../src/model/object_keys.ts";
import { type MemoryState, type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { quietly } from "../fixtures/quiet.ts";
import { changeSmallSource, writeSmallSource } from "./source_folder.ts";

export const SECRET: Secret = { kind: "key_file", bytes: seededRandom("the key file")(64) };
export const IDENTITY = { client: "client", host: "host", user: "user", tool_version: "0" };
export const STYLE = { kind: 0 as const, codec: "compression_zstd", level: 3, cipher: "aes-256-gcm-1", owner: 0 };

/** A clock that goes so far ahead that nothing made before a test is racy, and that never really sleeps. */
export const lateClock: Clock = {
  nowNs: () => (BigInt(systemClock.nowNs()) + 3_600_000_000_000n).toString(),
  monotonicMs: () => systemClock.monotonicMs(),
  sleep: () => Promise.resolve(),
};

export type Events = AxiomEvent[];

export function testContext(events?: Events, clock: Clock = lateClock): RepositoryContext {
  return {
    registry: builtInStages(),
    random: systemRandom,
    clock,
    onEvent: (event) => {
      if (event.type !== "progress") events?.push(event);
    },
  };
}

/** Small chunks and packs, so that some hundred kilobytes of source make several of each. */
export const SMALL_PACKS: ConfigSettings = {
  ...DEFAULT_SETTINGS,
  chunker: { ...DEFAULT_SETTINGS.chunker, min: 1024, normal: 4096, max: 16384 },
  pack_bytes: { min: 128 * 1024, max: 128 * 1024 },
  frame_bytes: { ...DEFAULT_SETTINGS.frame_bytes, data: 64 * 1024 },
};

export async function emptyRepository(settings?: ConfigSettings): Promise<MemoryState> {
  const store = memoryStore();
  await Repository.create(store, { secret: SECRET, settings }, testContext());
  return store.snapshot();
}

export function opened(store: ObjectStore, events?: Events, clock?: Clock): Promise<Repository> {
  return Repository.open(store, SECRET, testContext(events, clock));
}

/** Saves everything, each owner's files in frames of their own. */
export const POLICY: SavePolicy = {
  select: () => "save",
  namesToSave: (_path, _relative, names) => names,
  wantsAnew: () => false,
  unchanged: "as_it_is",
  selectsBy: "all",
  recheck: () => false,
  plan: (_path, stat) => ({ style: { ...STYLE, owner: stat.uid } }),
};

export type SaveOptions = Partial<BackupOptions> & Partial<BackupContext>;

/** Backs up with workers in this thread. */
export function save(
  repository: Repository,
  paths: string | string[],
  { files, pool, identity, signal, onEvent, cache, ...options }: SaveOptions = {},
): Promise<BackupSummary> {
  return quietly(backup(repository, {
    paths: [paths].flat(),
    mode: "incremental",
    tags: [],
    force: false,
    dryRun: false,
    metadataStyle: STYLE,
    policy: POLICY,
    ...options,
  }, {
    files: files ?? openFileSystem(),
    pool: pool ?? (() => inProcessPool({ files })),
    identity: identity ?? IDENTITY,
    onEvent: onEvent ?? repository.context.onEvent,
    signal,
    cache,
  }));
}

/** Restores what a snapshot has at `path` into `target`, with workers in this thread. */
export function bringBack(
  repository: Repository,
  snapshot: StoredSnapshot,
  path: string,
  target: string,
  { files, pool, owners, signal, onEvent, ...options }: Partial<RestoreOptions> & Partial<RestoreContext> = {},
): Promise<RestoreSummary> {
  return quietly(restore(
    repository,
    { snapshot, path, target, overwrite: "always", delete: false, verify: false, dryRun: false, ...options },
    {
      files: files ?? openFileSystem(),
      pool: pool ?? (() => inProcessPool({ files })),
      owners: owners ?? true,
      onEvent: onEvent ?? repository.context.onEvent,
      signal,
    },
  ));
}

/** A new repository with one snapshot of `source`. */
export async function savedOnce(source: string, events?: Events, settings?: ConfigSettings) {
  const store = storeOf(await emptyRepository(settings));
  const repository = await opened(store, events);
  await save(repository, source);
  const [snapshot] = (await repository.snapshots()).snapshots;
  return { store, repository, snapshot };
}

/** A store that holds `state`. */
export function storeOf(state: MemoryState): MemoryStore {
  const store = memoryStore();
  store.restore(state);
  return store;
}

/** A store with two snapshots: the small source, and what it was changed into. */
export async function savedBeforeAndAfter(folder: string): Promise<MemoryStore> {
  writeSmallSource(folder);
  const { store } = await savedOnce(folder);
  changeSmallSource(folder);
  await save(await opened(store), folder);
  return store;
}

/** Saves a folder so that two packs hold all of it; returns their keys in the order in which they were made. */
export async function savedInTwoPacks(store: MemoryStore, folder: string): Promise<[first: string, second: string]> {
  const packs = async () => (await Array.fromAsync(store.list(PREFIX.packs))).map(({ key }) => key);
  await save(await opened(store), folder);
  const [first] = await packs();
  const hidden = await store.get(first, "all");
  await store.remove(first);
  await save(await opened(store), folder, { force: true });
  const [second] = await packs();
  await store.put(first, hidden);
  return [first, second];
}

/** Makes a folder for one test and removes it afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "axiom-faults-" });
  try {
    return await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
