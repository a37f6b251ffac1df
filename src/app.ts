/** The composition root: the only place that knows every implementation. */
import { type Clock, systemClock } from "./base/clock.ts";
import { AxiomError, messageOf } from "./base/errors.ts";
import type { EventSink } from "./base/events.ts";
import { utf8 } from "./base/bytes.ts";
import { LIMITS } from "./base/limits.ts";
import { type Random, randomId, systemRandom } from "./base/random.ts";
import { TOOL_VERSION } from "./base/version.ts";
import type { App, NewRepository, NewSecretSource } from "./cli/app.ts";
import type { AppSettings } from "./cli/context.ts";
import type { PasswordSource } from "./cli/global_flags.ts";
import { loadConfig, type LoadedConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { fidelityWarning } from "./platform/fidelity.ts";
import type { FileSystem } from "./platform/file_system.ts";
import { hostName, userName } from "./platform/host.ts";
import { openFileSystem } from "./platform/open_file_system.ts";
import { readBounded } from "./platform/read_bounded.ts";
import { keyFromFile, passwordFromCommand, passwordFromFile } from "./platform/secret_input.ts";
import { type StateFiles, stateFiles } from "./platform/state_files.ts";
import { readPassword } from "./platform/terminal.ts";
import { stateFolder } from "./platform/user_folders.ts";
import { PinStore } from "./repository/pins.ts";
import { Repository } from "./repository/repository.ts";
import type { Secret } from "./repository/secret.ts";
import type { WriterIdentity } from "./repository/writer.ts";
import { builtInStages, type StageRegistry } from "./stages/registry.ts";
import { WorkerPool } from "./stages/worker_pool.ts";
import type { ObjectStore } from "./storage/object_store.ts";
import { openStore } from "./storage/open_store.ts";

export async function openApp(settings: AppSettings): Promise<App> {
  const loaded = await loadConfig({
    folder: Deno.cwd(),
    env: settings.environment.variables(),
    flags: settings.flags,
    configFile: settings.globals.configPath,
    readFile: readBounded,
  });
  return new WiredApp(settings, loaded);
}

class WiredApp implements App {
  readonly config: Config;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  readonly clock: Clock = systemClock;
  readonly random: Random = systemRandom;
  readonly registry: StageRegistry = builtInStages();
  readonly files: FileSystem = openFileSystem();
  readonly folder = Deno.cwd();
  readonly #settings: AppSettings;
  readonly #state: StateFiles | undefined;
  #store: ObjectStore | undefined;
  #repository: Promise<Repository> | undefined;

  constructor(settings: AppSettings, readonly loaded: LoadedConfig) {
    this.#settings = settings;
    this.config = loaded.config;
    this.events = settings.events;
    this.signal = settings.signal;
    const folder = stateFolder((name) => settings.environment.variable(name));
    this.#state = folder === undefined ? undefined : stateFiles(folder);
  }

  pool(): WorkerPool {
    return new WorkerPool(Math.max(1, Math.min(navigator.hardwareConcurrency, LIMITS.workersMax)));
  }

  async identity(host?: string): Promise<WriterIdentity> {
    const name = host ?? this.config.backup.host ?? hostName();
    return { client: await this.#clientId(), host: name, user: userName() ?? "unknown", tool_version: TOOL_VERSION };
  }

  /** Random, so that two machines of one name, such as containers, are told apart. */
  async #clientId(): Promise<string> {
    const id = randomId(this.random);
    try {
      if (this.#state === undefined) throw new Error("neither XDG_STATE_HOME nor HOME is set");
      const known = await this.#state.read(CLIENT_ID);
      const text = known === undefined ? "" : new TextDecoder().decode(known).trim();
      if (/^[0-9a-f]{32}$/.test(text)) return text;
      await this.#state.write(CLIENT_ID, utf8(`${id}\n`));
    } catch (error) {
      const message = `Cannot keep this machine's id: ${messageOf(error)}; a random one is used for this run`;
      this.events({ type: "warning", code: "client_id", message });
    }
    return id;
  }

  openRepository(): Promise<Repository> {
    return this.#repository ??= this.#open();
  }

  async #open(): Promise<Repository> {
    const store = await this.#openStore(false);
    const secret = await this.#secret(store.location);
    const repository = await Repository.open(store, secret, this.#context(), { signal: this.signal });
    await this.#pins?.check(repository, this.signal);
    return repository;
  }

  async createRepository({ kdf, slotLabel }: NewRepository): Promise<Repository> {
    const foreign: string[] = [];
    const store = await this.#openStore(true, (path) => foreign.push(path));
    for await (const _ of store.list("", this.signal)) if (foreign.length > 0) break;
    if (foreign.length > 0) {
      throw new AxiomError(
        "repository_exists",
        `Cannot make a repository in ${store.location}: it holds ${foreign[0]}`,
        {
          hint: "Choose an empty folder",
        },
      );
    }
    const secret = await this.#newSecretFor(`the new repository ${store.location}`, {});
    const repository = await Repository.create(store, { secret, kdf, slotLabel, signal: this.signal }, this.#context());
    await this.#pins?.forget(store.location);
    await this.#pins?.check(repository, this.signal);
    return repository;
  }

  async #openStore(make: boolean, onForeign?: (path: string) => void): Promise<ObjectStore> {
    const { globals } = this.#settings;
    const { repository, limits } = this.config;
    const location = globals.location ?? repository.location;
    if (location === undefined) {
      throw new AxiomError("usage", "Cannot tell which repository is meant: none is given", {
        hint: "Give it with --repo <location>, or set AXIOM_REPOSITORY",
      });
    }
    const throttle = {
      uploadKibPerSecond: globals.uploadKibPerSecondMax ?? kibOf(limits.upload),
      downloadKibPerSecond: globals.downloadKibPerSecondMax ?? kibOf(limits.download),
    };
    const { clock, random, events } = this;
    return this.#store = await openStore(location, { make, throttle, clock, random, onEvent: events, onForeign });
  }

  #context() {
    const { registry, random, clock, events } = this;
    return { registry, random, clock, onEvent: events };
  }

  get #pins(): PinStore | undefined {
    return this.#state && new PinStore(this.#state, this.events, () => Promise.resolve(false));
  }

  async pinSnapshot(id: string, paths: readonly string[]): Promise<void> {
    await this.#pins?.pinHead(await this.openRepository(), id, paths);
  }

  /** What the flags and the environment say, else the configuration. */
  #passwordSource(): PasswordSource | { kind: "key_file"; path: string } {
    const { password } = this.#settings.globals;
    if (password.kind !== "terminal") return password;
    const { passwordFile, passwordCommand, keyFile } = this.config.repository;
    if (keyFile !== undefined) return { kind: "key_file", path: keyFile };
    if (passwordFile !== undefined) return { kind: "file", path: passwordFile };
    return passwordCommand === undefined ? password : { kind: "command", command: passwordCommand };
  }

  async #secret(location: string): Promise<Secret> {
    return await this.#given() ??
      { kind: "password", password: readPassword(`Password of the repository ${location}: `) };
  }

  /** Undefined where it must be asked. */
  async #given(): Promise<Secret | undefined> {
    const source = this.#passwordSource();
    switch (source.kind) {
      case "key_file":
        return { kind: "key_file", bytes: await keyFromFile(source.path) };
      case "file":
        return { kind: "password", password: await passwordFromFile(source.path) };
      case "command":
        return { kind: "password", password: await passwordFromCommand(source.command, this.signal) };
      case "environment":
        return { kind: "password", password: this.#settings.environment.variable("AXIOM_PASSWORD")! };
      case "terminal":
        return undefined;
    }
  }

  newSecret(source: NewSecretSource): Promise<Secret> {
    return this.#newSecretFor("the repository", source);
  }

  async #newSecretFor(what: string, source: NewSecretSource): Promise<Secret> {
    const { keyFile, passwordFile, passwordCommand } = source;
    if (keyFile !== undefined) return { kind: "key_file", bytes: await keyFromFile(keyFile) };
    if (passwordFile !== undefined) return { kind: "password", password: await passwordFromFile(passwordFile) };
    if (passwordCommand !== undefined) {
      return { kind: "password", password: await passwordFromCommand(passwordCommand, this.signal) };
    }
    return (what === "the repository" ? undefined : await this.#given()) ??
      { kind: "password", password: askTwice(what) };
  }

  warnOfLosses(): void {
    const message = fidelityWarning(this.files.fidelity);
    if (message !== undefined) this.events({ type: "warning", code: "fidelity", message });
    const missing = this.#store?.traits.missing ?? [];
    if (missing.length > 0) {
      const text = `The store ${this.#store!.location} lacks ${missing.join(", ")}; it is used without`;
      this.events({ type: "warning", code: "store", message: text });
    }
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }
}

const CLIENT_ID = "client_id";

function kibOf(bytesPerSecond: number): number | undefined {
  return bytesPerSecond === 0 ? undefined : bytesPerSecond / 1024;
}

function askTwice(what: string): string {
  const first = readPassword(`Password of ${what}: `);
  if (first === readPassword("The same again: ")) return first;
  throw new AxiomError("usage", `Cannot use the password of ${what}: the two are not the same`);
}
