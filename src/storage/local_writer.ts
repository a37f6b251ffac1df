import type { Bytes } from "../base/bytes.ts";
import { equalBytes, MIB } from "../base/bytes.ts";
import { AxiomError, isKind, throwIfAborted } from "../base/errors.ts";
import { isRefused } from "./file_errors.ts";
import type { OpenFile } from "./file_ops.ts";
import { folderOf, type LocalPlace, MISSING } from "./local_place.ts";
import type { LocalPublisher } from "./local_publish.ts";
import { checkKey, existingObject } from "./object_key.ts";
import type { ObjectWriter } from "./object_store.ts";

const COMPARE_BYTES = MIB;

/**
 * An object in the making: `tmp/<random>` until `commit` has synced it, given it its name and synced the folder, in that
 * order, so that after a power failure the name is there only with the bytes.
 *
 * A write that failed, and a commit that failed for good, remove the file at once, so that a full disk is not left fuller.
 * A commit whose failure is retriable may be called again.
 */
export class LocalWriter implements ObjectWriter {
  #state: "open" | "synced" | "committed" | "gone" = "open";
  #sizeBytes = 0;
  /** Calls one after another, in the order in which they were made. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param path Of the new file that `file` is open on
   * @param onEnd Called once, when the file is closed
   */
  constructor(
    private readonly place: LocalPlace,
    private readonly publisher: LocalPublisher,
    private readonly file: OpenFile,
    private readonly path: string,
    private readonly signal: AbortSignal | undefined,
    private readonly onEnd: () => void,
  ) {}

  write(data: Bytes): Promise<void> {
    return this.#inTurn("write to a new object", async () => {
      if (this.#state !== "open") throw new Error(`Wrote to an object that is ${this.#state}`);
      await this.file.write(data);
      this.#sizeBytes += data.length;
    });
  }

  commit(key: string): Promise<void> {
    return this.#inTurn(`store ${key}`, async () => {
      checkKey(key);
      if (this.#state !== "open" && this.#state !== "synced") {
        throw new Error(`Committed an object that is ${this.#state}`);
      }
      if (this.#state === "open") await this.#sync();
      if (!(await this.publisher.publish(this.path, key))) {
        await this.#compare(key);
        await this.place.tidy(this.path);
      }
      await this.place.folders.sync(folderOf(key));
      this.#end("committed");
    });
  }

  abort(): Promise<void> {
    const aborting = this.#last.then(async () => {
      if (this.#state === "open" || this.#state === "synced") await this.#discard();
    });
    this.#last = aborting.catch(() => {});
    return aborting;
  }

  #inTurn(action: string, task: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(async () => {
      try {
        throwIfAborted(this.signal);
        await this.place.attempt(action, task);
      } catch (error) {
        const again = this.#state === "synced" && isKind(error, "storage_busy", "storage_failed") && error.retriable;
        if (!again && this.#state !== "committed" && this.#state !== "gone") await this.#discard();
        throw error;
      }
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** After an fsync that failed, a second one may claim success without the data, so there is none. */
  async #sync(): Promise<void> {
    const { ops, missing } = this.place;
    try {
      await ops.chmod(this.path, 0o400);
    } catch (error) {
      if (!isRefused(error, "EACCES")) throw error;
      missing.add(MISSING.chmod);
    }
    try {
      await this.file.sync();
    } catch (error) {
      if (!isRefused(error)) throw error;
      missing.add(MISSING.fileSync);
    }
    this.#state = "synced";
  }

  /** Throws `object_exists` unless the object at `key` has the bytes that were written here. */
  async #compare(key: string): Promise<void> {
    const { ops } = this.place;
    const existing = await this.place.look(this.place.pathOf(key));
    if (!existing) {
      throw new AxiomError("storage_busy", `Cannot store ${key}: another client stored and removed it at this moment`);
    }
    if (existing.type !== "file") throw existingObject(key, "it is not a file");
    if (existing.sizeBytes !== this.#sizeBytes) {
      throw existingObject(key, `it has ${existing.sizeBytes} bytes, the new one ${this.#sizeBytes}`);
    }
    const other = await ops.openFile(this.place.pathOf(key));
    try {
      const ours = new Uint8Array(COMPARE_BYTES), theirs = new Uint8Array(COMPARE_BYTES);
      for (let at = 0; at < this.#sizeBytes; at += COMPARE_BYTES) {
        const count = await this.file.readAt(ours, at);
        const same = await other.readAt(theirs, at) === count;
        if (!same || !equalBytes(ours.subarray(0, count), theirs.subarray(0, count))) {
          throw existingObject(key, `of ${this.#sizeBytes} bytes too, with other content`);
        }
      }
    } finally {
      other.close();
    }
  }

  async #discard(): Promise<void> {
    this.#end("gone");
    await this.place.tidy(this.path);
  }

  #end(state: "committed" | "gone"): void {
    this.#state = state;
    this.file.close();
    this.onEnd();
  }
}
