import type { Clock } from "../base/clock.ts";
import type { AxiomError } from "../base/errors.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { isServing } from "./generation.ts";
import type { CallOptions } from "./instance_pool.ts";
import type { OpenPlugin, PluginSource } from "./plugin_source.ts";
import { PluginFailure } from "./plugin_failure.ts";
import type { Quarantine, Succession } from "./succession.ts";

/** What runs of a generation. */
export interface Live {
  readonly source: PluginSource;
  open: OpenPlugin | undefined;
  module: WebAssembly.Module | undefined;
  leases: number;
  closing: Promise<void> | undefined;
  /** Why no call begins any more. */
  refusal?: AxiomError;
}

/** A generation that stays as it is until {@linkcode release}. */
export interface Lease {
  readonly generation: number;
  readonly source: PluginSource;
  readonly open: OpenPlugin;
  call(call: PluginCall, options?: CallOptions): Promise<PluginAnswer>;
  /** Runs what calls it; a fault that the host made counts against it. */
  run<T>(task: () => T | Promise<T>): Promise<T>;
  /** It gave an answer that turned out to be wrong. */
  fault(why: string): void;
  release(): void;
}

/** A plugin in the registry: who serves of its generations, and what runs of them. */
export class RegistryEntry {
  readonly live = new Map<number, Live>();
  /** Generations in whose place something built in worked. */
  readonly gaveWay = new Set<number>();
  /** Changes of one plugin follow each other. */
  tail: Promise<unknown> = Promise.resolve();

  constructor(
    readonly succession: Succession,
    readonly clock: Clock,
    readonly onQuarantine: (verdict: Quarantine, why: string) => void,
    /** Called when the threads of a generation have ended. */
    readonly onRetired: () => void,
  ) {}

  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.tail.then(task);
    this.tail = result.catch(() => {});
    return result;
  }

  /** Nothing of it was taken back. */
  readonly mayServe = (number: number): boolean => this.live.get(number)?.refusal === undefined;

  /** Opens again what was drained. */
  lease(number: number): Lease {
    const live = this.live.get(number)!;
    const open = live.open ??= live.source.open(live.module);
    const run = <T>(task: () => T | Promise<T>) => this.#run(number, task);
    let isHeld = true;
    live.leases++;
    return {
      generation: number,
      source: live.source,
      open,
      run,
      call: (call, options) => run(() => open.pool!.call(call, options)),
      fault: (why) => this.#faulted(number, why),
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        live.leases--;
        this.drain(number);
      },
    };
  }

  async #run<T>(number: number, task: () => T | Promise<T>): Promise<T> {
    const refusal = this.live.get(number)?.refusal;
    if (refusal !== undefined) throw refusal;
    try {
      const result = await task();
      this.succession.called(number, this.clock.monotonicMs());
      return result;
    } catch (error) {
      if (error instanceof PluginFailure && error.isHostFault) this.#faulted(number, error.message);
      throw error;
    }
  }

  #faulted(number: number, why: string): void {
    const verdict = this.succession.faulted(number, this.clock.monotonicMs(), why, this.mayServe);
    if (verdict !== undefined) this.onQuarantine(verdict, why);
  }

  /** Ends the instances of a generation that neither serves nor is leased. Its module stays. */
  drain(number: number): void {
    const live = this.live.get(number);
    if (live === undefined || this.#isUsed(number)) return;
    const { open } = live;
    live.open = open?.pool === undefined ? open : undefined;
    live.closing = Promise.all([live.closing, open?.pool?.close()]).then(() => {
      this.onRetired();
      if (!this.#isUsed(number) && this.live.has(number)) this.succession.drained(number, this.clock.monotonicMs());
    });
  }

  #isUsed(number: number): boolean {
    return this.#isLeased(number) || this.succession.all.some((each) => each.number === number && isServing(each));
  }

  #isLeased(number: number): boolean {
    return (this.live.get(number)?.leases ?? 0) > 0;
  }

  /** Lets the modules go of what is kept no longer. */
  forget(): void {
    const forgotten = this.succession.forget(this.clock.monotonicMs(), (number) => this.#isLeased(number));
    for (const { number } of forgotten) this.live.delete(number);
  }
}
