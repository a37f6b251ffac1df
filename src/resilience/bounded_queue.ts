import { throwIfAborted } from "../base/errors.ts";

interface Pusher<T> {
  item: T;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

interface Puller<T> {
  resolve: (result: IteratorResult<T, undefined>) => void;
  reject: (reason: unknown) => void;
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * First in, first out, between any number of producers and consumers. A producer waits while `capacity` items wait to be
 * taken. `close()` lets consumers take what is there and then ends them; `abort()` fails everyone at once.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #pushers: Pusher<T>[] = [];
  readonly #pullers: Puller<T>[] = [];
  #closed = false;
  #failure: { reason: unknown } | undefined;

  constructor(readonly capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError(`Not a capacity: ${capacity}`);
  }

  /** Items that were pushed and not yet taken, those of waiting producers not counted. */
  get length(): number {
    return this.#items.length;
  }

  /** Resolves when the item is in the queue. On a closed queue: `Error`, because that is a bug of the producer. */
  async push(item: T, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    this.#check();
    if (this.#closed) throw new Error("Pushed to a closed queue");
    const puller = this.#pullers.shift();
    if (puller) puller.resolve({ done: false, value: item });
    else if (this.#items.length < this.capacity) this.#items.push(item);
    else await waitIn(this.#pushers, (resolve, reject) => ({ item, resolve, reject }), signal);
  }

  /** The next item, or `done` once the queue is closed and empty. */
  async pull(signal?: AbortSignal): Promise<IteratorResult<T, undefined>> {
    throwIfAborted(signal);
    this.#check();
    if (this.#items.length > 0) {
      const value = this.#items.shift()!;
      const pusher = this.#pushers.shift();
      if (pusher) {
        this.#items.push(pusher.item);
        pusher.resolve();
      }
      return { done: false, value };
    }
    if (this.#closed) return DONE;
    return await waitIn<Puller<T>, IteratorResult<T, undefined>>(
      this.#pullers,
      (resolve, reject) => ({ resolve, reject }),
      signal,
    );
  }

  /** No more items; producers that wait are still served. Again: nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const puller of this.#pullers.splice(0)) puller.resolve(DONE);
  }

  /** Drops all items; every waiting and later call fails with `reason`. Only the first one counts. */
  abort(reason: unknown): void {
    if (this.#failure) return;
    this.#failure = { reason };
    this.#items.length = 0;
    for (const waiter of [...this.#pushers.splice(0), ...this.#pullers.splice(0)]) waiter.reject(reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (let next = await this.pull(); !next.done; next = await this.pull()) yield next.value;
  }

  #check(): void {
    if (this.#failure) throw this.#failure.reason;
  }
}

/** Waits in `queue` until someone settles the waiter, or leaves it when `signal` is aborted. */
function waitIn<W, R>(
  queue: W[],
  make: (resolve: (result: R) => void, reject: (reason: unknown) => void) => W,
  signal: AbortSignal | undefined,
): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    const settle = () => signal?.removeEventListener("abort", onAbort);
    const waiter = make(
      (result) => (settle(), resolve(result)),
      (reason) => (settle(), reject(reason)),
    );
    const onAbort = () => {
      queue.splice(queue.indexOf(waiter), 1);
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    queue.push(waiter);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
