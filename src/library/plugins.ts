import type { Bytes } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import { utf8 } from "../base/bytes.ts";
import { AxiomError, throwIfAborted } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { absolute } from "../operations/source_list.ts";
import { admit } from "../plugins/admission.ts";
import { type Capability, needsGrant } from "../plugins/capabilities.ts";
import { callPlugin } from "../plugins/direct_call.ts";
import type { Generation } from "../plugins/generation.ts";
import { grantChoice } from "../plugins/grant_choice.ts";
import { installed, loadPlugin, rollBackPlugin, setGrants, unloadPlugin } from "../plugins/installed.ts";
import type { Category } from "../plugins/manifest.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import { type PluginBytes, type PluginFolder, sha256Of } from "../plugins/plugin_folder.ts";
import type { PluginHost } from "../plugins/plugin_host.ts";
import type { Grant, LockedPlugin } from "../plugins/plugins_lock.ts";
import type { LogLine, PluginMetric } from "../plugins/sandbox_protocol.ts";
import { readSignedPlugin } from "../plugins/signed_file.ts";
import { standingOf } from "../plugins/standing.ts";

/** What the program allows a plugin of what it asks for. */
export interface PluginGrant {
  /** Such as `net.http`; `all` is everything that it asks for. */
  names: "all" | readonly string[];
  /** For `net.http` of a plugin that leaves it open, as `host` or `host:port`. */
  hosts?: readonly string[];
  /** For `files` of a plugin that leaves it open; absolute. */
  folders?: readonly string[];
  /** The hosts may be in a private network, or this machine. */
  private?: boolean;
}

/** What else is said of a file that is loaded. */
export interface LoadOptions {
  /** What its `.minisig` holds; by default, of a path, the file `<path>.minisig` if there is one. */
  signature?: string;
  /** Nothing by default, beyond what the version before was granted. */
  grant?: PluginGrant;
  /** Its abort, before anything is installed, ends it. */
  signal?: AbortSignal;
}

/** A plugin of this program, or one that is installed. */
export interface ListedPlugin {
  /** As its manifest says. */
  readonly pluginId: string;
  /** Of what is installed. */
  readonly version: string;
  /** Of the file, in hexadecimal; `built-in` for what comes with AXIOM. */
  readonly sha256: string;
  /** Undefined where its file cannot be read. */
  readonly category: Category | undefined;
  /** The same. */
  readonly description: string | undefined;
  /** `held` waits for a grant of what is `missing`; `refused` has a `problem`. */
  readonly state: "ready" | "held" | "refused";
  /** What it may do beyond its own memory. */
  readonly grants: readonly Grant[];
  /** What it asks for beyond that. */
  readonly missing: readonly Capability[];
  /** Why the installed version does not serve. */
  readonly problem: string | undefined;
  /** What the next call goes to; another version than the installed one where that cannot be used. */
  readonly serving: PluginIdentity | undefined;
  /** What became of its versions in this process, the newest last. */
  readonly generations: readonly Generation[];
}

/** How a plugin is called. */
export interface CallOptions {
  /** The header of an operation; an export of a stock Extism module has none. */
  parameters?: Readonly<Record<string, unknown>>;
  /** 64 MiB by default; a plugin that writes more is ended. */
  outputBytesMax?: number;
  /** Its abort ends the call; a plugin that goes on is stopped 250 ms later. */
  signal?: AbortSignal;
}

/** What a call gave. */
export interface CallResult {
  /** What the plugin wrote, in a buffer that nobody else uses. */
  readonly output: Bytes;
  /** What the plugin set as its result; undefined where it set none. */
  readonly result: Json | undefined;
  /** At most 100 lines. */
  readonly log: readonly LogLine[];
  /** At most 100 numbers. */
  readonly metrics: readonly PluginMetric[];
}

/** Plugins of an app. What changes here changes at once for operations that run; a failure leaves everything as it was. */
export interface Plugins {
  /** What comes with AXIOM, then what is installed. */
  list(): Promise<ListedPlugin[]>;
  /**
   * Installs a plugin and puts it into service; one that asks for what was not granted is `held`. Throws `plugin_refused`, or
   * `plugin_failed` where it does not come up.
   *
   * @param file Path of a `.wasm` file, or what it holds
   */
  load(file: string | Bytes, options?: LoadOptions): Promise<ListedPlugin>;
  /**
   * Puts another version in the place of what is installed: calls in flight finish on the old one, the next ones go to the new
   * one. Grants stay if the same trusted key signed both. Throws as {@linkcode load}, and `plugin_missing`.
   */
  replace(file: string | Bytes, options?: LoadOptions): Promise<ListedPlugin>;
  /** Brings the version before back, with what it was granted. Throws `plugin_missing` if none is kept. */
  rollback(pluginId: string): Promise<ListedPlugin>;
  /**
   * Calls in flight finish, and a job that runs goes on with it. Returns the ids of what is gone. Throws `plugin_missing`, and
   * `plugin_refused` where others would not work without it, unless these go, too.
   */
  unload(pluginId: string, options?: { withDependants?: boolean }): Promise<string[]>;
  /** Allows an installed plugin what it asks for. Throws `usage` for what it does not ask for. */
  grant(pluginId: string, grant: PluginGrant): Promise<ListedPlugin>;
  /**
   * Calls an operation by name, such as `run` of a plugin for processing, or any export of a stock Extism module. Throws
   * `plugin_missing`, `plugin_failed` with what went wrong, `interrupted`, and `usage` for an operation that does not exist.
   *
   * @param input Text becomes UTF-8; copied
   */
  call(pluginId: string, name: string, input?: Bytes | string, options?: CallOptions): Promise<CallResult>;
}

export class InstalledPlugins implements Plugins {
  /** Changes follow each other. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(readonly host: PluginHost, readonly onEvent: EventSink) {}

  async list(): Promise<ListedPlugin[]> {
    const plugins = await this.#folder.list();
    const here = this.host.registry.list();
    const builtIn = here.filter(({ source }) => !plugins.some(({ pluginId }) => pluginId === source.plugin.pluginId));
    return [
      ...builtIn.map(({ source, generations, current }): ListedPlugin => {
        const problem = this.host.settings.absent.get(source.plugin.pluginId)?.message;
        return {
          ...source.plugin,
          category: source.category,
          description: source.description,
          state: problem === undefined ? "ready" : "refused",
          grants: [],
          missing: [],
          problem,
          serving: current?.plugin,
          generations,
        };
      }),
      ...await Promise.all(plugins.map((each) => this.#describe(each))),
    ];
  }

  async #describe(plugin: LockedPlugin): Promise<ListedPlugin> {
    const { absent, trust, disabled } = this.host.settings, { pluginId, version, sha256, grants } = plugin;
    const { state, missing, admitted, refusal } = await standingOf(this.#folder, plugin, trust);
    const here = this.host.registry.list().find(({ source }) => source.plugin.pluginId === pluginId);
    const generations = here?.generations ?? [];
    const rejected = generations.findLast(({ plugin, reason }) => plugin.sha256 === sha256 && reason !== undefined);
    const serving = here?.current?.plugin;
    const why = refusal ?? absent.get(pluginId);
    return {
      ...{ pluginId, version, sha256, grants, missing, serving, generations },
      category: admitted?.manifest.category,
      description: admitted?.manifest.description,
      state: disabled.includes(pluginId) ? "refused" : state,
      problem: serving?.sha256 === sha256 ? undefined : why?.message ?? rejected?.reason,
    };
  }

  load(file: string | Bytes, options: LoadOptions = {}): Promise<ListedPlugin> {
    return this.#install(file, options, false);
  }

  replace(file: string | Bytes, options: LoadOptions = {}): Promise<ListedPlugin> {
    return this.#install(file, options, true);
  }

  async #install(given: string | Bytes, options: LoadOptions, replaces: boolean): Promise<ListedPlugin> {
    const { signal, grant } = options;
    throwIfAborted(signal);
    const file = await read(given, options.signature);
    const { manifest: { pluginId, capabilities } } = admit(file.bytes, { name: file.name });
    const granted = grant && grantChoice(pluginId, capabilities.filter(needsGrant), requestOf(grant));
    return await this.#exclusive(async () => {
      throwIfAborted(signal);
      const before = (await this.#folder.list()).find((each) => each.pluginId === pluginId);
      const { trust, clock } = this.host.settings;
      const undo = await this.#undoing(before);
      const { plugin, doubt } = await loadPlugin(this.#folder, file, trust, { replaces, tryWith: clock });
      if (granted !== undefined) await setGrants(this.#folder, plugin, (held) => merged(held, granted));
      const listed = await this.#served(pluginId, plugin.sha256, () => undo(plugin));
      if (doubt !== undefined) {
        const message = `The plugin ${pluginId} ${plugin.version} is used without a trusted signature: ${doubt}`;
        this.onEvent({ type: "warning", code: "plugin_signature", message });
      }
      return listed;
    });
  }

  /** Puts back what was installed before, with the version before that, which the folder keeps no longer. */
  async #undoing(before: LockedPlugin | undefined): Promise<(loaded: LockedPlugin) => Promise<void>> {
    const { pluginId, previous } = before ?? {};
    const file = pluginId && previous && await this.#folder.open({ pluginId, ...previous }).catch(() => undefined);
    return async ({ pluginId, sha256 }) => {
      if (before?.sha256 === sha256) return;
      await this.#folder.change((plugins) =>
        plugins.flatMap((each) => {
          if (each.pluginId !== pluginId || each.sha256 !== sha256) return [each];
          return before === undefined ? [] : [{ ...before, grants: each.previous?.grants ?? before.grants }];
        }), file ? [file] : []);
    };
  }

  rollback(pluginId: string): Promise<ListedPlugin> {
    return this.#exclusive(async () => {
      const { trust } = this.host.settings;
      const { sha256 } = await rollBackPlugin(this.#folder, pluginId, trust);
      return await this.#served(pluginId, sha256, async () => {
        await rollBackPlugin(this.#folder, pluginId, trust);
      });
    });
  }

  unload(pluginId: string, { withDependants = false }: { withDependants?: boolean } = {}): Promise<string[]> {
    return this.#exclusive(async () => {
      const gone = await unloadPlugin(this.#folder, pluginId, { withDependants });
      await this.host.sync();
      return gone.map((each) => each.pluginId);
    });
  }

  grant(pluginId: string, grant: PluginGrant): Promise<ListedPlugin> {
    return this.#exclusive(async () => {
      const plugin = installed(await this.#folder.list(), pluginId);
      const { admitted, refusal } = await standingOf(this.#folder, plugin, this.host.settings.trust);
      if (admitted === undefined) throw refusal;
      const granted = grantChoice(pluginId, admitted.manifest.capabilities.filter(needsGrant), requestOf(grant));
      await setGrants(this.#folder, plugin, (held) => merged(held, granted));
      return await this.#served(pluginId, plugin.sha256, () => Promise.resolve());
    });
  }

  async call(
    pluginId: string,
    name: string,
    input: Bytes | string = "",
    { parameters, outputBytesMax, signal }: CallOptions = {},
  ): Promise<CallResult> {
    const bytes = typeof input === "string" ? utf8(input) : input;
    const call = { parameters, outputBytesMax, signal, input: bytes };
    const { output, result, log, metrics } = await callPlugin(this.host.uses.atHand, pluginId, name, call);
    return { output, result: result === undefined ? undefined : jsonOf(pluginId, name, result), log, metrics };
  }

  /** Puts into service what is installed now; where that cannot serve, and not for want of a grant, nothing has changed. */
  async #served(pluginId: string, sha256: string, undo: () => Promise<void>): Promise<ListedPlugin> {
    const changes = await this.host.sync();
    const listed = await this.#describe(installed(await this.#folder.list(), pluginId));
    if (listed.state === "held" || listed.serving?.sha256 === sha256) return listed;
    await undo();
    await this.host.sync();
    const why = changes.find((each) => each.pluginId === pluginId)?.reason ?? listed.problem;
    throw new AxiomError("plugin_failed", why ?? `Cannot use the plugin ${pluginId} ${listed.version}`, {
      hint: "Try it alone with `axiom plugin test <file>`",
    });
  }

  get #folder(): PluginFolder {
    return this.host.settings.folder!;
  }

  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }
}

async function read(file: string | Bytes, signature: string | undefined): Promise<PluginBytes & { name?: string }> {
  if (typeof file !== "string") return { bytes: file, sha256: sha256Of(file), signature };
  const signed = await readSignedPlugin(absolute(file, Deno.cwd()));
  return signature === undefined ? signed : { ...signed, signature };
}

function requestOf({ names, hosts = [], folders = [], private: isPrivate = false }: PluginGrant) {
  return { names, hosts, folders, private: isPrivate };
}

function merged(held: readonly Grant[], granted: readonly Grant[]): Grant[] {
  return [...held.filter(({ name }) => !granted.some((each) => each.name === name)), ...granted];
}

function jsonOf(pluginId: string, name: string, text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new AxiomError("plugin_failed", `Cannot use what ${name} of ${pluginId} answered: its result is no JSON`, {
      hint: "This is for the plugin's author to correct",
    });
  }
}
