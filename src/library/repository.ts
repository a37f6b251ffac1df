import type { Bytes } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import { type EventSink, ignoreEvents } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { TOOL_VERSION } from "../base/version.ts";
import { DEFAULT_KDF } from "../model/kdf_parameters.ts";
import { hostName, userName } from "../platform/host.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { type StateFiles, stateFiles } from "../platform/state_files.ts";
import { clientId } from "../repository/client_id.ts";
import { PinStore } from "../repository/pins.ts";
import { Repository as InnerRepository } from "../repository/repository.ts";
import type { Secret } from "../repository/secret.ts";
import { builtInStages } from "../stages/registry.ts";
import { WorkerPool } from "../stages/worker_pool.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { openStore } from "../storage/open_store.ts";
import { demandPlace, type PluginsAtWork, storeOpener } from "./plugins_at_work.ts";

/** What every operation takes. */
export interface OperationOptions {
  /** Gets progress, warnings, and errors of single files; by default what the repository was opened with. */
  onEvent?: EventSink;
  /** Its abort ends the operation within a second or two. */
  signal?: AbortSignal;
}

export interface OpenOptions extends OperationOptions {
  /** A path, or `file:///…`. */
  location: string;
  /** A password, or the bytes of a key file. */
  secret: string | Bytes;
  /**
   * Folder in which this machine keeps its client id and what it saw of repositories, as the command line does in
   * `~/.local/state/axiom`. By default nothing is kept, and a repository that was rolled back is not noticed.
   */
  stateFolder?: string;
  /** Unlimited by default. */
  uploadBytesPerSecondMax?: number;
  downloadBytesPerSecondMax?: number;
}

export interface CreateOptions extends OpenOptions {
  /** Function that makes a key from a password; Argon2id by default. */
  kdf?: "argon2id" | "pbkdf2";
  /** Name of the first password. */
  label?: string;
}

/** A repository that is open until it is closed. */
export interface Repository {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly location: string;
  close(): Promise<void>;
}

interface Opened {
  inner: InnerRepository;
  options: OpenOptions;
  plugins: PluginsAtWork | undefined;
}

/** What is behind a {@linkcode Repository}, which shows nothing of its keys. */
const opened = new WeakMap<Repository, Opened>();

/**
 * Throws `repository_missing`, `password_wrong`, and what the store throws; also `repository_changed`, which nobody notices
 * who opens it without `stateFolder`, as one does to read what is there nevertheless.
 */
export function openRepository(options: OpenOptions): Promise<Repository> {
  return openWith(options, undefined);
}

/** Makes a repository in a place that is empty, and opens it. Throws `repository_exists`. */
export function createRepository(options: CreateOptions): Promise<Repository> {
  return createWith(options, undefined);
}

export function openWith(options: OpenOptions, plugins: PluginsAtWork | undefined): Promise<Repository> {
  return withStore(options, plugins, false, async (store) => {
    const { signal } = options;
    const inner = await InnerRepository.open(store, secretOf(options), innerContext(options, plugins), { signal });
    await pinsOf(options)?.check(inner, signal);
    return inner;
  });
}

export function createWith(options: CreateOptions, plugins: PluginsAtWork | undefined): Promise<Repository> {
  return withStore(options, plugins, true, async (store) => {
    const { kdf = "argon2id", label: slotLabel, signal } = options;
    const secret = secretOf(options);
    const parameters = kdf === "argon2id" ? DEFAULT_KDF.argon2id : DEFAULT_KDF["pbkdf2-hmac-sha256"];
    const keys = { secret, kdf: secret.kind === "password" ? parameters : undefined, slotLabel, signal };
    const inner = await InnerRepository.create(store, keys, innerContext(options, plugins));
    await pinsOf(options)?.forget(store.location);
    await pinsOf(options)?.check(inner, signal);
    return inner;
  });
}

/** Closes the store again if nothing comes of it. */
async function withStore(
  options: OpenOptions,
  plugins: PluginsAtWork | undefined,
  make: boolean,
  open: (store: ObjectStore) => Promise<InnerRepository>,
): Promise<Repository> {
  const store = await storeOf(options, plugins, make);
  try {
    return handleOf({ inner: await open(store), options, plugins });
  } catch (error) {
    await store.close().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}

async function storeOf(options: OpenOptions, plugins: PluginsAtWork | undefined, make: boolean) {
  const kib = (bytes: number | undefined) => bytes === undefined ? undefined : bytes / 1024;
  const throttle = {
    uploadKibPerSecond: kib(options.uploadBytesPerSecondMax),
    downloadKibPerSecond: kib(options.downloadBytesPerSecondMax),
  };
  const onEvent = options.onEvent ?? ignoreEvents;
  demandPlace(plugins, options.location);
  const openPlugin = plugins && storeOpener(plugins, options.location);
  const settings = { make, throttle, clock: systemClock, random: systemRandom, onEvent, openPlugin };
  return (await openStore(options.location, settings)).store;
}

function secretOf({ secret }: OpenOptions): Secret {
  return typeof secret === "string" ? { kind: "password", password: secret } : { kind: "key_file", bytes: secret };
}

function innerContext({ onEvent = ignoreEvents }: OpenOptions, plugins: PluginsAtWork | undefined) {
  const { registry = builtInStages(), decoders } = plugins ?? {};
  return { registry, decoders, random: systemRandom, clock: systemClock, onEvent };
}

function stateOf({ stateFolder }: OpenOptions): StateFiles | undefined {
  return stateFolder === undefined ? undefined : stateFiles(stateFolder);
}

function pinsOf(options: OpenOptions): PinStore | undefined {
  const state = stateOf(options);
  return state === undefined ? undefined : new PinStore(state, options.onEvent ?? ignoreEvents);
}

function handleOf(open: Opened): Repository {
  const { inner, plugins } = open;
  const close = async () => {
    if (plugins === undefined || plugins.repositories.delete(inner)) await inner.close();
  };
  plugins?.repositories.add(inner);
  const handle = { id: inner.id, location: inner.store.location, close };
  opened.set(handle, open);
  return handle;
}

/** Undefined where it was opened without. Throws as {@linkcode innerOf}. */
export function pluginsOf(handle: Repository): PluginsAtWork | undefined {
  innerOf(handle);
  return opened.get(handle)!.plugins;
}

/** Throws `TypeError` for what no function here returned. */
export function innerOf(handle: Repository): InnerRepository {
  const found = opened.get(handle);
  if (found === undefined) throw new TypeError("Not a repository that openRepository() or createRepository() returned");
  return found.inner;
}

/** What an operation that reads needs. */
export function readContext(handle: Repository, { onEvent, signal }: OperationOptions) {
  innerOf(handle);
  return { onEvent: onEvent ?? opened.get(handle)!.options.onEvent ?? ignoreEvents, signal };
}

/** What any operation needs of the outside world. */
export async function fullContext(handle: Repository, operation: OperationOptions, host?: string) {
  const { onEvent, signal } = readContext(handle, operation);
  const state = stateOf(opened.get(handle)!.options);
  const client = await clientId(state, systemRandom, state === undefined ? ignoreEvents : onEvent);
  const identity = { client, host: host ?? hostName(), user: userName() ?? "unknown", tool_version: TOOL_VERSION };
  const stages = pluginsOf(handle)?.host.stages;
  const pool = () => new WorkerPool(workerCount(), undefined, stages);
  const { registry, random } = innerOf(handle).context;
  return { files: openFileSystem(), registry, random, pool, identity, onEvent, signal };
}

/** One for each core. */
export function workerCount(): number {
  return Math.max(1, Math.min(navigator.hardwareConcurrency, LIMITS.workersMax));
}

/** Remembers a new snapshot where the repository was opened with a folder for that. */
export async function pin(handle: Repository, id: string | null, paths: readonly string[]): Promise<void> {
  if (id !== null) await pinsOf(opened.get(handle)!.options)?.pinHead(innerOf(handle), id, paths);
}
