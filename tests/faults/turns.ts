import { setImmediate } from "node:timers";

/** Numbers in [0, 1) that repeat for the same seed: mulberry32, by Tommy Ettinger. */
export function seededFraction(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Lets one of several clients go on at a time, chosen at random; each asks for its turn before each storage call. Now and
 * then one is kept waiting for long, as a suspended machine is.
 */
export class Turns {
  readonly #waiting: { client: number; go: () => void }[] = [];
  readonly #suspendedUntil = new Map<number, number>();
  #steps = 0;
  #running = true;

  constructor(readonly fraction: () => number, readonly suspensionSteps = 40) {
    this.#pump();
  }

  take(client: number): Promise<void> {
    return new Promise((go) => this.#waiting.push({ client, go }));
  }

  /** Ends the choosing; nobody may wait any more. */
  stop(): void {
    this.#running = false;
  }

  get steps(): number {
    return this.#steps;
  }

  #pump(): void {
    if (!this.#running) return;
    const awake = this.#waiting.filter(({ client }) => (this.#suspendedUntil.get(client) ?? 0) <= this.#steps);
    const choice = awake.length > 0 ? awake : this.#waiting;
    if (choice.length > 0) {
      this.#steps++;
      const chosen = choice[Math.floor(this.fraction() * choice.length)];
      this.#waiting.splice(this.#waiting.indexOf(chosen), 1);
      if (this.fraction() < 0.03) this.#suspendedUntil.set(chosen.client, this.#steps + this.suspensionSteps);
      chosen.go();
    }
    setImmediate(() => this.#pump());
  }
}
