import type { Clock } from "../base/clock.ts";
import { throwIfAborted } from "../base/errors.ts";

/**
 * Bounds a rate. Tokens arrive steadily, up to what arrives in `burstMs`; who takes more than there are goes into debt and
 * waits until it is paid, so a single large request passes, and in the order of asking.
 */
export class TokenBucket {
  #tokens: number;
  #filledMs: number;

  constructor(private readonly tokensPerSecond: number, private readonly clock: Clock, private readonly burstMs = 250) {
    if (!(tokensPerSecond > 0)) throw new RangeError(`Not a rate: ${tokensPerSecond}`);
    this.#tokens = this.#capacity;
    this.#filledMs = clock.monotonicMs();
  }

  get #capacity(): number {
    return this.tokensPerSecond * this.burstMs / 1000;
  }

  /** Tokens stay taken if `signal` is aborted while waiting. */
  async take(count: number, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const nowMs = this.clock.monotonicMs();
    const arrived = (nowMs - this.#filledMs) * this.tokensPerSecond / 1000;
    this.#filledMs = nowMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + arrived) - count;
    if (this.#tokens >= 0) return;
    try {
      await this.clock.sleep(-this.#tokens / this.tokensPerSecond * 1000, signal);
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    }
  }
}
