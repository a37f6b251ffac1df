import { LIMITS } from "../base/limits.ts";
import { BUILT_IN } from "../stages/codec.ts";
import { canReturn, type Generation, type GenerationState, isGone, isServing, NEXT_STATES } from "./generation.ts";
import type { PluginIdentity } from "./plugin_failure.ts";

type Draft = { -readonly [K in keyof Generation]: Generation[K] } & { faultsMs: number[]; turn: number };

/** A generation that was taken out of service for its faults, and the one that serves in its place, if any can. */
export interface Quarantine {
  readonly quarantined: Generation;
  readonly restored: Generation | undefined;
}

/**
 * Who serves, of all generations of one plugin. Decides and counts; runs nothing. Times are monotonic milliseconds, and each
 * argument `nowMs` is at least the one before.
 *
 * At most one generation serves at any time, and all that happens is a step of {@linkcode NEXT_STATES}.
 */
export class Succession {
  #generations: Draft[] = [];
  #current: Draft | undefined;
  #numbers = 0;
  #turns = 0;

  constructor(
    readonly pluginId: string,
    readonly onStep: (generation: Generation, from: GenerationState) => void = () => {},
  ) {}

  get current(): Generation | undefined {
    return this.#current;
  }

  get all(): readonly Generation[] {
    return this.#generations;
  }

  discover(plugin: PluginIdentity, nowMs: number): Generation {
    const number = ++this.#numbers;
    const state = "discovered", calls = 0, turn = 0;
    const generation: Draft = { number, plugin, state, sinceMs: nowMs, calls, faultsMs: [], turn };
    this.#generations.push(generation);
    return generation;
  }

  /** Takes a step before service; throws `RangeError` for one that cannot be. */
  advance(number: number, state: Exclude<GenerationState, "canary" | "active">, nowMs: number, reason?: string): void {
    this.#step(this.#find(number), state, nowMs, reason);
  }

  /** Puts a generation that was probed, or that is kept, into service. Returns the one that served until now. */
  serve(number: number, nowMs: number): Generation | undefined {
    const next = this.#find(number), last = this.#current;
    this.#step(next, canReturn(next) ? "active" : "canary", nowMs);
    next.turn = ++this.#turns;
    this.#current = next;
    if (last !== undefined) this.#step(last, "draining", nowMs);
    return last;
  }

  /** Takes the current generation out of service without another one. */
  withdraw(nowMs: number): Generation | undefined {
    const last = this.#current;
    this.#current = undefined;
    if (last !== undefined) this.#step(last, "draining", nowMs);
    return last;
  }

  /** Notes a call that ended well; the trial ends after enough of them and enough time. */
  called(number: number, nowMs: number): void {
    const generation = this.#find(number);
    generation.calls++;
    const isTried = generation.calls >= LIMITS.pluginCanaryCalls &&
      nowMs - generation.sinceMs >= LIMITS.pluginCanaryMs;
    if (generation.state === "canary" && isTried) this.#step(generation, "active", nowMs);
  }

  /** Notes a fault; on trial the first one ends it if there is another generation, later the third within ten minutes. */
  faulted(number: number, nowMs: number, why: string, mayServe?: (number: number) => boolean): Quarantine | undefined {
    const generation = this.#find(number);
    const recent = generation.faultsMs.filter((at) => nowMs - at < LIMITS.pluginFaultWindowMs);
    generation.faultsMs = [...recent, nowMs];
    if (!isServing(generation) && generation.state !== "draining") return undefined;
    const fallback = this.previous(nowMs, mayServe);
    const isOnTrial = generation.state === "canary" && fallback !== undefined;
    if (!isOnTrial && generation.faultsMs.length < LIMITS.pluginFaultsMax) return undefined;
    this.#step(generation, "quarantined", nowMs, why);
    if (this.#current !== generation) return { quarantined: generation, restored: undefined };
    this.#current = undefined;
    if (fallback !== undefined) this.serve(fallback.number, nowMs);
    return { quarantined: generation, restored: fallback };
  }

  /** What a rollback brings back: of those that are kept, the one that served last. */
  previous(nowMs: number, mayServe: (number: number) => boolean = () => true): Generation | undefined {
    const kept = this.#generations.filter((each) =>
      canReturn(each) && this.#isKept(each, nowMs) && mayServe(each.number)
    );
    return kept.reduce<Draft | undefined>((best, each) => each.turn > (best?.turn ?? 0) ? each : best, undefined);
  }

  drained(number: number, nowMs: number): void {
    const generation = this.#find(number);
    if (generation.state === "draining") this.#step(generation, "retired", nowMs);
  }

  /** Forgets what is kept no longer and nobody holds; returns it, so that its module can go. */
  forget(nowMs: number, isHeld: (number: number) => boolean = () => false): Generation[] {
    const free = this.#generations.filter(({ state, number, plugin }) =>
      state === "retired" && plugin.sha256 !== BUILT_IN && !isHeld(number)
    );
    const retired = free.sort((a, b) => b.turn - a.turn);
    const expired = retired.filter((each, at) => at >= LIMITS.pluginGenerationsKept || !this.#isKept(each, nowMs));
    const gone = this.#generations.filter((each) => isGone(each) && !isHeld(each.number));
    const old = gone.slice(0, Math.max(0, gone.length - LIMITS.pluginRecordsMax));
    const forgotten = new Set([...expired, ...old]);
    this.#generations = this.#generations.filter((each) => !forgotten.has(each));
    return [...forgotten];
  }

  /** What is built in is there anyway. */
  #isKept({ plugin, state, sinceMs }: Generation, nowMs: number): boolean {
    return plugin.sha256 === BUILT_IN || state === "draining" || nowMs - sinceMs < LIMITS.pluginKeptMs;
  }

  #find(number: number): Draft {
    const found = this.#generations.find((each) => each.number === number);
    if (found === undefined) throw new RangeError(`${this.pluginId} has no generation ${number}`);
    return found;
  }

  #step(generation: Draft, state: GenerationState, nowMs: number, reason?: string): void {
    const from = generation.state;
    if (!(NEXT_STATES[from] as readonly string[]).includes(state)) {
      throw new RangeError(`${this.pluginId} generation ${generation.number} cannot go from ${from} to ${state}`);
    }
    generation.state = state;
    generation.sinceMs = nowMs;
    if (reason !== undefined) generation.reason = reason;
    this.onStep(generation, from);
  }
}
