import type { Bytes } from "../base/bytes.ts";
import { KIB } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { TokenBucket } from "../resilience/token_bucket.ts";
import { ForwardingStore } from "./forwarding.ts";
import type { ByteRange, ObjectStore, ObjectWriter } from "./object_store.ts";
import type { RepairableStore } from "./repairer.ts";

export interface Throttle {
  /** KiB/s; undefined for no limit. */
  uploadKibPerSecond?: number;
  downloadKibPerSecond?: number;
}

/** Keeps the content that is sent and received below a rate, on average; all calls share it. */
export function throttledStore(inner: ObjectStore, throttle: Throttle, clock: Clock): RepairableStore {
  return new ThrottledStore(inner, throttle, clock);
}

class ThrottledStore extends ForwardingStore {
  readonly #upload: TokenBucket | undefined;
  readonly #download: TokenBucket | undefined;

  constructor(inner: ObjectStore, { uploadKibPerSecond, downloadKibPerSecond }: Throttle, clock: Clock) {
    super(inner);
    if (uploadKibPerSecond !== undefined) this.#upload = new TokenBucket(uploadKibPerSecond * KIB, clock);
    if (downloadKibPerSecond !== undefined) this.#download = new TokenBucket(downloadKibPerSecond * KIB, clock);
  }

  override async put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    await this.#upload?.take(data.length, signal);
    await this.inner.put(key, data, signal);
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    const writer = await this.inner.create(signal);
    return {
      write: async (data) => {
        await this.#upload?.take(data.length, signal);
        await writer.write(data);
      },
      commit: (key) => writer.commit(key),
      abort: () => writer.abort(),
    };
  }

  /** The size of a whole object is known only afterwards, so the wait comes then. */
  override async get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    if (range !== "all") await this.#download?.take(range.length, signal);
    const data = await this.inner.get(key, range, signal);
    if (range === "all") await this.#download?.take(data.length, signal);
    return data;
  }
}
