import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { codeOf } from "./file_errors.ts";
import type { FileOps, OpenFile } from "./file_ops.ts";

/** A file lent to one reader. */
export interface OpenObject {
  readonly path: string;
  readonly file: OpenFile;
  /** When it was opened; objects never change. */
  readonly sizeBytes: number;
  readonly openedMs: number;
}

/**
 * Files kept open between ranged reads of the same objects, least recently used out first. A reader has a file for itself,
 * because a read moves the file's position; readers of one object at the same time get one file each.
 */
export class OpenObjects {
  /** Least recently used first. */
  readonly #idle: OpenObject[] = [];
  /** Lent files that are not to be kept: their object was removed meanwhile. */
  readonly #stale = new WeakSet<OpenObject>();
  readonly #lent = new Set<OpenObject>();
  #closed = false;

  constructor(private readonly ops: FileOps, private readonly clock: Clock) {}

  /** Undefined if `path` is not a regular file; a FIFO in its place is not waited for. */
  async borrow(path: string): Promise<OpenObject | undefined> {
    const object = this.#takeIdle(path) ?? await this.#open(path);
    if (object) this.#lent.add(object);
    return object;
  }

  giveBack(object: OpenObject): void {
    this.#lent.delete(object);
    if (this.#closed || this.#stale.has(object)) return object.file.close();
    this.#idle.push(object);
    if (this.#idle.length > LIMITS.storeOpenFilesMax) this.#idle.shift()!.file.close();
  }

  /** Closes the files of `path`, those that are lent when they come back. */
  forget(path: string): void {
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      if (this.#idle[i].path === path) this.#idle.splice(i, 1)[0].file.close();
    }
    for (const object of this.#lent) if (object.path === path) this.#stale.add(object);
  }

  close(): void {
    this.#closed = true;
    this.#closeIdle();
  }

  #takeIdle(path: string): OpenObject | undefined {
    const oldestMs = this.clock.monotonicMs() - LIMITS.storeOpenFileIdleMs;
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      if (this.#idle[i].path !== path) continue;
      const [object] = this.#idle.splice(i, 1);
      if (object.openedMs >= oldestMs) return object;
      object.file.close();
    }
    return undefined;
  }

  async #open(path: string): Promise<OpenObject | undefined> {
    const { type, sizeBytes } = await this.ops.stat(path);
    if (type !== "file") return undefined;
    const openedMs = this.clock.monotonicMs();
    try {
      return { path, file: await this.ops.openFile(path), sizeBytes, openedMs };
    } catch (error) {
      if (codeOf(error) !== "EMFILE" && codeOf(error) !== "ENFILE") throw error;
      this.#closeIdle();
      return { path, file: await this.ops.openFile(path), sizeBytes, openedMs };
    }
  }

  #closeIdle(): void {
    for (const { file } of this.#idle.splice(0)) file.close();
  }
}
