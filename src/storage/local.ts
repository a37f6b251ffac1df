import { resolve } from "node:path";
import type { Bytes } from "../base/bytes.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { throwIfAborted } from "../base/errors.ts";
import { type Random, systemRandom } from "../base/random.ts";
import { codeOf, isMissing } from "./file_errors.ts";
import { denoFileOps, type FileOps } from "./file_ops.ts";
import { listFolder } from "./local_list.ts";
import { findFolder, folderOf, LocalPlace } from "./local_place.ts";
import { clearTemporary, probePlace, type ProbeReport } from "./local_probe.ts";
import { LocalReader } from "./local_reader.ts";
import { LocalPublisher } from "./local_publish.ts";
import { LocalWriter } from "./local_writer.ts";
import { checkKey, checkPrefix, checkRange, damagedKey, missingObject, TEMPORARY } from "./object_key.ts";
import type { ByteRange, ObjectInfo, ObjectWriter, StoreTraits } from "./object_store.ts";
import type { ObjectRepairer, RepairableStore } from "./repairer.ts";

export interface LocalOptions {
  /** Makes the folder, and those above it, where they are missing; else that is `repository_missing`. */
  make?: boolean;
  /** For how long listings may be stale, in ms; else by the kind of the file system. */
  staleListingMs?: number;
  /** Gets the path, relative to the store, of everything in a listed folder that is not an object. */
  onForeign?: (path: string) => void;
  ops?: FileOps;
  clock?: Clock;
  random?: Random;
}

export interface LocalStore extends RepairableStore {
  readonly repair: ObjectRepairer;
  probe(): Promise<ProbeReport>;
}

/**
 * Objects as files below a folder, their keys as relative paths. Files are read-only (0400) in folders of mode 0700.
 * A file system that can do less works too, see {@linkcode StoreTraits.missing}; it is tried at the first write.
 */
export async function openLocalStore(folder: string, options: LocalOptions = {}): Promise<LocalStore> {
  const { make = false, staleListingMs, onForeign = () => {} } = options;
  const { ops = denoFileOps, clock = systemClock, random = systemRandom } = options;
  const root = resolve(folder).replace(/\/$/, "");
  await findFolder(new LocalPlace(root, ops, clock, random, undefined, staleListingMs), make);
  const volume = await ops.volume(root === "" ? "/" : root);
  return new LocalObjects(new LocalPlace(root, ops, clock, random, volume?.kind, staleListingMs), onForeign);
}

class LocalObjects implements LocalStore {
  readonly repair: ObjectRepairer = { setAside: (key, signal) => this.#setAside(key, signal) };
  readonly #reader: LocalReader;
  readonly #publisher: LocalPublisher;
  readonly #writers = new Map<string, LocalWriter>();
  #prepared: Promise<void> | undefined;

  constructor(private readonly place: LocalPlace, private readonly onForeign: (path: string) => void) {
    this.#reader = new LocalReader(place);
    this.#publisher = new LocalPublisher(place);
  }

  get location(): string {
    return this.place.location;
  }

  get traits(): StoreTraits {
    const { staleListingMs, staleListingReason, missing } = this.place;
    return { staleListingMs, staleListingReason, missing: [...missing] };
  }

  async put(key: string, data: Bytes, signal?: AbortSignal): Promise<void> {
    checkKey(key);
    const writer = await this.#create(`store ${key}`, signal);
    try {
      if (data.length > 0) await writer.write(data);
      await writer.commit(key);
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  create(signal?: AbortSignal): Promise<ObjectWriter> {
    return this.#create("make a new object", signal);
  }

  async get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes> {
    checkKey(key);
    if (range !== "all") checkRange(key, range);
    throwIfAborted(signal);
    const data = await this.place.attempt(`read ${key}`, () => this.#reader.read(key, range));
    throwIfAborted(signal);
    return data;
  }

  async stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined> {
    checkKey(key);
    throwIfAborted(signal);
    const info = await this.place.attempt(`look for ${key}`, () => this.place.look(this.place.pathOf(key)));
    if (info === undefined) await this.place.attempt(`look for ${key}`, () => this.place.checkRoot());
    return info?.type === "file" ? { sizeBytes: info.sizeBytes } : undefined;
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ObjectInfo, void, void> {
    checkPrefix(prefix);
    yield* listFolder(this.place, prefix, this.onForeign, signal);
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key);
    throwIfAborted(signal);
    await this.place.attempt(`remove ${key}`, async () => {
      const path = this.place.pathOf(key);
      this.#reader.forget(key);
      const there = await this.place.look(path);
      if (there === undefined) await this.place.checkRoot();
      if (there?.type === "folder") return;
      await this.#removeFile(path);
      await this.place.folders.sync(folderOf(key)).catch((error) => {
        if (!isMissing(error)) throw error;
      });
    });
  }

  async close(): Promise<void> {
    for (const writer of [...this.#writers.values()]) await writer.abort();
    this.#reader.close();
  }

  probe(): Promise<ProbeReport> {
    return this.place.attempt("probe the repository's folder", async () => {
      await this.place.folders.ensure(TEMPORARY);
      return await probePlace(this.place);
    });
  }

  async #create(action: string, signal: AbortSignal | undefined): Promise<LocalWriter> {
    throwIfAborted(signal);
    return await this.place.attempt(action, async () => {
      await this.#prepare();
      throwIfAborted(signal);
      const path = this.place.temporaryPath();
      const file = await this.place.ops.createFile(path);
      const writer = new LocalWriter(
        this.place,
        this.#publisher,
        file,
        path,
        signal,
        () => this.#writers.delete(path),
      );
      this.#writers.set(path, writer);
      return writer;
    });
  }

  /** Once per open store, before its first write; again if that failed. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.place.folders.ensure(TEMPORARY).then(async () => {
      await probePlace(
        this.place,
        (nowMs) => clearTemporary(this.place, nowMs, (path) => this.#writers.has(path)),
      );
    }).catch((error) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #removeFile(path: string): Promise<void> {
    try {
      await this.place.discard(path);
    } catch (error) {
      if (codeOf(error) !== "EACCES" && codeOf(error) !== "EPERM") throw error;
      await this.place.ops.chmod(path, 0o600).catch(() => {}); // SMB refuses to remove what is read-only
      await this.place.discard(path);
    }
  }

  async #setAside(key: string, signal: AbortSignal | undefined): Promise<string> {
    checkKey(key);
    throwIfAborted(signal);
    return await this.place.attempt(`set ${key} aside`, async () => {
      const path = this.place.pathOf(key);
      const asideKey = damagedKey(key, this.place.randomName());
      if ((await this.place.look(path))?.type !== "file") throw missingObject(key, this.location);
      this.#reader.forget(key);
      await this.place.folders.ensure(folderOf(asideKey));
      await this.place.ops.rename(path, this.place.pathOf(asideKey));
      await this.place.folders.sync(folderOf(asideKey));
      await this.place.folders.sync(folderOf(key));
      return asideKey;
    });
  }
}
