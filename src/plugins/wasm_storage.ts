import { type Bytes, equalBytes, toHex } from "../base/bytes.ts";
import { AxiomError, isKind, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { BufferedWriter } from "../storage/buffered_writer.ts";
import {
  checkKey,
  checkPrefix,
  checkRange,
  checkWhole,
  damagedKey,
  existingObject,
  isKey,
  missingObject,
  shortObject,
} from "../storage/object_key.ts";
import type { ByteRange, ObjectInfo, ObjectWriter, StoreTraits } from "../storage/object_store.ts";
import type { ObjectRepairer, RepairableStore } from "../storage/repairer.ts";
import type { Operation } from "./abi.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { PluginFailure } from "./plugin_failure.ts";
import { resultOf } from "./plugin_result.ts";
import { storeError } from "./store_error.ts";

export interface StorageSettings {
  /** For messages. */
  readonly location: string;
  readonly random: Random;
  /** Of whichever generation serves when it is called. */
  call(call: PluginCall, signal?: AbortSignal): Promise<PluginAnswer>;
  /** Hears what a listing holds and is no object. */
  onForeign?(name: string): void;
  close(): Promise<void>;
}

/** A plugin of the category storage as a store. What it says is checked wherever that is possible without another look. */
export class PluginStore implements RepairableStore {
  readonly location: string;
  readonly traits: StoreTraits = { staleListingMs: 0, missing: [] };
  readonly repair: ObjectRepairer = { setAside: (key, signal) => this.#setAside(key, signal) };

  constructor(readonly settings: StorageSettings) {
    this.location = settings.location;
  }

  /** An object that is there already is compared, since many servers say only that there is one. */
  async put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    checkKey(key);
    try {
      await this.#run("put", { key, length: data.length }, { signal, input: data });
    } catch (error) {
      if (!(error instanceof PluginFailure) || error.failure !== "conflict") throw this.#failed(error, "store", key);
      const size = (await this.stat(key, signal))?.sizeBytes;
      const isSame = size === data.length && equalBytes(await this.get(key, "all", signal), data);
      if (!isSame) throw existingObject(key, `it has ${size} bytes, the new one ${data.length}`);
    }
  }

  async create(signal?: AbortSignal): Promise<ObjectWriter> {
    await Promise.resolve();
    throwIfAborted(signal);
    return new BufferedWriter((key, data) => this.put(key, data, signal), signal);
  }

  async get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    checkKey(key);
    if (range === "all") return await this.#getAll(key, signal);
    checkRange(key, range);
    throwIfAborted(signal);
    if (range.length > 0) {
      const data = await this.#getPart(key, range, signal);
      if (data?.length === range.length) return data;
    }
    const size = (await this.stat(key, signal))?.sizeBytes;
    if (size === undefined) throw missingObject(key, this.location);
    if (range.offset + range.length > size) throw shortObject(key, range, size);
    if (range.length === 0) return new Uint8Array(0);
    throw this.#wrong(`it gave other than ${range.length} bytes of ${key}`);
  }

  /** Undefined where there may be less of it than wanted. */
  async #getPart(key: string, range: ByteRange, signal: AbortSignal | undefined): Promise<Bytes | undefined> {
    try {
      const { offset, length } = range;
      return (await this.#run("get", { key, offset, length }, { signal, outputBytesMax: length })).output;
    } catch (error) {
      const isRange = error instanceof PluginFailure && ["permanent", "invalid_input"].includes(error.failure);
      if (isRange) {
        const size = (await this.stat(key, signal))?.sizeBytes ?? Infinity;
        if (range.offset + range.length > size) return undefined;
      }
      throw this.#failed(error, "read", key);
    }
  }

  async #getAll(key: string, signal: AbortSignal | undefined): Promise<Bytes> {
    try {
      return (await this.#run("get", { key }, { signal, outputBytesMax: LIMITS.packBytesMax })).output;
    } catch (error) {
      if (error instanceof PluginFailure && error.failure === "quota" && error.wasStopped) {
        checkWhole(key, (await this.stat(key, signal))?.sizeBytes ?? 0);
      }
      throw this.#failed(error, "read", key);
    }
  }

  async stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    checkKey(key);
    try {
      const { length } = resultOf(await this.#run("stat", { key }, { signal }));
      if (isSize(length)) return { sizeBytes: length };
    } catch (error) {
      const failure = this.#failed(error, "look at", key);
      if (isKind(failure, "object_missing")) return undefined;
      throw failure;
    }
    throw this.#wrong(`it did not say the length of ${key}`);
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    checkPrefix(prefix);
    let cursor: string | undefined, last = "", emptyPages = 0;
    const seen = new Set<string>();
    do {
      const { entries, cursor: next } = resultOf(await this.#page(prefix, cursor, signal));
      if (!Array.isArray(entries)) throw this.#wrong(`it did not list ${prefix}`);
      const page = JSON.stringify(entries), isAgain = entries.length > 0 && page === last;
      if (isAgain || (cursor !== undefined && seen.has(cursor))) {
        throw this.#wrong(`its list of ${prefix} goes in a circle`);
      }
      if (cursor !== undefined) seen.add(cursor);
      last = page;
      emptyPages = entries.length === 0 ? emptyPages + 1 : 0;
      if (emptyPages > LIMITS.pluginEmptyPagesMax) {
        throw this.#wrong(`its list of ${prefix} has nothing but empty pages`);
      }
      for (const entry of entries) {
        throwIfAborted(signal);
        const object = this.#listed(entry, prefix);
        if (object !== undefined) yield object;
      }
      cursor = typeof next === "string" ? next : undefined;
    } while (cursor !== undefined);
  }

  /** Undefined for what is no object. */
  #listed(entry: unknown, prefix: string): ObjectInfo | undefined {
    const { key, length } = (entry ?? {}) as Record<string, unknown>;
    if (typeof key !== "string" || !key.startsWith(prefix)) {
      throw this.#wrong(`it listed ${JSON.stringify(key)} below ${prefix}`);
    }
    if (isSize(length) && isKey(key)) return { key, sizeBytes: length };
    if (isKey(key)) throw this.#wrong(`it did not say the length of ${key}`);
    this.settings.onForeign?.(key);
    return undefined;
  }

  async #page(prefix: string, cursor: string | undefined, signal: AbortSignal | undefined): Promise<PluginAnswer> {
    try {
      return await this.#run("list", { prefix, cursor, limit: LIMITS.pluginListEntries }, { signal });
    } catch (error) {
      throw this.#failed(error, "list", prefix);
    }
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key);
    try {
      await this.#run("delete", { key }, { signal });
    } catch (error) {
      const failure = this.#failed(error, "remove", key);
      if (!isKind(failure, "object_missing")) throw failure;
    }
  }

  async #setAside(key: string, signal: AbortSignal | undefined): Promise<string> {
    const asideKey = damagedKey(key, toHex(this.settings.random(8)));
    await this.put(asideKey, await this.get(key, "all", signal), signal);
    await this.remove(key, signal);
    return asideKey;
  }

  close(): Promise<void> {
    return this.settings.close();
  }

  async #run(
    operation: Operation,
    parameters: Record<string, unknown>,
    { signal, ...more }: Pick<PluginCall, "input" | "outputBytesMax"> & { signal: AbortSignal | undefined },
  ): Promise<PluginAnswer> {
    throwIfAborted(signal);
    return await this.settings.call({ verb: "execute", operation, parameters, ...more }, signal);
  }

  #failed(error: unknown, doing: string, key: string): unknown {
    return error instanceof PluginFailure ? storeError(error, doing, key, this.location) : error;
  }

  #wrong(why: string): AxiomError {
    return new AxiomError("plugin_failed", `Cannot use ${this.location}: its plugin is wrong: ${why}`, {
      hint: "This is for the plugin's author to correct",
    });
  }
}

function isSize(length: unknown): length is number {
  return Number.isSafeInteger(length) && (length as number) >= 0;
}
