import type { Clock } from "../base/clock.ts";

/** Says when to look at a folder again: at each change that the system tells of, and after a while in case it tells of none. */
export class FolderWatch {
  #watcher: Deno.FsWatcher | undefined;
  #sleep = new AbortController();
  #isWoken = false;
  #isClosed = false;

  /** A folder that is not there, or is replaced, is looked at all the same. */
  constructor(path: string, readonly clock: Clock, { recursive = false }: { recursive?: boolean } = {}) {
    try {
      this.#watcher = Deno.watchFs(path, { recursive });
    } catch {
      return;
    }
    void (async (watcher) => {
      try {
        for await (const _ of watcher) this.#wake();
      } catch {
        return; // closed, or the folder is gone
      }
    })(this.#watcher);
  }

  #wake(): void {
    this.#isWoken = true;
    this.#sleep.abort();
  }

  /** Resolves `ms` later, or with the first change since the call before; false once it is closed. */
  async next(ms: number): Promise<boolean> {
    if (!this.#isWoken) {
      this.#sleep = new AbortController();
      await this.clock.sleep(ms, this.#sleep.signal).catch(() => {});
    }
    this.#isWoken = false;
    return !this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
    try {
      this.#watcher?.close();
    } catch {
      return; // it ended by itself
    }
  }
}
