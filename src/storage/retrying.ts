import type { Bytes } from "../base/bytes.ts";

import { retry, type RetryEnvironment, type RetryPolicy } from "../resilience/retry.ts";
import { ForwardingStore } from "./forwarding.ts";
import type { ByteRange, ObjectInfo, ObjectStore, ObjectWriter } from "./object_store.ts";
import type { ObjectRepairer, RepairableStore } from "./repairer.ts";

/**
 * Tries again what failed with a retriable error. Safe for every call: a `put` or `commit` that meets its own object
 * succeeds, removing twice is removing once. A `write` is passed on as it is, because what of it arrived is unknown: its
 * object has to be written anew.
 */
export function retryingStore(
  inner: ObjectStore,
  policy: RetryPolicy,
  environment: Omit<RetryEnvironment, "signal">,
): RepairableStore {
  return new RetryingStore(inner, (operation, signal) => retry(operation, policy, { ...environment, signal }));
}

type Retry = <T>(operation: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

class RetryingStore extends ForwardingStore {
  constructor(inner: ObjectStore, private readonly retry: Retry) {
    super(inner);
  }

  override put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    return this.retry(() => this.inner.put(key, data, signal), signal);
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    const writer = await this.retry(() => this.inner.create(signal), signal);
    return {
      write: (data) => writer.write(data),
      commit: (key) => this.retry(() => writer.commit(key), signal),
      abort: () => writer.abort(),
    };
  }

  override get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    return this.retry(() => this.inner.get(key, range, signal), signal);
  }

  override stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    return this.retry(() => this.inner.stat(key, signal), signal);
  }

  /** After a failure the listing begins anew, and what was shown already is left out. */
  override async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    const shown = new Set<string>();
    let listing = this.inner.list(prefix, signal)[Symbol.asyncIterator]();
    let failed = false;
    const next = () =>
      this.retry(async () => {
        if (failed) listing = this.inner.list(prefix, signal)[Symbol.asyncIterator]();
        failed = true;
        const result = await listing.next();
        failed = false;
        return result;
      }, signal);
    try {
      for (let result = await next(); !result.done; result = await next()) {
        if (shown.has(result.value.key)) continue;
        shown.add(result.value.key);
        yield result.value;
      }
    } finally {
      await listing.return?.();
    }
  }

  override remove(key: string, signal?: AbortSignal): Promise<void> {
    return this.retry(() => this.inner.remove(key, signal), signal);
  }

  /** A lost answer after a move that worked shows as `object_missing`, which the caller may take for success. */
  protected override setAside(repairer: ObjectRepairer, key: string, signal?: AbortSignal): Promise<string> {
    return this.retry(() => repairer.setAside(key, signal), signal);
  }
}
