import type { Bytes } from "../base/bytes.ts";
import { AxiomError, messageOf, throwIfAborted } from "../base/errors.ts";
import {
  type InstanceSettings,
  type PluginAnswer,
  type PluginCall,
  PluginInstance,
  type SandboxWorker,
  startSandboxWorker,
} from "./broker.ts";
import { nameOfPlugin, PluginFailure, type PluginIdentity } from "./plugin_failure.ts";
import { WaitingLine } from "./waiting_line.ts";

export interface PoolSettings extends Omit<InstanceSettings, "module"> {
  /** What admission made of the module. */
  readonly code: Bytes;
  /** The same, where it was compiled before. */
  readonly module?: WebAssembly.Module;
  /** Given to `initialize`. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly instancesMax: number;
  /** An instance that nobody called for so long is ended. */
  readonly idleMs: number;
  /** How long a thread may live on that was stopped in a busy loop. */
  readonly threadEndMs: number;
  readonly startWorker?: () => SandboxWorker;
  /** Hears of every call and every start that did not end well. */
  readonly onFailure?: (failure: PluginFailure) => void;
  /** Hears what a plugin wrote to the log, and the numbers that it told, once a call has ended well. */
  readonly onNotes?: (plugin: PluginIdentity, notes: Pick<PluginAnswer, "log" | "metrics">) => void;
}

export interface CallOptions {
  /** Callers are served in turn; all calls without one are of the same caller. */
  readonly caller?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Instances of one plugin, each in a worker of its own: started when there is work, ended when there is none. A call waits
 * for a free one; whoever awaits its calls is held back by that. An instance that failed is replaced by a fresh one.
 *
 * A thread that was stopped in a busy loop lives on for a while and keeps its place so long: there are never more threads
 * than `instancesMax`.
 */
export class InstancePool {
  #module: Promise<WebAssembly.Module> | undefined;
  readonly #waiting = new WaitingLine<PluginInstance>();
  /** The last one was used last. */
  readonly #idle: { instance: PluginInstance; timer: number }[] = [];
  readonly #busy = new Set<PluginInstance>();
  readonly #dying = new Set<number>();
  #starting = 0;
  #closing: Promise<void> | undefined;
  #drained: () => void = () => {};

  constructor(readonly settings: PoolSettings) {
    if (settings.module !== undefined) this.#module = Promise.resolve(settings.module);
  }

  get counts(): { busy: number; idle: number; waiting: number; dying: number } {
    return {
      busy: this.#busy.size + this.#starting,
      idle: this.#idle.length,
      waiting: this.#waiting.size,
      dying: this.#dying.size,
    };
  }

  /** Fails as `PluginFailure`, `plugin_refused` where the module cannot be compiled, `interrupted` when aborted. */
  async call(call: PluginCall, { caller, signal }: CallOptions = {}): Promise<PluginAnswer> {
    const instance = await this.#acquire(caller, signal);
    try {
      const answer = await instance.call(call, signal);
      if (answer.log.length + answer.metrics.length > 0) this.settings.onNotes?.(this.settings.plugin, answer);
      return answer;
    } catch (error) {
      if (error instanceof PluginFailure) this.settings.onFailure?.(error);
      throw error;
    } finally {
      this.#release(instance);
    }
  }

  /** Lets what runs or waits come to its end, then ends every instance. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#isDone) {
      await new Promise<void>((resolve) => this.#drained = resolve);
    }
    await Promise.all(
      this.#idle.splice(0).map(({ instance, timer }) => {
        clearTimeout(timer);
        return this.#retire(instance);
      }),
    );
    for (const timer of this.#dying) clearTimeout(timer);
    this.#dying.clear();
    for (const service of this.settings.services?.values() ?? []) await service.close?.();
  }

  #acquire(caller: unknown, signal: AbortSignal | undefined): Promise<PluginInstance> {
    throwIfAborted(signal);
    if (this.#closing !== undefined) {
      throw new AxiomError("plugin_failed", `Cannot call ${this.#name}: it was unloaded`);
    }
    const place = this.#waiting.wait(caller, signal, () => this.#settle());
    this.#settle();
    return place;
  }

  #release(instance: PluginInstance): void {
    this.#busy.delete(instance);
    if (instance.isUsable) this.#rest(instance);
    else if (instance.wasKilledBusy) this.#mourn();
    this.#settle();
  }

  #rest(instance: PluginInstance): void {
    const timer = setTimeout(() => {
      this.#idle.splice(this.#idle.findIndex((each) => each.instance === instance), 1);
      void this.#retire(instance);
    }, this.settings.idleMs);
    Deno.unrefTimer(timer);
    this.#idle.push({ instance, timer });
  }

  #mourn(): void {
    const timer = setTimeout(() => {
      this.#dying.delete(timer);
      this.#settle();
    }, this.settings.threadEndMs);
    this.#dying.add(timer);
  }

  /** Hands free instances to whoever waits, and starts as many as are wanted and allowed. */
  #settle(): void {
    const { instancesMax } = this.settings;
    while (this.#waiting.size > 0 && this.#idle.length > 0) {
      const { instance, timer } = this.#idle.pop()!;
      clearTimeout(timer);
      if (!instance.isUsable) continue;
      this.#busy.add(instance);
      this.#waiting.resolve(instance);
    }
    const threads = () => this.#busy.size + this.#starting + this.#dying.size;
    while (this.#starting < this.#waiting.size && threads() < instancesMax) {
      this.#starting++;
      void this.#start();
    }
    if (this.#busy.size + this.#starting + this.#waiting.size === 0) this.#drained();
  }

  async #start(): Promise<void> {
    try {
      const instance = await this.#fresh();
      this.#starting--;
      this.#rest(instance);
    } catch (error) {
      this.#starting--;
      if (error instanceof PluginFailure) {
        if (error.failure === "deadline") this.#mourn();
        this.settings.onFailure?.(error);
      }
      this.#waiting.reject(error);
    }
    this.#settle();
  }

  async #fresh(): Promise<PluginInstance> {
    const { configuration, startWorker = startSandboxWorker } = this.settings;
    const worker = startWorker(); // comes up while the module is compiled
    const module = await this.compile().catch((error) => {
      worker.terminate();
      throw error;
    });
    const instance = await PluginInstance.start({ ...this.settings, module }, worker);
    try {
      await instance.call({ verb: "initialize", parameters: configuration });
      return instance;
    } catch (error) {
      instance.end();
      throw error;
    }
  }

  /** Compiles once, however often it is asked; throws `plugin_refused`. */
  compile(): Promise<WebAssembly.Module> {
    this.#module ??= WebAssembly.compile(this.settings.code).catch((cause) => {
      throw new AxiomError("plugin_refused", `Cannot load ${this.#name}: it does not compile: ${messageOf(cause)}`, {
        hint: "Build it again; its bytes are no valid module",
        cause,
      });
    });
    return this.#module;
  }

  /** What a plugin says at its end changes nothing. */
  async #retire(instance: PluginInstance): Promise<void> {
    await instance.call({ verb: "teardown" }).catch(() => {});
    if (instance.wasKilledBusy && this.#closing === undefined) this.#mourn();
    instance.end();
  }

  get #isDone(): boolean {
    return this.#busy.size + this.#starting + this.#waiting.size === 0;
  }

  get #name(): string {
    return nameOfPlugin(this.settings.plugin);
  }
}
