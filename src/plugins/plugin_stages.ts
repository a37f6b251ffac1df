import type { Bytes } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { BUILT_IN, type FormatOrigin } from "../stages/codec.ts";
import { StageRegistry } from "../stages/registry.ts";
import type { StageHost } from "../stages/stage_link.ts";
import { type StageCall, type StageFault, type StageOffer, stagesWith } from "../stages/stage_offer.ts";
import { nameOfPlugin, PluginFailure } from "./plugin_failure.ts";
import type { PluginRegistry } from "./plugin_registry.ts";
import type { PluginSource } from "./plugin_source.ts";
import type { Lease } from "./registry_entry.ts";

/**
 * Codecs and ciphers of a registry, for the workers of the data path and for this thread.
 *
 * Frames go through the owner of the workers to sandboxes that all of them share, since it alone decides which generation
 * serves and ends calls that are late: of a frame of 2.5 MiB this takes 0.3 ms more than a sandbox in each worker would.
 */
export class PluginStages implements StageHost {
  /** As things are now, also while frames are made with what was there before. */
  readonly stages: StageRegistry;
  readonly #builtIn: StageRegistry;
  readonly #listeners = new Set<() => void>();
  /** What a running job began with and nobody took over: it goes on with that though it was unloaded. */
  readonly #promised = new Map<string, Lease>();
  /** By their generations, which are below 0. */
  readonly #readers = new Map<number, Reader>();
  #held: () => void = () => {};

  /** @param builtIn Becomes what is offered with each change */
  constructor(readonly registry: PluginRegistry, builtIn: StageRegistry) {
    this.#builtIn = new StageRegistry(builtIn.codecs, builtIn.ciphers);
    this.stages = builtIn;
    registry.onSwitch(() => this.#changed());
    this.#update();
  }

  /** Reads what nothing else here does from now on, and never writes. */
  addReader(source: PluginSource): void {
    const generation = -1 - this.#readers.size;
    this.#readers.set(generation, { source, open: source.open(), generation });
    this.#changed();
  }

  #changed(): void {
    this.#update();
    for (const listener of this.#listeners) listener();
  }

  #update(): void {
    const { offers, release } = this.offer();
    this.stages.become(stagesWith(this.#builtIn, offers, this));
    this.#held();
    this.#held = release;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      for (const { release } of this.#promised.values()) release();
      this.#promised.clear();
      this.#update();
    };
  }

  offer(): { offers: StageOffer[]; release(): void } {
    const all = this.registry.leases();
    const ids = new Set(all.filter(({ isServing }) => isServing).map(({ lease }) => lease.source.plugin.pluginId));
    const leases = all.filter(({ lease }) => isStage(lease) || lease.release());
    const serving = leases.filter(({ isServing }) => isServing).map(({ lease }) => lease);
    const offers = [...serving, ...this.#left(serving, ids)].flatMap((lease) => offersOf(lease, false));
    const known = new Set(offers.flatMap(({ formatId, reads }) => [formatId, ...reads]));
    for (const { lease } of leases.filter(({ isServing }) => !isServing)) {
      if (lease.source.formats.every((each) => known.has(each))) continue;
      offers.push(...offersOf(lease, true));
      for (const each of lease.source.formats) known.add(each);
    }
    const readers = [...this.#readers.values()].filter(({ source }) =>
      !source.formats.every((each) => known.has(each))
    );
    offers.push(...readers.flatMap((reader) => offersOf(reader, true)));
    const used = (lease: Lease) =>
      offers.some(({ pluginId, generation }) =>
        pluginId === lease.source.plugin.pluginId && generation === lease.generation
      );
    for (const { lease } of leases) if (!used(lease)) lease.release();
    const release = () => leases.forEach(({ lease }) => lease.release());
    return { offers, release };
  }

  /** Generations that jobs use and that were withdrawn without a successor. */
  #left(serving: readonly Lease[], ids: ReadonlySet<string>): Lease[] {
    for (const lease of serving) {
      const { pluginId } = lease.source.plugin;
      if (this.#promised.get(pluginId)?.generation === lease.generation) continue;
      this.#promised.get(pluginId)?.release();
      this.#promised.delete(pluginId);
      const own = this.#listeners.size > 0 ? this.registry.leaseOf(pluginId, lease.generation) : undefined;
      if (own !== undefined) this.#promised.set(pluginId, own);
    }
    const isLeft = ({ source: { plugin: { pluginId } }, generation }: Lease) =>
      !ids.has(pluginId) && this.#isSound(pluginId, generation);
    return [...this.#promised.values()].filter(isLeft);
  }

  #isSound(pluginId: string, generation: number): boolean {
    const lease = this.registry.leaseOf(pluginId, generation);
    lease?.release();
    return lease !== undefined;
  }

  async call(call: StageCall): Promise<Bytes> {
    const reader = this.#readers.get(call.generation);
    if (reader !== undefined) return await read(reader, call);
    const lease = this.registry.leaseOf(call.pluginId, call.generation);
    if (lease === undefined) {
      throw new AxiomError("plugin_failed", `Cannot call the plugin ${call.pluginId}: this generation is gone`);
    }
    try {
      return await run(lease, call);
    } finally {
      lease.release();
    }
  }

  /** Ends what reads; the registry ends the rest. */
  async close(): Promise<void> {
    await Promise.all([...this.#readers.values()].map(({ open }) => open.pool?.close()));
  }

  refuse({ pluginId, generation, why, isReplaced }: StageFault): Promise<void> {
    const lease = this.registry.leaseOf(pluginId, generation);
    if (isReplaced) this.registry.gaveWay(pluginId, generation, why);
    else lease?.fault(why);
    lease?.release();
    return Promise.resolve();
  }
}

/** Of something that no registry has. */
type Reader = Pick<Lease, "source" | "open" | "generation">;

function isStage({ source: { category, plugin } }: Lease): boolean {
  return (category === "compression" || category === "encryption") && plugin.sha256 !== BUILT_IN;
}

function offersOf({ open, source, generation }: Reader, isForReading: boolean): StageOffer[] {
  const { codec, ciphers } = open;
  const common = ({ pluginId, version, formatId, decoder }: FormatOrigin) => ({
    ...{ pluginId, version, formatId, decoder, generation, isForReading },
    reads: source.formats.filter((each) => each !== formatId),
  });
  return [
    ...(codec === undefined ? [] : [{ role: "codec" as const, levels: codec.levels, ...common(codec) }]),
    ...ciphers.map((cipher) => ({
      role: "cipher" as const,
      keyBytes: cipher.keyBytes,
      overheadBytes: cipher.overheadBytes(0),
      ...common(cipher),
    })),
  ];
}

async function run(lease: Lease, call: StageCall): Promise<Bytes> {
  const { codec, ciphers: [cipher] } = lease.open;
  switch (call.operation) {
    case "encode":
      return await lease.run(() => codec!.encode(call.data, call.level));
    case "decode":
      return call.isProof
        ? await lease.run(() => proof(lease, () => codec!.decode(call.data, call.plainLength)))
        : await codec!.decode(call.data, call.plainLength);
    case "seal":
      return await lease.run(() => cipher.seal(call.key, call.aad, call.data));
    case "open":
      return await cipher.open(call.key, call.aad, call.data);
  }
}

async function read(
  { open: { codec, ciphers: [cipher] }, source: { plugin } }: Reader,
  call: StageCall,
): Promise<Bytes> {
  if (call.operation === "decode") return await codec!.decode(call.data, call.plainLength);
  if (call.operation === "open") return await cipher.open(call.key, call.aad, call.data);
  throw new AxiomError("plugin_missing", `Cannot write with ${nameOfPlugin(plugin)}: it is here for reading alone`, {
    hint: "Load the plugin with `axiom plugin load`",
  });
}

/** What it cannot decode of its own is no damage but its fault. */
async function proof(lease: Lease, decode: () => Bytes | Promise<Bytes>): Promise<Bytes> {
  try {
    return await decode();
  } catch (error) {
    if (!isKind(error, "data_damaged")) throw error;
    throw new PluginFailure(lease.source.plugin, "abi", "trust", `it cannot decode what it encoded: ${error.message}`);
  }
}
