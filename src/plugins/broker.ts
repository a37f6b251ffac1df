import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { throwIfAborted } from "../base/errors.ts";
import type { Operation, Verb } from "./abi.ts";
import type { CapabilityService } from "./capability_service.ts";
import { PluginFailure, type PluginIdentity } from "./plugin_failure.ts";
import type { AskMessage } from "./host_line.ts";
import type { FromSandbox, LogLine, PluginMetric, StockExport, ToSandbox } from "./sandbox_protocol.ts";
import { ServiceDesk } from "./service_desk.ts";

/** What a broker needs of a worker. */
export interface SandboxWorker {
  postMessage(message: ToSandbox, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<FromSandbox>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

/** A thread that may nothing: no file, no variable, no network. */
export function startSandboxWorker(): SandboxWorker {
  return new Worker(new URL("./sandbox_worker.ts", import.meta.url), {
    type: "module",
    name: "plugin",
    deno: { permissions: "none" },
  });
}

export interface PluginCall {
  readonly verb: Verb | StockExport;
  readonly operation?: Operation;
  /** Becomes the JSON header. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Copied, so that the caller keeps it, unless it is given away. */
  readonly input?: Bytes;
  /** The caller does not need the input, nor anything else in its buffer, any more. */
  readonly isInputGiven?: boolean;
  /** More than this ends the call as `quota`. */
  readonly outputBytesMax?: number;
}

export interface PluginAnswer {
  /** A view of a buffer of its own, which may be longer. */
  readonly output: Bytes;
  /** JSON that the plugin gave, not yet read. */
  readonly result: string | undefined;
  readonly memoryBytes: number;
  readonly log: readonly LogLine[];
  readonly metrics: readonly PluginMetric[];
}

export interface InstanceSettings {
  readonly plugin: PluginIdentity;
  readonly module: WebAssembly.Module;
  /** Import modules to link. */
  readonly granted: readonly string[];
  /** What answers those of them that the sandbox cannot. */
  readonly services?: ReadonlyMap<string, CapabilityService>;
  readonly memoryPages: number;
  readonly loadMs: number;
  readonly callMs: number;
  /** How long a plugin may go on after its caller left. */
  readonly cancelMs: number;
  readonly clock: Clock;
}

const LATE = Symbol("late");

/** What ends a call or a load. */
type Ending = Exclude<FromSandbox, AskMessage>;

/** One plugin in one sandbox worker. One call at a time; the second one is the caller's error. */
export class PluginInstance {
  readonly #worker: SandboxWorker;
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4));
  readonly #desk: ServiceDesk | undefined;
  #answer: ((answer: Ending) => void) | undefined;
  #isUsable = true;
  #wasKilledBusy = false;

  private constructor(readonly settings: InstanceSettings, worker: SandboxWorker) {
    this.#worker = worker;
    const { services = new Map() } = settings;
    this.#desk = services.size === 0 ? undefined : new ServiceDesk(services);
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      const nothing = { isSpent: true, memoryBytes: 0, log: [] };
      this.#receive({ type: "failed", failure: "trap", message: `its worker ended: ${event.message}`, ...nothing });
      this.end();
    };
  }

  /** Fails as {@linkcode PluginFailure} if the module cannot be linked or does not come up before the deadline. */
  static async start(settings: InstanceSettings, worker = startSandboxWorker()): Promise<PluginInstance> {
    const instance = new PluginInstance(settings, worker);
    const { module, granted, memoryPages } = settings;
    const line = instance.#desk?.buffer, cancelled = instance.#cancelled;
    const message = { type: "load" as const, module, granted, memoryPages, cancelled, line };
    const answer = await instance.#ask(message, [], settings.loadMs, undefined);
    if (answer === LATE) {
      instance.#kill();
      throw new PluginFailure(settings.plugin, "deadline", "load", `it was not ready within ${settings.loadMs} ms`);
    }
    if (answer.type === "failed") {
      instance.end();
      throw new PluginFailure(settings.plugin, answer.failure, "load", answer.message, answer.log);
    }
    return instance;
  }

  /** False once a call ended in a way after which nothing is known of the plugin's state. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** It was stopped while it ran: its thread goes on for up to some seconds. */
  get wasKilledBusy(): boolean {
    return this.#wasKilledBusy;
  }

  /** Fails as {@linkcode PluginFailure}, or with `interrupted` soon after `signal` is aborted. */
  async call(call: PluginCall, signal?: AbortSignal): Promise<PluginAnswer> {
    throwIfAborted(signal);
    const { plugin, callMs } = this.settings;
    const { input: given = new Uint8Array(0), isInputGiven = false } = call;
    const input = isInputGiven ? given : given.slice();
    const { verb, operation, parameters = {}, outputBytesMax = 0 } = call;
    const header = JSON.stringify(parameters);
    const message = { type: "call" as const, verb, operation, header, input, outputBytesMax };
    const answer = await this.#ask(message, [input.buffer], callMs, signal);
    const doing = operation === "run" ? "run" : `run ${operation ?? verb.replace(/^stock:/, "")} of`;
    if (answer === LATE) {
      this.#kill();
      throwIfAborted(signal);
      throw new PluginFailure(plugin, "deadline", doing, `it did not answer within ${callMs} ms`);
    }
    if (answer.type === "done") {
      throwIfAborted(signal);
      return answer;
    }
    if (answer.type === "failed" && answer.isSpent) this.end();
    throwIfAborted(signal);
    if (answer.type === "failed") {
      throw new PluginFailure(plugin, answer.failure, doing, answer.message, answer.log, answer.isSpent);
    }
    throw new PluginFailure(plugin, "abi", doing, "it answered a call that nobody made");
  }

  /** Ends the worker at once; whatever runs in it has no answer. */
  end(): void {
    this.#isUsable = false;
    this.#worker.terminate();
  }

  #kill(): void {
    this.#wasKilledBusy = true;
    this.end();
  }

  #receive(answer: FromSandbox): void {
    if (answer.type === "ask") return void this.#desk?.receive(answer);
    this.#answer?.(answer);
    this.#answer = undefined;
  }

  async #ask(
    message: ToSandbox,
    transfer: Transferable[],
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Ending | typeof LATE> {
    if (!this.#isUsable || this.#answer !== undefined) throw new Error("A plugin's instance takes one call at a time");
    const { clock, cancelMs } = this.settings;
    Atomics.store(this.#cancelled, 0, 0);
    const { promise, resolve } = Promise.withResolvers<Ending | typeof LATE>();
    this.#answer = resolve;
    const timers = new AbortController();
    const lateAfter = (ms: number) => clock.sleep(ms, timers.signal).then(() => resolve(LATE), () => {});
    this.#desk?.begin();
    const onAbort = () => {
      Atomics.store(this.#cancelled, 0, 1);
      this.#desk?.cancel();
      lateAfter(cancelMs);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    lateAfter(limitMs);
    try {
      this.#worker.postMessage(message, transfer);
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      timers.abort();
      this.#answer = undefined;
      this.#desk?.end();
    }
  }
}
