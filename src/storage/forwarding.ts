import type { Bytes } from "../base/bytes.ts";
import type { ByteRange, ObjectInfo, ObjectStore, ObjectWriter, StoreTraits } from "./object_store.ts";
import { type ObjectRepairer, type RepairableStore, repairerOf } from "./repairer.ts";

/** Passes every call on to `inner`; wrappers override what they change. */
export class ForwardingStore implements RepairableStore {
  readonly repair?: ObjectRepairer;

  constructor(protected readonly inner: ObjectStore) {
    const repairer = repairerOf(inner);
    if (repairer) this.repair = { setAside: (key, signal) => this.setAside(repairer, key, signal) };
  }

  protected setAside(repairer: ObjectRepairer, key: string, signal?: AbortSignal): Promise<string> {
    return repairer.setAside(key, signal);
  }

  get location(): string {
    return this.inner.location;
  }

  get traits(): StoreTraits {
    return this.inner.traits;
  }

  put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    return this.inner.put(key, data, signal);
  }

  create(signal?: AbortSignal): Promise<ObjectWriter> {
    return this.inner.create(signal);
  }

  get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    return this.inner.get(key, range, signal);
  }

  stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    return this.inner.stat(key, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    return this.inner.list(prefix, signal);
  }

  remove(key: string, signal?: AbortSignal): Promise<void> {
    return this.inner.remove(key, signal);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
