import { codeOf, isRefused } from "./file_errors.ts";
import type { FileOps } from "./file_ops.ts";

interface FolderSync {
  running: Promise<void>;
  /** Shared by all who asked after `running` began: what they changed may not be part of it. */
  next?: Promise<void>;
}

/** Folders below a store's root, made when needed, and their fsync. Paths are relative; the empty one is the root. */
export class FolderKeeper {
  readonly #durable = new Map<string, Promise<void>>();
  readonly #syncs = new Map<string, FolderSync>();
  #canSync = true;

  /** @param onRefused Called once if folders cannot be synced */
  constructor(
    private readonly root: string,
    private readonly ops: FileOps,
    private readonly onRefused: () => void,
  ) {}

  /**
   * Makes a folder and those above it, with their names durable. One that exists already gets its name synced too, once:
   * another client may have made it a moment ago and not synced it yet.
   */
  ensure(path: string): Promise<void> {
    if (path === "") return Promise.resolve();
    const known = this.#durable.get(path);
    if (known) return known;
    const making = this.#make(path);
    this.#durable.set(path, making);
    making.catch(() => this.#durable.delete(path));
    return making;
  }

  /** For when a folder turns out to be gone: each is made anew when it is needed next. */
  forget(): void {
    this.#durable.clear();
  }

  /** Makes changed names in a folder durable, or does nothing where the file system refuses. */
  sync(path: string): Promise<void> {
    if (!this.#canSync) return Promise.resolve();
    const current = this.#syncs.get(path);
    if (!current) return this.#start(path);
    current.next ??= current.running.catch(() => {}).then(() => this.#start(path));
    return current.next;
  }

  async #make(path: string): Promise<void> {
    const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
    await this.ensure(parent);
    try {
      await this.ops.makeFolder(`${this.root}/${path}`);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    await this.sync(parent);
  }

  #start(path: string): Promise<void> {
    const running = this.#syncOnce(path).finally(() => {
      if (this.#syncs.get(path) === sync && !sync.next) this.#syncs.delete(path);
    });
    const sync: FolderSync = { running };
    this.#syncs.set(path, sync);
    return running;
  }

  async #syncOnce(path: string): Promise<void> {
    try {
      await this.ops.syncFolder(path === "" ? this.root : `${this.root}/${path}`);
    } catch (error) {
      if (!isRefused(error, "EACCES", "EISDIR", "EBADF")) throw error;
      this.#canSync = false;
      this.onRefused();
    }
  }
}
