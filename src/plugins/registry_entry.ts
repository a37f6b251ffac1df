import type { PluginAnswer, PluginCall } from "./broker.ts";
import type { CallOptions } from "./instance_pool.ts";
import type { OpenPlugin, PluginSource } from "./plugin_source.ts";
import type { Succession } from "./succession.ts";

/** What runs of a generation. */
export interface Live {
  readonly source: PluginSource;
  open: OpenPlugin | undefined;
  module: WebAssembly.Module | undefined;
  leases: number;
  closing: Promise<void> | undefined;
}

/** A plugin in the registry: who serves of its generations, and what runs of them. */
export class RegistryEntry {
  readonly live = new Map<number, Live>();
  /** Generations in whose place something built in worked. */
  readonly gaveWay = new Set<number>();
  /** Changes of one plugin follow each other. */
  tail: Promise<unknown> = Promise.resolve();

  constructor(readonly succession: Succession) {}

  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.tail.then(task);
    this.tail = result.catch(() => {});
    return result;
  }
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
