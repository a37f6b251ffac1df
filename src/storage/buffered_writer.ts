import { type Bytes, concat } from "../base/bytes.ts";
import { throwIfAborted } from "../base/errors.ts";
import type { ObjectWriter } from "./object_store.ts";

/** Keeps an object in memory until its name is known. */
export class BufferedWriter implements ObjectWriter {
  #parts: Bytes[] | undefined = [];
  #committed = false;

  constructor(
    private readonly put: (key: string, data: Bytes) => Promise<void>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async write(data: Bytes): Promise<void> {
    await Promise.resolve();
    throwIfAborted(this.signal);
    this.#open().push(data.slice());
  }

  async commit(key: string): Promise<void> {
    await this.put(key, concat(this.#open()));
    this.#parts = undefined;
    this.#committed = true;
  }

  abort(): Promise<void> {
    this.#parts = undefined;
    return Promise.resolve();
  }

  #open(): Bytes[] {
    if (!this.#parts) throw new Error(`Used an object writer after ${this.#committed ? "commit" : "abort"}`);
    return this.#parts;
  }
}
