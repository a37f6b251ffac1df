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
  /** Once it is aborted, calls without a signal of their own wait no longer: they are what an interruption is to keep. */
  hurry?: AbortSignal;
}

/** Keeps the content that is sent and received below a rate, on average; all calls share it. */
export function throttledStore(inner: ObjectStore, throttle: Throttle, clock: Clock): RepairableStore {
  return new ThrottledStore(inner, throttle, clock);
}

class ThrottledStore extends ForwardingStore {
  readonly #upload: TokenBucket | undefined;
  readonly #download: TokenBucket | undefined;
  readonly #hurry: AbortSignal | undefined;

  constructor(inner: ObjectStore, { uploadKibPerSecond, downloadKibPerSecond, hurry }: Throttle, clock: Clock) {
    super(inner);
    this.#hurry = hurry;
    if (uploadKibPerSecond !== undefined) this.#upload = new TokenBucket(uploadKibPerSecond * KIB, clock);
    if (downloadKibPerSecond !== undefined) this.#download = new TokenBucket(downloadKibPerSecond * KIB, clock);
  }

  override async put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    await this.#take(this.#upload, data.length, signal);
    await this.inner.put(key, data, signal);
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    const writer = await this.inner.create(signal);
    return {
      write: async (data) => {
        await this.#take(this.#upload, data.length, signal);
        await writer.write(data);
      },
      commit: (key) => writer.commit(key),
      abort: () => writer.abort(),
    };
  }

  /** The size of a whole object is known only afterwards, so the wait comes then. */
  override async get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    if (range !== "all") await this.#take(this.#download, range.length, signal);
    const data = await this.inner.get(key, range, signal);
    if (range === "all") await this.#take(this.#download, data.length, signal);
    return data;
  }

  async #take(bucket: TokenBucket | undefined, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const mayHurry = signal === undefined && this.#hurry !== undefined;
    if (bucket === undefined || (mayHurry && this.#hurry.aborted)) return;
    try {
      await bucket.take(bytes, signal ?? this.#hurry);
    } catch (error) {
      if (!mayHurry || !this.#hurry.aborted) throw error;
    }
  }
}
