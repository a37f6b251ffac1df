import type { Clock } from "../base/clock.ts";
import type { AxiomError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { Random } from "../base/random.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";
import type { FileSystem } from "../platform/file_system.ts";
import type { OperationEnd } from "../operations/end_context.ts";
import type { StreamProvider } from "../plugins/plugin_streams.ts";
import type { EntryFilter } from "../plugins/wasm_filter.ts";
import type { BackupStrategy } from "../plugins/wasm_strategy.ts";
import type { RunContext, RunPlugin } from "../plugins/wasm_run.ts";
import type { Repository } from "../repository/repository.ts";
import type { Secret } from "../repository/secret.ts";
import type { WriterIdentity } from "../repository/writer.ts";
import type { StageRegistry } from "../stages/registry.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { ProbeReport } from "../storage/local_probe.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { AnyCommand } from "./command.ts";
import type { Notifier } from "./teller.ts";

export interface NewRepository {
  kdf: KdfParameters | undefined;
  /** Of the first password. */
  slotLabel: string | undefined;
}

/** Where a new password or key file comes from; without either it is asked on the terminal, twice. */
export interface NewSecretSource {
  passwordFile?: string;
  passwordCommand?: string;
  keyFile?: string;
}

/** `look` reads without the workers of {@linkcode App.pool}, and opens plugins only where some are installed. */
export type RepositoryUse = "look" | "read" | "check" | "write";

/** The wired program as commands see it; the composition root fills it, which this folder may not know. */
export interface App {
  readonly config: Config;
  readonly loaded: LoadedConfig;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: StageRegistry;
  readonly files: FileSystem;
  /** Where relative paths start; absolute. */
  readonly folder: string;
  /** Of the repository, as it was given; undefined where it was not. */
  readonly location: string | undefined;
  /** How many {@linkcode pool} starts. */
  readonly workers: number;
  /** Undefined where the machine has none. */
  readonly stateFolder: string | undefined;
  /** Where installed plugins lie; undefined where the machine has no place for them. */
  readonly pluginFolder: string | undefined;
  /** Where running processes of this user can be reached; undefined where there is no such place. */
  readonly socketFolder: string | undefined;
  /** Where the cache lies; undefined where there is to be none. */
  readonly cacheFolder: string | undefined;
  /** Throws `plugin_refused` for a plugin, built in or installed, that the configuration disables. */
  demandEnabled(pluginId: string): void;
  /** Starts data-path workers, one per core; whoever asks ends them. */
  pool(): WorkerPool;
  identity(): Promise<WriterIdentity>;
  /** Those of the configuration. Throws why one cannot be used. */
  filters(): Promise<EntryFilter[]>;
  /** A source plugin by its name. Throws why it cannot be used. */
  source(name: string): Promise<StreamProvider>;
  /** As {@linkcode filters}. */
  strategy(): Promise<BackupStrategy | undefined>;
  /** The same: what works on each new snapshot. */
  processors(): Promise<RunPlugin[]>;
  /** Those of a command's section. Throws why one cannot be used that the command line names; others may be absent until then. */
  notifiers(section: NonNullable<AnyCommand["tells"]>): Promise<Notifier[]>;
  /** What plugins are told of an end, without any secret. */
  endContext(end: OperationEnd): RunContext;
  /**
   * Opened by the first call, the same for all that follow. Fails as `Repository.open` does. Where it is another, or an older
   * one, than was seen there, `write` is `repository_changed`, `look` and `read` a warning: whoever has no other copy needs what
   * is there. What repairs it counts as reading, or nothing could put it right. `check` leaves it to {@linkcode distrust}.
   *
   * @param whileDeriving Called when all that a person may be asked for is there and a thread derives the key; not if the
   *   repository is open already
   */
  openRepository(use: RepositoryUse, whileDeriving?: () => void): Promise<Repository>;
  /** Why the repository that was opened is not what was seen there. */
  readonly distrust: AxiomError | undefined;
  /** Fails as `Repository.create` does. */
  createRepository(options: NewRepository): Promise<Repository>;
  /** Remembers a snapshot that was just made, so that its disappearance is noticed. */
  pinSnapshot(id: string, paths: readonly string[]): Promise<void>;
  newSecret(source: NewSecretSource): Promise<Secret>;
  /** One warning for each thing that the file system or the repository's store cannot do; call it before a result is returned. */
  warnOfLosses(): Promise<void>;
  /** Paths, relative to the repository, that listings met and that are no objects. */
  foreignPaths(): readonly string[];
  /** The repository's store, without asking whether there is a repository in it. */
  openStore(): Promise<ObjectStore>;
  /** Tries what the store's place can do; undefined for a kind of store that needs no trial. */
  probeStore(): Promise<ProbeReport | undefined>;
  /** Forgets what was seen at the location, so that what is there now is trusted; returns the location. */
  acceptRepository(): Promise<string>;
  /** Ends what is open in good order; called once, also after a failure. */
  close(): Promise<void>;
}
