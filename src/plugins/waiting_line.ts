import { throwIfAborted } from "../base/errors.ts";
import { FairQueue } from "./fair_queue.ts";

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Promises that are kept one by one, of several owners in turn; whoever is aborted leaves the line. */
export class WaitingLine<T> {
  readonly #queue = new FairQueue<Waiter<T>>();

  get size(): number {
    return this.#queue.size;
  }

  /** @param onLeave Called after somebody gave up */
  wait(owner: unknown, signal: AbortSignal | undefined, onLeave: () => void): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { resolve, reject };
    const onAbort = () => {
      if (!this.#queue.remove(owner, waiter)) return;
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
      onLeave();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#queue.push(owner, waiter);
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  /** For whoever is next; does nothing where nobody is. */
  resolve(value: T): void {
    this.#queue.shift()?.resolve(value);
  }

  reject(error: unknown): void {
    this.#queue.shift()?.reject(error);
  }
}
