import { type Bytes, concat } from "../../src/base/bytes.ts";
import { AxiomError, throwIfAborted } from "../../src/base/errors.ts";
import { ForwardingStore } from "../../src/storage/forwarding.ts";
import type { ByteRange, ObjectInfo, ObjectStore, ObjectWriter } from "../../src/storage/object_store.ts";
import type { ObjectRepairer, RepairableStore } from "../../src/storage/repairer.ts";

/** The process died. Not an `AxiomError`: nothing may handle it. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

/** What of the call that dies still happens: nothing, all of it, or its name with a part of its bytes (power failure). */
export type CrashEffect = "none" | "whole" | "torn";

export interface FaultPlan {
  crash?: {
    /** Number of the call, from 1. */
    atCall: number;
    effect: CrashEffect;
    /** For `torn`: the part of the bytes that is there, 0 to below 1; without it a half. */
    keep?: number;
  };
  /** `storage_busy` for `times` calls in a row from that one on. */
  busy?: { fromCall: number; times: number };
  /** `storage_full` for what is sent beyond so many bytes in all. */
  fullAfterBytes?: number;
  /** Flips one bit in what the n-th `get`, from 1, returns; counted from its start, wrapped at its end. */
  flip?: { atGet: number; bit: number };
  /** Entries of a listing that come with one call. */
  listPageEntries?: number;
}

export interface CallRecord {
  call: "put" | "write" | "commit" | "get" | "stat" | "list" | "remove" | "setAside";
  key: string;
}

export interface FaultyStore extends RepairableStore {
  /** Every call that was counted, in order. */
  readonly calls: readonly CallRecord[];
  readonly crashed: boolean;
  /** From now on listings show what other clients see now; what this client puts and removes shows at once. */
  freezeListings(): Promise<void>;
  thawListings(): void;
}

/**
 * Passes calls on to `inner` and makes them fail as planned. After the crash every call fails. What a writer was given is
 * held here until `commit`, so a crash loses it.
 */
export function faultyStore(inner: ObjectStore, plan: FaultPlan = {}): FaultyStore {
  return new Faulty(inner, plan);
}

class Faulty extends ForwardingStore implements FaultyStore {
  readonly calls: CallRecord[] = [];
  crashed = false;
  #gets = 0;
  #sentBytes = 0;
  #frozen: Map<string, ObjectInfo> | undefined;

  constructor(inner: ObjectStore, private readonly plan: FaultPlan) {
    super(inner);
  }

  async freezeListings(): Promise<void> {
    this.#frozen = new Map();
    for await (const info of this.inner.list("")) this.#frozen.set(info.key, info);
  }

  thawListings(): void {
    this.#frozen = undefined;
  }

  override put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    const copy = data.slice();
    return this.#call({ call: "put", key }, async () => {
      this.#send(key, copy.length);
      await this.#store(key, copy, signal);
    }, (keep) => this.#store(key, copy.slice(0, Math.floor(copy.length * keep)), signal));
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    this.#alive();
    const writer = await this.inner.create(signal);
    const parts: Bytes[] = [];
    let open = true;
    return {
      write: (data) => {
        const copy = data.slice();
        return this.#call({ call: "write", key: "" }, () => {
          if (!open) throw new Error("Wrote to an object that was aborted");
          this.#send("a new object", copy.length);
          parts.push(copy);
          return Promise.resolve();
        });
      },
      commit: (key) =>
        this.#call({ call: "commit", key }, async () => {
          for (const part of parts.splice(0)) await writer.write(part);
          await writer.commit(key);
          this.#show(key, await this.inner.stat(key));
        }, async (keep) => {
          const data = concat(parts);
          await this.#store(key, data.slice(0, Math.floor(data.length * keep)));
        }),
      abort: async () => {
        open = false;
        if (!this.crashed) await writer.abort();
      },
    };
  }

  override get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    return this.#call({ call: "get", key }, async () => {
      const data = await this.inner.get(key, range, signal);
      const { flip } = this.plan;
      if (++this.#gets === flip?.atGet && data.length > 0) {
        const bit = flip.bit % (data.length * 8);
        data[Math.floor(bit / 8)] ^= 1 << bit % 8;
      }
      return data;
    });
  }

  override stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    return this.#call({ call: "stat", key }, () => this.inner.stat(key, signal));
  }

  override async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    const listing = this.#listing(prefix, signal);
    try {
      for (let more = true; more;) {
        const page: ObjectInfo[] = [];
        await this.#call({ call: "list", key: prefix }, async () => {
          while (more && page.length < (this.plan.listPageEntries ?? 1000)) {
            const { done, value } = await listing.next();
            if (done) more = false;
            else page.push(value);
          }
        });
        for (const info of page) {
          throwIfAborted(signal);
          yield info;
        }
      }
    } finally {
      await listing.return();
    }
  }

  override remove(key: string, signal?: AbortSignal): Promise<void> {
    return this.#call({ call: "remove", key }, async () => {
      await this.inner.remove(key, signal);
      this.#frozen?.delete(key);
    });
  }

  protected override setAside(repairer: ObjectRepairer, key: string, signal?: AbortSignal): Promise<string> {
    return this.#call({ call: "setAside", key }, () => repairer.setAside(key, signal));
  }

  override async close(): Promise<void> {
    if (!this.crashed) await this.inner.close();
  }

  async *#listing(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    if (!this.#frozen) return yield* this.inner.list(prefix, signal);
    for (const info of [...this.#frozen.values()]) if (info.key.startsWith(prefix)) yield info;
  }

  /** @param tear What a power failure leaves of the call; without it nothing */
  async #call<T>(record: CallRecord, run: () => Promise<T>, tear?: (keep: number) => Promise<void>): Promise<T> {
    this.#alive();
    const number = this.calls.push(record);
    const { crash, busy } = this.plan;
    if (crash?.atCall === number) return await this.#crash(crash.effect, record, run, () => tear?.(crash.keep ?? 0.5));
    if (busy && number >= busy.fromCall && number < busy.fromCall + busy.times) {
      throw new AxiomError("storage_busy", `Cannot ${record.call} ${record.key}: simulated`);
    }
    return await run();
  }

  async #crash(
    effect: CrashEffect,
    { call, key }: CallRecord,
    run: () => Promise<unknown>,
    tear: () => Promise<void> | undefined,
  ): Promise<never> {
    this.crashed = true;
    if (effect === "whole") await run();
    if (effect === "torn") await tear();
    throw new SimulatedCrash(`Crashed at call ${this.calls.length}, ${call} ${key} (${effect})`);
  }

  async #store(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    await this.inner.put(key, data, signal);
    this.#show(key, { sizeBytes: data.length });
  }

  #show(key: string, info: { sizeBytes: number } | undefined): void {
    if (info) this.#frozen?.set(key, { key, sizeBytes: info.sizeBytes });
  }

  #send(what: string, bytes: number): void {
    if (this.#sentBytes + bytes > (this.plan.fullAfterBytes ?? Infinity)) {
      throw new AxiomError("storage_full", `Cannot store ${what}: simulated, 0 bytes free`);
    }
    this.#sentBytes += bytes;
  }

  #alive(): void {
    if (this.crashed) throw new SimulatedCrash("Called after the crash");
  }
}
