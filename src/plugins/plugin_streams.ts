import type { Bytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { DEFAULT_RETRY, retry } from "../resilience/retry.ts";
import { PluginFailure, type PluginIdentity } from "./plugin_failure.ts";
import type { PluginRegistry } from "./plugin_registry.ts";
import type { Lease } from "./registry_entry.ts";
import { listStreams, type OfferedStream, readStream, type SourceCall } from "./wasm_source.ts";

/** A plugin of the category source. */
export interface StreamProvider {
  readonly pluginId: string;
  begin(): StreamSession;
}

/** For one backup, which goes on with what it began with where the plugin is unloaded meanwhile. */
export interface StreamSession {
  /** Fails as `AxiomError`. */
  list(signal?: AbortSignal): Promise<{ plugin: PluginIdentity; streams: OfferedStream[] }>;
  /** Of the generation that serves now, from the first byte to the last. */
  read(stream: OfferedStream, signal?: AbortSignal): StreamReading;
  end(): void;
}

export interface StreamReading {
  readonly plugin: PluginIdentity;
  /**
   * Can be read once. Fails as `AxiomError`; with one that is retriable, the stream can be begun anew: another generation
   * serves since.
   */
  readonly bytes: AsyncGenerator<Bytes>;
}

/** Calls that fail as `transient` are made again. */
export class PluginStreams implements StreamSession {
  readonly #first: Lease;

  constructor(readonly registry: PluginRegistry, readonly pluginId: string, readonly random: Random) {
    this.#first = registry.lease(pluginId);
  }

  async list(signal?: AbortSignal): Promise<{ plugin: PluginIdentity; streams: OfferedStream[] }> {
    return { plugin: this.#first.source.plugin, streams: await listStreams(this.#caller(this.#first, signal)) };
  }

  read(stream: OfferedStream, signal?: AbortSignal): StreamReading {
    const lease = this.#lease();
    return { plugin: lease.source.plugin, bytes: this.#bytes(lease, stream, signal) };
  }

  async *#bytes(lease: Lease, stream: OfferedStream, signal: AbortSignal | undefined): AsyncGenerator<Bytes> {
    try {
      yield* readStream(stream, this.#caller(lease, signal));
    } catch (error) {
      if (!(error instanceof PluginFailure) || !error.isHostFault || !this.#isReplaced(lease)) throw error;
      throw new AxiomError("source_changed", error.message, { cause: error });
    } finally {
      lease.release();
    }
  }

  /** What is unloaded goes on here. */
  #lease(): Lease {
    const { generation } = this.#first;
    const held = this.registry.isServing(this.pluginId) ? undefined : this.registry.leaseOf(this.pluginId, generation);
    return held ?? this.registry.lease(this.pluginId);
  }

  #isReplaced({ generation }: Lease): boolean {
    if (!this.registry.isServing(this.pluginId)) return false;
    const now = this.registry.lease(this.pluginId);
    now.release();
    return now.generation !== generation;
  }

  #caller({ open, run, source }: Lease, signal: AbortSignal | undefined): SourceCall {
    const { clock } = this.registry.settings;
    const once: SourceCall = (call, use) =>
      run(async () => use(await open.pool!.call(call, { signal }), source.plugin));
    return (call, use) => retry(() => once(call, use), DEFAULT_RETRY, { clock, random: this.random, signal });
  }

  end(): void {
    this.#first.release();
  }
}
