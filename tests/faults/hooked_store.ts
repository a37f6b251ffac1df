import type { Bytes } from "../../src/base/bytes.ts";
import { ForwardingStore } from "../../src/storage/forwarding.ts";
import type { ByteRange, ObjectInfo, ObjectStore, ObjectWriter } from "../../src/storage/object_store.ts";
import type { CallRecord } from "./faulty_store.ts";

/** Runs `before` to its end ahead of each storage call; each entry of a listing is a call too. */
export class HookedStore extends ForwardingStore {
  constructor(inner: ObjectStore, readonly before: (call: CallRecord) => Promise<void>) {
    super(inner);
  }

  override async put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    await this.before({ call: "put", key });
    await this.inner.put(key, data, signal);
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    const writer = await this.inner.create(signal);
    return {
      write: async (data) => {
        await this.before({ call: "write", key: "" });
        await writer.write(data);
      },
      commit: async (key) => {
        await this.before({ call: "commit", key });
        await writer.commit(key);
      },
      abort: () => writer.abort(),
    };
  }

  override async get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    await this.before({ call: "get", key });
    return await this.inner.get(key, range, signal);
  }

  override async stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    await this.before({ call: "stat", key });
    return await this.inner.stat(key, signal);
  }

  override async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    await this.before({ call: "list", key: prefix });
    for await (const info of this.inner.list(prefix, signal)) {
      yield info;
      await this.before({ call: "list", key: prefix });
    }
  }

  override async remove(key: string, signal?: AbortSignal): Promise<void> {
    await this.before({ call: "remove", key });
    await this.inner.remove(key, signal);
  }
}
