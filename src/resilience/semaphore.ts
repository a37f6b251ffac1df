import { throwIfAborted } from "../base/errors.ts";

interface Waiter {
  count: number;
  grant: () => void;
}

/** At most `permits` at a time. First come, first served: a large request is not overtaken by small ones. */
export class Semaphore {
  #available: number;
  readonly #waiters: Waiter[] = [];

  constructor(readonly permits: number) {
    if (!Number.isSafeInteger(permits) || permits < 1) throw new RangeError(`Not a number of permits: ${permits}`);
    this.#available = permits;
  }

  get available(): number {
    return this.#available;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /**
   * Resolves with a function that gives the permits back; calling it again does nothing. Fails with `interrupted` when
   * `signal` is aborted while waiting.
   *
   * @param count Permits taken at once, 1 to {@linkcode permits}; else `RangeError`
   */
  async acquire(signal?: AbortSignal, count = 1): Promise<() => void> {
    if (!Number.isSafeInteger(count) || count < 1 || count > this.permits) {
      throw new RangeError(`Not a number of permits up to ${this.permits}: ${count}`);
    }
    throwIfAborted(signal);
    if (this.#waiters.length === 0 && this.#available >= count) this.#available -= count;
    else await this.#wait(count, signal);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#available += count;
      this.#serve();
    };
  }

  /** Runs `task` while holding one permit. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(signal);
    try {
      return await task();
    } finally {
      release();
    }
  }

  #wait(count: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#serve();
        try {
          throwIfAborted(signal);
        } catch (error) {
          reject(error);
        }
      };
      const waiter: Waiter = {
        count,
        grant: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#waiters.push(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #serve(): void {
    while (this.#waiters.length > 0 && this.#waiters[0].count <= this.#available) {
      const waiter = this.#waiters.shift()!;
      this.#available -= waiter.count;
      waiter.grant();
    }
  }
}
