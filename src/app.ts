/** The composition root: the only place that knows every implementation. */
import { join } from "node:path";
import { type Clock, systemClock } from "./base/clock.ts";
import { AxiomError, isKind } from "./base/errors.ts";
import type { EventSink } from "./base/events.ts";
import { LIMITS } from "./base/limits.ts";
import { type Random, systemRandom } from "./base/random.ts";
import { TOOL_VERSION } from "./base/version.ts";
import type { App, NewRepository, NewSecretSource, RepositoryUse } from "./cli/app.ts";
import type { AppSettings } from "./cli/context.ts";
import type { Notifier } from "./cli/teller.ts";
import { loadConfig, type LoadedConfig } from "./config/load.ts";
import type { PluginOption } from "./config/plugin_settings.ts";
import type { Config } from "./config/schema.ts";
import { endContext, type OperationEnd } from "./operations/end_context.ts";
import { RunLog } from "./operations/run_log.ts";
import { absolute } from "./operations/source_list.ts";
import { readAnswer } from "./platform/terminal.ts";
import { fidelityWarning } from "./platform/fidelity.ts";
import type { FileSystem } from "./platform/file_system.ts";
import { hostName, userName } from "./platform/host.ts";
import { openFileSystem } from "./platform/open_file_system.ts";
import { readBounded } from "./platform/read_bounded.ts";
import { type StateFiles, stateFiles } from "./platform/state_files.ts";
import { cacheFolder, dataFolder, runtimeFolder, stateFolder } from "./platform/user_folders.ts";
import type { Decoders } from "./plugins/decoders.ts";
import type { PluginHost } from "./plugins/plugin_host.ts";
import { PLUGINS_LOCK } from "./plugins/plugins_lock.ts";
import { disabledError } from "./plugins/unusable.ts";
import type { StreamProvider } from "./plugins/plugin_streams.ts";
import type { EntryFilter } from "./plugins/wasm_filter.ts";
import type { RunContext, RunPlugin } from "./plugins/wasm_run.ts";
import type { BackupStrategy } from "./plugins/wasm_strategy.ts";
import { clientId } from "./repository/client_id.ts";
import { openKeys } from "./repository/open_keys.ts";
import { PinStore } from "./repository/pins.ts";
import { Repository } from "./repository/repository.ts";
import type { Secret } from "./repository/secret.ts";
import { newSecret, openingSecret, type SecretSource } from "./repository/secret_source.ts";
import type { WriterIdentity } from "./repository/writer.ts";
import type { DecoderHost } from "./stages/decoder_host.ts";
import { builtInStages, type StageRegistry } from "./stages/registry.ts";
import { WorkerPool } from "./stages/worker_pool.ts";
import type { ObjectStore } from "./storage/object_store.ts";
import { displayLocation, parseLocation } from "./storage/location.ts";
import { type OpenedStore, openStore, type StoreSettings } from "./storage/open_store.ts";

export async function openApp(settings: AppSettings): Promise<App> {
  const loaded = await loadConfig({
    folder: Deno.cwd(),
    env: settings.environment.variables(),
    flags: settings.flags,
    configFile: settings.globals.configPath,
    profile: settings.globals.profile,
    readFile: readBounded,
  });
  return new WiredApp(settings, loaded);
}

/** What is shorter would stand in many a text by chance. */
const SECRET_LENGTH_MIN = 6;

class WiredApp implements App {
  readonly config: Config;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly clock: Clock = systemClock;
  readonly random: Random = systemRandom;
  /** Why an installed plugin cannot be used, by its id. */
  readonly #absent = new Map<string, AxiomError>();
  readonly registry: StageRegistry = builtInStages(this.#absent);
  readonly files: FileSystem = openFileSystem();
  readonly folder = Deno.cwd();
  readonly location: string | undefined;
  readonly workers = Math.max(1, Math.min(navigator.hardwareConcurrency, LIMITS.workersMax));
  readonly stateFolder: string | undefined;
  readonly #settings: AppSettings;
  readonly #state: StateFiles | undefined;
  readonly #log = new RunLog(systemClock);
  readonly #foreign = new Set<string>();
  #opened: Promise<OpenedStore> | undefined;
  #repository: Promise<Repository> | undefined;
  #distrust: AxiomError | undefined;
  #plugins: Promise<PluginHost> | undefined;
  #host: PluginHost | undefined;
  #decoders: Decoders | undefined;
  #listening: Promise<void> | undefined;

  constructor(settings: AppSettings, readonly loaded: LoadedConfig) {
    this.#settings = settings;
    this.config = loaded.config;
    this.events = this.#log.listen(settings.events);
    this.signal = settings.signal;
    this.location = settings.globals.location ?? this.config.repository.location;
    this.stateFolder = stateFolder((name) => settings.environment.variable(name));
    if (this.stateFolder !== undefined) this.#state = stateFiles(this.stateFolder);
  }

  get pluginFolder(): string | undefined {
    const data = dataFolder((name) => this.#settings.environment.variable(name));
    return data && join(data, "plugins");
  }

  get cacheFolder(): string | undefined {
    const { globals: { cache }, environment } = this.#settings;
    if (cache.kind === "none" || (cache.kind === "default" && !this.config.cache.enabled)) return undefined;
    if (cache.kind === "folder") return absolute(cache.path, this.folder);
    return this.config.cache.dir ?? cacheFolder((name) => environment.variable(name));
  }

  pool(): WorkerPool {
    this.#listening ??= this.#host?.listen(this.socketFolder, this.random);
    return new WorkerPool(this.workers, undefined, this.#host?.stages);
  }

  get socketFolder(): string | undefined {
    return runtimeFolder((name) => this.#settings.environment.variable(name));
  }

  /** Opened with the first repository. What is wrong with them is a warning: a backup without plugins needs none. */
  #openPlugins(): Promise<PluginHost> {
    return this.#plugins ??= this.#pluginHost();
  }

  /** Whoever only looks needs none where none is installed; a decoder that a repository brings along opens them later. */
  async #pluginsFor(use: RepositoryUse): Promise<void> {
    const lock = this.pluginFolder && join(this.pluginFolder, PLUGINS_LOCK);
    const isThere = lock !== undefined && await Deno.stat(lock).then(() => true, () => false);
    if (use !== "look" || isThere || this.config.plugins.disabled.length > 0) await this.#openPlugins();
  }

  /** What runs plugins is a third of the program, which most commands do without. */
  async #pluginHost(): Promise<PluginHost> {
    const { openPlugins } = await import("./operations/open_plugins.ts");
    const { config: { plugins }, clock, registry: stages, events: onEvent, files, stateFolder } = this;
    const trustCodecs = [...plugins.trustCodecs, ...this.#settings.globals.trustedCodecs];
    const open = (pluginFolder: string | undefined) =>
      openPlugins({
        pluginFolder,
        stateFolder,
        plugins: { ...plugins, trustCodecs },
        options: [...plugins.options, ...this.#placeOption()],
        clock,
        instancesMax: this.workers,
        files,
        repository: () => this.#repository,
        stages,
        absent: this.#absent,
        onEvent,
        ask: this.#ask,
      });
    const { host, decoders } = await open(this.pluginFolder).catch((error) => {
      if (!(error instanceof AxiomError)) throw error;
      onEvent({ type: "warning", code: "plugins", message: `${error.message}; no plugin is used` });
      return open(undefined);
    });
    this.#host = host;
    this.#decoders = decoders;
    return host;
  }

  async filters(): Promise<EntryFilter[]> {
    const names = [...new Set(this.config.backup.filters)];
    if (names.length === 0) return [];
    const plugins = await this.#openPlugins();
    return names.map((name) => plugins.uses.filter(name));
  }

  async source(name: string): Promise<StreamProvider> {
    return (await this.#openPlugins()).uses.source(name, this.random);
  }

  async strategy(): Promise<BackupStrategy | undefined> {
    const { strategy: name } = this.config.backup;
    if (name === undefined) return undefined;
    const strategy = (await this.#openPlugins()).uses.strategy(name);
    return {
      ...strategy,
      plan: async (snapshots, nowMs, signal) => {
        const plan = await strategy.plan(snapshots, nowMs, signal);
        this.demandEnabled(`backup_${plan.mode}`);
        return plan;
      },
    };
  }

  async processors(): Promise<RunPlugin[]> {
    const names = [...new Set(this.config.backup.process)];
    if (names.length === 0) return [];
    const { uses } = await this.#openPlugins();
    return names.map((name) => uses.runner(name, "processing"));
  }

  /** A backup without the one who is told is better than none: whoever the configuration names may come later. */
  async notifiers(section: "backup" | "restore" | "check"): Promise<Notifier[]> {
    const choices = this.config[section].notify;
    if (choices.length === 0) return [];
    const { uses } = await this.#openPlugins(), isLate = this.loaded.origin(`${section}.notify`) !== "--notify";
    return choices.map(({ plugin, outcomes }) => ({ plugin: uses.runner(plugin, "notification", isLate), outcomes }));
  }

  endContext(end: OperationEnd): RunContext {
    const { config, location } = this, { password } = this.#settings.globals;
    const secrets = [
      this.#settings.environment.variable("AXIOM_PASSWORD"),
      config.repository.passwordCommand,
      password.kind === "command" ? password.command : undefined,
      ...config.plugins.options.map(({ value }) => value),
    ];
    return endContext(end, {
      log: this.#log,
      location: location === undefined ? undefined : displayLocation(location),
      host: config.backup.host ?? hostName(),
      secrets: secrets.filter((each) => each !== undefined && each.length >= SECRET_LENGTH_MIN) as string[],
    });
  }

  /** Undefined where nobody sits, or a program listens. */
  get #ask(): ((question: string) => boolean) | undefined {
    const { globals, environment } = this.#settings;
    if (globals.json || !environment.stderr.isTerminal) return undefined;
    return (question) => /^y(es)?$/i.test(readAnswer(question)?.trim() ?? "");
  }

  async identity(): Promise<WriterIdentity> {
    const host = this.config.backup.host ?? hostName();
    const client = await clientId(this.#state, this.random, this.events);
    return { client, host, user: userName() ?? "unknown", tool_version: TOOL_VERSION };
  }

  async openStore(): Promise<ObjectStore> {
    return (await this.#openPlace(false)).store;
  }

  async probeStore() {
    return await (await this.#openPlace(false)).probe?.();
  }

  #openPlace(make: boolean): Promise<OpenedStore> {
    return this.#opened ??= this.#placeOf(make);
  }

  async #placeOf(make: boolean): Promise<OpenedStore> {
    const { location, clock, random, events: onEvent, config: { limits } } = this;
    const { globals } = this.#settings;
    if (location === undefined) {
      throw new AxiomError("usage", "Cannot tell which repository is meant: none is given", {
        hint: "Give it with --repo <location>, or set AXIOM_REPOSITORY",
      });
    }
    const throttle = {
      uploadKibPerSecond: globals.uploadKibPerSecondMax ?? kibOf(limits.upload),
      downloadKibPerSecond: globals.downloadKibPerSecondMax ?? kibOf(limits.download),
      hurry: this.signal,
    };
    const onForeign = (path: string) => void (this.#foreign.size < LIMITS.foreignPathsMax && this.#foreign.add(path));
    if (parseLocation(location).kind === "local") this.demandEnabled("storage_local");
    const openPlugin: StoreSettings["openPlugin"] = async ({ pluginId }, heard) =>
      (await this.#openPlugins()).uses.storage(pluginId, { ...heard, random, location: displayLocation(location) });
    return await openStore(location, { make, throttle, clock, random, onEvent, onForeign, openPlugin });
  }

  /** What the location says to the plugin that keeps the repository. */
  #placeOption(): PluginOption[] {
    const place = this.location === undefined ? undefined : parseLocation(this.location);
    if (place?.kind !== "plugin" || place.url === undefined) return [];
    return [{ pluginId: place.pluginId, key: "url", value: place.url }];
  }

  demandEnabled(pluginId: string): void {
    if (this.config.plugins.disabled.includes(pluginId)) throw disabledError(pluginId);
  }

  foreignPaths(): readonly string[] {
    return [...this.#foreign];
  }

  async openRepository(use: RepositoryUse, whileDeriving?: () => void): Promise<Repository> {
    const repository = await (this.#repository ??= this.#openRepository(use, whileDeriving));
    if (use !== "look") await this.#openPlugins();
    if (this.#distrust === undefined || use === "check") return repository;
    if (use === "write") throw this.#distrust;
    const { message, hint } = this.#distrust;
    this.events({ type: "warning", code: this.#distrust.kind, message: `${message}. ${hint}` });
    return repository;
  }

  /** Plugins are opened while the key is derived. */
  async #openRepository(use: RepositoryUse, whileDeriving?: () => void): Promise<Repository> {
    const store = await this.openStore();
    const secret = await openingSecret(this.#secretSource(), store.location, this.signal);
    let plugins: Promise<void> | undefined;
    const onDeriving = () => {
      plugins = this.#pluginsFor(use).then(() => whileDeriving?.());
      plugins.catch(() => {}); // told below
    };
    const opened = await openKeys(store, secret, { onDeriving, signal: this.signal });
    await plugins;
    const repository = new Repository(store, opened, this.#context());
    try {
      await this.#pins?.check(repository, this.signal);
    } catch (error) {
      if (!isKind(error, "repository_changed")) throw error;
      this.#distrust = error;
    }
    return repository;
  }

  get distrust(): AxiomError | undefined {
    return this.#distrust;
  }

  async createRepository({ kdf, slotLabel }: NewRepository): Promise<Repository> {
    const { store } = await this.#openPlace(true);
    for await (const _ of store.list("", this.signal)) if (this.#foreign.size > 0) break;
    for (const path of this.#foreign) {
      throw new AxiomError("repository_exists", `Cannot make a repository in ${store.location}: it holds ${path}`, {
        hint: "Choose an empty folder",
      });
    }
    const secret = await newSecret(this.#secretSource(), `the new repository ${store.location}`, this.signal);
    const repository = await Repository.create(store, { secret, kdf, slotLabel, signal: this.signal }, this.#context());
    await this.#pins?.forget(store.location);
    await this.#pins?.check(repository, this.signal);
    return repository;
  }

  newSecret({ keyFile, passwordFile, passwordCommand }: NewSecretSource): Promise<Secret> {
    const source: SecretSource = keyFile !== undefined
      ? { kind: "key_file", path: keyFile }
      : passwordFile !== undefined
      ? { kind: "file", path: passwordFile }
      : passwordCommand !== undefined
      ? { kind: "command", command: passwordCommand }
      : { kind: "terminal" };
    return newSecret(source, "the new key slot", this.signal);
  }

  /** What flags and environment say, else the configuration. */
  #secretSource(): SecretSource {
    const { globals: { password }, environment } = this.#settings;
    const { passwordFile, passwordCommand, keyFile } = this.config.repository;
    if (password.kind === "environment") return { kind: "given", password: environment.variable("AXIOM_PASSWORD")! };
    if (password.kind !== "terminal") return password;
    if (keyFile !== undefined) return { kind: "key_file", path: keyFile };
    if (passwordFile !== undefined) return { kind: "file", path: passwordFile };
    return passwordCommand === undefined ? password : { kind: "command", command: passwordCommand };
  }

  #context() {
    const { registry, random, clock, events } = this;
    return { registry, random, clock, onEvent: events, decoders: this.#lateDecoders };
  }

  get #lateDecoders(): DecoderHost {
    return {
      moduleOf: (sha256) => this.#decoders?.moduleOf(sha256),
      provide: async (entry, load) => {
        await this.#openPlugins();
        await this.#decoders!.provide(entry, load);
      },
    };
  }

  get #pins(): PinStore | undefined {
    return this.#state && new PinStore(this.#state, this.events);
  }

  async pinSnapshot(id: string, paths: readonly string[]): Promise<void> {
    await this.#pins?.pinHead(await this.openRepository("write"), id, paths);
  }

  async acceptRepository(): Promise<string> {
    const { location } = await this.openStore();
    await this.#pins?.forget(location);
    return location;
  }

  async warnOfLosses(): Promise<void> {
    const message = fidelityWarning(this.files.fidelity);
    if (message !== undefined) this.events({ type: "warning", code: "fidelity", message });
    const { store } = await this.#openPlace(false);
    if (store.traits.missing.length === 0) return;
    const text = `The store ${store.location} lacks ${store.traits.missing.join(", ")}; it is used without`;
    this.events({ type: "warning", code: "store", message: text });
  }

  async close(): Promise<void> {
    await this.#plugins?.catch(() => undefined);
    await this.#listening;
    await this.#host?.close();
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.store.close();
  }
}

function kibOf(bytesPerSecond: number): number | undefined {
  return bytesPerSecond === 0 ? undefined : bytesPerSecond / 1024;
}
