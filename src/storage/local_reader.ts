import type { Bytes } from "../base/bytes.ts";
import { codeOf, isMissing } from "./file_errors.ts";
import type { LocalPlace } from "./local_place.ts";
import { checkWhole, missingObject, shortObject } from "./object_key.ts";
import type { ByteRange } from "./object_store.ts";
import { type OpenObject, OpenObjects } from "./open_objects.ts";

/** Reads ranges of objects, several at the same time. */
export class LocalReader {
  readonly #files: OpenObjects;

  constructor(private readonly place: LocalPlace) {
    this.#files = new OpenObjects(place.ops, place.clock);
  }

  /** Throws `object_missing`, `data_damaged` for a range that the object does not have, and what the system throws. */
  async read(key: string, range: ByteRange | "all"): Promise<Bytes> {
    for (let attempt = 1;; attempt++) {
      const object = await this.#borrow(key);
      const wanted = range === "all" ? { offset: 0, length: object.sizeBytes } : range;
      let result: Bytes | number;
      try {
        if (range === "all") checkWhole(key, object.sizeBytes);
        result = await readRange(object, wanted);
      } catch (error) {
        this.forget(key);
        if (codeOf(error) !== "ESTALE" || attempt > 1) throw error;
        continue;
      } finally {
        this.#files.giveBack(object);
      }
      if (typeof result !== "number") return result;
      this.forget(key);
      // Perhaps another client has replaced a short object by a whole one since this file was opened.
      if (attempt > 1) throw shortObject(key, wanted, result);
    }
  }

  /** For an object that is about to go: later reads open its file again. */
  forget(key: string): void {
    this.#files.forget(this.place.pathOf(key));
  }

  close(): void {
    this.#files.close();
  }

  async #borrow(key: string): Promise<OpenObject> {
    let object: OpenObject | undefined;
    try {
      object = await this.#files.borrow(this.place.pathOf(key));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.place.checkRoot();
      throw missingObject(key, this.place.location, error);
    }
    if (!object) throw missingObject(key, this.place.location);
    return object;
  }
}

/** The bytes, or the size of the object if that is less than asked for. */
async function readRange({ file, sizeBytes }: OpenObject, { offset, length }: ByteRange): Promise<Bytes | number> {
  if (offset + length > sizeBytes) return sizeBytes;
  const data = new Uint8Array(length);
  const count = length === 0 ? 0 : await file.readAt(data, offset);
  return count === length ? data : offset + count;
}
