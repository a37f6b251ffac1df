import { type Bytes, equalBytes, toHex } from "../base/bytes.ts";
import { AxiomError, throwIfAborted } from "../base/errors.ts";
import { type Random, systemRandom } from "../base/random.ts";
import {
  checkKey,
  checkPrefix,
  checkRange,
  checkWhole,
  damagedKey,
  existingObject,
  missingObject,
  shortObject,
} from "./object_key.ts";
import { BufferedWriter } from "./buffered_writer.ts";
import type { ByteRange, ObjectInfo, ObjectWriter, StoreTraits } from "./object_store.ts";
import type { ObjectRepairer, RepairableStore } from "./repairer.ts";

export interface MemoryOptions {
  location?: string;
  traits?: Partial<StoreTraits>;
  /** Sum of all objects beyond which a put is `storage_full`. */
  capacityBytes?: number;
  random?: Random;
}

/** Every object with its bytes, shared with nobody. */
export type MemoryState = Map<string, Bytes>;

export interface MemoryStore extends RepairableStore {
  readonly repair: ObjectRepairer;
  /** A deep copy of all objects. */
  snapshot(): MemoryState;
  /** Replaces all objects by a deep copy of `state`. */
  restore(state: ReadonlyMap<string, Bytes>): void;
}

/** An object store that lives as long as the process, for tests. Each call takes effect at one moment, not at once. */
export function memoryStore(options: MemoryOptions = {}): MemoryStore {
  return new InMemory(options);
}

class InMemory implements MemoryStore {
  readonly location: string;
  readonly traits: StoreTraits;
  readonly repair: ObjectRepairer = { setAside: (key, signal) => this.#setAside(key, signal) };
  readonly #random: Random;
  readonly #capacityBytes: number;
  #objects: MemoryState = new Map();

  constructor({ location, traits, capacityBytes, random }: MemoryOptions) {
    this.location = location ?? "memory:";
    this.traits = { staleListingMs: 0, missing: [], ...traits };
    this.#capacityBytes = capacityBytes ?? Infinity;
    this.#random = random ?? systemRandom;
  }

  snapshot(): MemoryState {
    return copyOf(this.#objects);
  }

  restore(state: ReadonlyMap<string, Bytes>): void {
    this.#objects = copyOf(state);
  }

  async put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    const copy = data.slice();
    await turn(key, signal);
    const existing = this.#objects.get(key);
    if (existing) {
      if (equalBytes(existing, copy)) return;
      throw existingObject(key, `it has ${existing.length} bytes, the new one ${copy.length}`);
    }
    if (this.#capacityBytes !== Infinity && this.#usedBytes() + copy.length > this.#capacityBytes) {
      throw new AxiomError("storage_full", `Cannot store ${key}: no space left in ${this.location}`);
    }
    this.#objects.set(key, copy);
  }

  create(signal?: AbortSignal): Promise<ObjectWriter> {
    return Promise.resolve().then(() => {
      throwIfAborted(signal);
      return new BufferedWriter((key, data) => this.put(key, data, signal), signal);
    });
  }

  async get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    if (range !== "all") checkRange(key, range);
    await turn(key, signal);
    const data = this.#objects.get(key);
    if (!data) throw missingObject(key, this.location);
    if (range === "all") {
      checkWhole(key, data.length);
      return data.slice();
    }
    const end = range.offset + range.length;
    if (end > data.length) throw shortObject(key, range, data.length);
    return data.slice(range.offset, end);
  }

  async stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    await turn(key, signal);
    const data = this.#objects.get(key);
    return data && { sizeBytes: data.length };
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    checkPrefix(prefix);
    throwIfAborted(signal);
    await Promise.resolve();
    for (const key of [...this.#objects.keys()]) {
      throwIfAborted(signal);
      const data = key.startsWith(prefix) ? this.#objects.get(key) : undefined;
      if (data) yield { key, sizeBytes: data.length };
    }
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    await turn(key, signal);
    this.#objects.delete(key);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #usedBytes(): number {
    let sum = 0;
    for (const { length } of this.#objects.values()) sum += length;
    return sum;
  }

  async #setAside(key: string, signal?: AbortSignal): Promise<string> {
    await turn(key, signal);
    const data = this.#objects.get(key);
    if (!data) throw missingObject(key, this.location);
    const asideKey = damagedKey(key, toHex(this.#random(8)));
    this.#objects.set(asideKey, data);
    this.#objects.delete(key);
    return asideKey;
  }
}

/** Lets others run, then goes on unless the key is none or the caller has given up. */
async function turn(key: string, signal: AbortSignal | undefined): Promise<void> {
  checkKey(key);
  throwIfAborted(signal);
  await Promise.resolve();
  throwIfAborted(signal);
}

function copyOf(objects: ReadonlyMap<string, Bytes>): MemoryState {
  return new Map([...objects].map(([key, data]) => [key, data.slice()]));
}
