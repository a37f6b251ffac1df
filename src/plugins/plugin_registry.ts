/**
 * All plugins of this process, built in and from files, each as a succession of generations of which one serves. A swap is one
 * assignment: who holds a lease keeps its generation until it lets go, and the next lease is one of the new generation.
 */
import type { Clock } from "../base/clock.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { BUILT_IN } from "../stages/codec.ts";
import { canReturn, type Generation, isServing } from "./generation.ts";
import { nameOfPlugin, type PluginIdentity } from "./plugin_failure.ts";
import type { PluginEventSink, SwitchCause } from "./plugin_events.ts";
import type { PluginSource } from "./plugin_source.ts";
import { probe } from "./probe.ts";
import { type Lease, type Live, RegistryEntry } from "./registry_entry.ts";
import { type Quarantine, Succession } from "./succession.ts";

export interface RegistrySettings {
  readonly clock: Clock;
  readonly onEvent?: PluginEventSink;
  /** Called when the threads of a generation have ended, each of which may leave memory behind. */
  readonly onRetired?: () => void;
}

export class PluginRegistry {
  readonly #entries = new Map<string, RegistryEntry>();
  readonly #listeners = new Set<() => void>();

  constructor(readonly settings: RegistrySettings) {}

  /** Called after each change of who serves, before anybody else runs. */
  onSwitch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts a plugin into service that needs no probe: it is part of this program, or was probed when it was installed. */
  introduce(source: PluginSource): void {
    const entry = this.#entryOf(source.plugin.pluginId), now = this.#now();
    const { number } = entry.succession.discover(source.plugin, now);
    for (const state of ["verified", "compiled", "staged", "probed"] as const) {
      entry.succession.advance(number, state, now);
    }
    entry.live.set(number, { source, open: source.open(), module: undefined, leases: 0, closing: undefined });
    this.#serve(entry, number, "load");
  }

  /**
   * Stages a generation beside the one that serves, probes it and switches to it. Where it fails, the old one goes on as if
   * nothing had been, and the failure is thrown.
   */
  replace(source: PluginSource, cause: SwitchCause = "replace"): Promise<Generation> {
    const entry = this.#entryOf(source.plugin.pluginId);
    return entry.exclusive(async () => {
      const { succession } = entry;
      const { number } = succession.discover(source.plugin, this.#now());
      const live: Live = { source, open: source.open(), module: undefined, leases: 0, closing: undefined };
      try {
        succession.advance(number, "verified", this.#now());
        const probed = this.#probe(entry, live); // its thread comes up while the module is compiled
        await Promise.all([this.#compile(entry, number, live), probed]);
        succession.advance(number, "probed", this.#now());
      } catch (error) {
        succession.advance(number, "rejected", this.#now(), messageOf(error));
        await live.open!.pool?.close();
        throw error;
      }
      entry.live.set(number, live);
      return this.#serve(entry, number, cause);
    });
  }

  async #compile({ succession }: RegistryEntry, number: number, live: Live): Promise<void> {
    live.module = await live.open!.pool?.compile();
    succession.advance(number, "compiled", this.#now());
    succession.advance(number, "staged", this.#now());
  }

  async #probe(entry: RegistryEntry, fresh: Live): Promise<void> {
    const old = entry.succession.current === undefined ? undefined : entry.lease(entry.succession.current.number);
    try {
      await probe({ source: fresh.source, open: fresh.open! }, old);
    } finally {
      old?.release();
    }
  }

  /** Notes one that may not be used: it waits for a grant, or was refused before it could be staged. */
  note(plugin: PluginIdentity, state: "held" | "rejected", reason: string): void {
    const entry = this.#entryOf(plugin.pluginId);
    const { number } = entry.succession.discover(plugin, this.#now());
    entry.succession.advance(number, state, this.#now(), reason);
    entry.forget();
  }

  /** Of the generation of these bytes that serves, or could come back at once. */
  sourceOf(pluginId: string, sha256: string): PluginSource | undefined {
    const entry = this.#entries.get(pluginId);
    const found = entry?.succession.all.findLast((each) =>
      (canReturn(each) || isServing(each)) && each.plugin.sha256 === sha256
    );
    return found && entry!.live.get(found.number)?.source;
  }

  /** Of any generation that still has a module here, also one in quarantine that made frames before. */
  moduleOf(sha256: string): PluginSource["module"] {
    const all = [...this.#entries.values()].flatMap(({ live }) => [...live.values()]);
    return all.find(({ source }) => source.plugin.sha256 === sha256)?.source.module;
  }

  /** Brings the generation before back, or the last one of these bytes, at once. Throws `plugin_missing` if none is kept. */
  rollBack(pluginId: string, sha256?: string): Generation {
    const entry = this.#entries.get(pluginId);
    const previous = sha256 === undefined
      ? entry?.succession.previous(this.#now(), entry.mayServe)
      : entry?.succession.all.findLast((each) => canReturn(each) && each.plugin.sha256 === sha256);
    if (entry === undefined || previous === undefined) {
      throw new AxiomError("plugin_missing", `Cannot roll the plugin ${pluginId} back: no generation before is kept`, {
        hint: "Load the file that you want with `axiom plugin replace`",
      });
    }
    return this.#serve(entry, previous.number, "rollback");
  }

  /** Takes a plugin out of service; calls in flight finish. Where it replaced a built-in one, that serves again. */
  unload(pluginId: string): void {
    const entry = this.#entries.get(pluginId);
    if (entry?.succession.current === undefined) return;
    const builtIn = entry.succession.all.find((each) => canReturn(each) && each.plugin.sha256 === BUILT_IN);
    if (builtIn !== undefined) return void this.#serve(entry, builtIn.number, "unload");
    const from = entry.succession.withdraw(this.#now());
    this.#switched(entry, "unload", from, undefined);
  }

  /**
   * Calls of generations that `isAllowed` does not name fail from now on with what `why` says; calls in flight finish. They are
   * out of service.
   */
  refuse(
    pluginId: string,
    isAllowed: (source: PluginSource) => boolean,
    why: (plugin: PluginIdentity) => AxiomError,
  ): void {
    const entry = this.#entries.get(pluginId);
    if (entry === undefined) return;
    for (const live of entry.live.values()) {
      const { plugin } = live.source;
      live.refusal = plugin.sha256 === BUILT_IN || isAllowed(live.source) ? undefined : why(plugin);
    }
    const { current } = entry.succession;
    if (current !== undefined && entry.live.get(current.number)?.refusal !== undefined) this.unload(pluginId);
  }

  /** Of the generation that serves now. Throws `plugin_missing`, or `plugin_failed` if it is in quarantine. */
  lease(pluginId: string): Lease {
    const entry = this.#entries.get(pluginId);
    const current = entry?.succession.current;
    if (entry !== undefined && current !== undefined) return entry.lease(current.number);
    const bad = entry?.succession.all.findLast(({ state }) => state === "quarantined");
    if (bad !== undefined) {
      throw new AxiomError(
        "plugin_failed",
        `Cannot call ${nameOfPlugin(bad.plugin)}: it is in quarantine: ${bad.reason}`,
        {
          hint: "Replace it with a version that works",
        },
      );
    }
    const refusal = [...entry?.live.values() ?? []].findLast(({ refusal }) => refusal !== undefined)?.refusal;
    if (refusal !== undefined) throw refusal;
    throw new AxiomError("plugin_missing", `Cannot call the plugin ${pluginId}: none of this id is in service`, {
      hint: "`axiom plugin list` shows what is installed",
    });
  }

  isServing(pluginId: string): boolean {
    return this.#entries.get(pluginId)?.succession.current !== undefined;
  }

  /** Of one generation that serves or is kept; undefined where it is neither. */
  leaseOf(pluginId: string, generation: number): Lease | undefined {
    const entry = this.#entries.get(pluginId);
    const found = entry?.succession.all.find(({ number }) => number === generation);
    const isThere = found !== undefined && (isServing(found) || canReturn(found)) && entry!.live.has(generation);
    return isThere ? entry!.lease(generation) : undefined;
  }

  /** Of every plugin that serves, and of the generations before that are kept, newest first. */
  leases(): { lease: Lease; isServing: boolean }[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const kept = entry.succession.all.filter(canReturn).sort((a, b) => b.number - a.number);
      const all = entry.succession.current === undefined ? kept : [entry.succession.current, ...kept];
      return all.filter(({ number }) => entry.live.has(number))
        .map((each) => ({ lease: entry.lease(each.number), isServing: isServing(each) }));
    });
  }

  /** Something built in works in its place. */
  gaveWay(pluginId: string, generation: number, reason: string): void {
    const entry = this.#entries.get(pluginId);
    const plugin = entry?.succession.all.find(({ number }) => number === generation)?.plugin;
    if (plugin === undefined || entry!.gaveWay.has(generation)) return;
    entry!.gaveWay.add(generation);
    this.settings.onEvent?.({ type: "gave_way", plugin, reason });
  }

  /** What is known of every plugin, newest generation last. */
  list(): { source: PluginSource; generations: readonly Generation[]; current: Generation | undefined }[] {
    return [...this.#entries.values()].flatMap(({ succession, live }) => {
      const newest = succession.current ?? succession.all.at(-1);
      const source = newest && live.get(newest.number)?.source;
      return source === undefined ? [] : [{ source, generations: [...succession.all], current: succession.current }];
    });
  }

  /** Waits until no generation drains any more. Whoever holds a lease for ever is waited for as long. */
  async settled(): Promise<void> {
    for (const { live } of this.#entries.values()) await Promise.all([...live.values()].map(({ closing }) => closing));
  }

  /** Ends all instances; calls in flight finish. */
  async close(): Promise<void> {
    const all = [...this.#entries.values()];
    await Promise.all(all.map(({ tail }) => tail));
    await Promise.all(all.flatMap(({ live }) => [...live.values()].map(({ open }) => open?.pool?.close())));
    await this.settled();
  }

  #serve(entry: RegistryEntry, number: number, cause: SwitchCause): Generation {
    const from = entry.succession.serve(number, this.#now());
    this.#switched(entry, cause, from, entry.succession.current!);
    return entry.succession.current!;
  }

  #switched(
    entry: RegistryEntry,
    cause: SwitchCause,
    from: Generation | undefined,
    to: Generation | undefined,
    reason?: string,
  ): void {
    const { pluginId } = entry.succession;
    for (const listener of this.#listeners) listener();
    this.settings.onEvent?.({ type: "switched", pluginId, cause, from, to, reason });
    if (from !== undefined) entry.drain(from.number);
    entry.forget();
  }

  #entryOf(pluginId: string): RegistryEntry {
    const known = this.#entries.get(pluginId);
    if (known !== undefined) return known;
    const succession = new Succession(pluginId, ({ plugin, number, state, reason }, from) => {
      this.settings.onEvent?.({ type: "state", plugin, generation: number, from, state, reason });
    });
    const onQuarantine = ({ quarantined }: Quarantine, why: string) =>
      this.#switched(entry, "quarantine", quarantined, succession.current, why);
    const { clock, onRetired = () => {} } = this.settings;
    const entry: RegistryEntry = new RegistryEntry(succession, clock, onQuarantine, onRetired);
    this.#entries.set(pluginId, entry);
    return entry;
  }

  #now(): number {
    return this.settings.clock.monotonicMs();
  }
}
