import { ForwardingStore } from "./forwarding.ts";
import type { ObjectStore, ObjectWriter } from "./object_store.ts";
import type { RepairableStore } from "./repairer.ts";

/** Reads from `inner`, and lets every change succeed without making it: for dry runs. */
export function discardingStore(inner: ObjectStore): RepairableStore {
  return new DiscardingStore(inner);
}

class DiscardingStore extends ForwardingStore {
  /** Nothing is moved, and nobody may say that it was. */
  override readonly repair = undefined;

  override put(): Promise<void> {
    return Promise.resolve();
  }

  override create(): Promise<ObjectWriter> {
    return Promise.resolve({
      write: () => Promise.resolve(),
      commit: () => Promise.resolve(),
      abort: () => Promise.resolve(),
    });
  }

  override remove(): Promise<void> {
    return Promise.resolve();
  }

  /** The store itself stays open. */
  override close(): Promise<void> {
    return Promise.resolve();
  }
}
