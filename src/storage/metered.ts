import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { ForwardingStore } from "./forwarding.ts";
import type { ByteRange, ObjectInfo, ObjectStore, ObjectWriter } from "./object_store.ts";
import type { ObjectRepairer, RepairableStore } from "./repairer.ts";

const STORE_CALLS = ["put", "create", "write", "commit", "get", "stat", "list", "remove", "setAside"] as const;

export type StoreCall = typeof STORE_CALLS[number];

export interface CallMeter {
  /** Started; a listing counts once. */
  calls: number;
  /** Ended in an error. */
  errors: number;
  /** Of calls that succeeded: sent for `put` and `write`, received for `get`. */
  bytes: number;
  /** Sum over calls, so it may exceed the time that passed. Time that a listing waits for its reader is left out. */
  busyMs: number;
}

export type StoreMeter = Record<StoreCall, CallMeter>;

export interface MeteredStore extends RepairableStore {
  /** Since the store was wrapped; changes with every call. */
  readonly meter: Readonly<Record<StoreCall, Readonly<CallMeter>>>;
}

/** Counts what is asked of `inner`. */
export function meteredStore(inner: ObjectStore, clock: Clock): MeteredStore {
  return new Metered(inner, clock);
}

class Metered extends ForwardingStore implements MeteredStore {
  readonly meter = Object.fromEntries(
    STORE_CALLS.map((call) => [call, { calls: 0, errors: 0, bytes: 0, busyMs: 0 }]),
  ) as StoreMeter;

  constructor(inner: ObjectStore, private readonly clock: Clock) {
    super(inner);
  }

  override put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    const bytes = data.length;
    return this.#count("put", () => this.inner.put(key, data, signal), () => bytes);
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    const writer = await this.#count("create", () => this.inner.create(signal));
    return {
      write: (data) => {
        const bytes = data.length;
        return this.#count("write", () => writer.write(data), () => bytes);
      },
      commit: (key) => this.#count("commit", () => writer.commit(key)),
      abort: () => writer.abort(),
    };
  }

  override get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    return this.#count("get", () => this.inner.get(key, range, signal), (data) => data.length);
  }

  override stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    return this.#count("stat", () => this.inner.stat(key, signal));
  }

  override async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    const listing = this.inner.list(prefix, signal)[Symbol.asyncIterator]();
    this.meter.list.calls++;
    const next = () => this.#time("list", () => listing.next());
    try {
      for (let result = await next(); !result.done; result = await next()) yield result.value;
    } finally {
      await listing.return?.();
    }
  }

  override remove(key: string, signal?: AbortSignal): Promise<void> {
    return this.#count("remove", () => this.inner.remove(key, signal));
  }

  protected override setAside(repairer: ObjectRepairer, key: string, signal?: AbortSignal): Promise<string> {
    return this.#count("setAside", () => repairer.setAside(key, signal));
  }

  async #count<T>(call: StoreCall, run: () => Promise<T>, bytesOf?: (result: T) => number): Promise<T> {
    this.meter[call].calls++;
    const result = await this.#time(call, run);
    if (bytesOf) this.meter[call].bytes += bytesOf(result);
    return result;
  }

  async #time<T>(call: StoreCall, run: () => Promise<T>): Promise<T> {
    const meter = this.meter[call];
    const startMs = this.clock.monotonicMs();
    try {
      return await run();
    } catch (error) {
      meter.errors++;
      throw error;
    } finally {
      meter.busyMs += this.clock.monotonicMs() - startMs;
    }
  }
}
