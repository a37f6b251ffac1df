import { AxiomError } from "../base/errors.ts";
import { ForwardingStore } from "./forwarding.ts";
import type { ObjectStore, ObjectWriter } from "./object_store.ts";
import type { RepairableStore } from "./repairer.ts";

/** Lets nothing change: every call that would is `storage_denied`. */
export function readOnlyStore(inner: ObjectStore): RepairableStore {
  return new ReadOnlyStore(inner);
}

class ReadOnlyStore extends ForwardingStore {
  override put(key: string): Promise<void> {
    return this.#deny(`store ${key}`);
  }

  override create(): Promise<ObjectWriter> {
    return this.#deny("make a new object");
  }

  override remove(key: string): Promise<void> {
    return this.#deny(`remove ${key}`);
  }

  protected override setAside(_: unknown, key: string): Promise<string> {
    return this.#deny(`set ${key} aside`);
  }

  #deny(action: string): Promise<never> {
    return Promise.reject(new AxiomError("storage_denied", `Cannot ${action}: ${this.location} was opened read-only`));
  }
}
