import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { DropBox } from "./drop_box.ts";

/** What there is to do where something changed. */
export interface WatchedPlugins {
  /** Of the plugin folder. */
  readonly path: string;
  readonly dropBox: DropBox;
  readonly clock: Clock;
  /** Called after `plugins.lock` changed. */
  sync(): Promise<unknown>;
  onProblem(message: string): void;
}

/** Looks at the plugin folder at each change that the system tells of, and every second in case it tells of none. */
export class PluginWatch {
  readonly #ending = new AbortController();
  #watcher: Deno.FsWatcher | undefined;
  #wake: () => void = () => {};
  #last: string | undefined;
  #problem = "";
  readonly #ended: Promise<void>;

  constructor(readonly watched: WatchedPlugins) {
    this.#watch();
    this.#ended = this.#run();
  }

  /** A folder that is not there, or is replaced, is looked at all the same. */
  #watch(): void {
    try {
      this.#watcher = Deno.watchFs(this.watched.path, { recursive: false });
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

  async #run(): Promise<void> {
    const { clock } = this.watched, { signal } = this.#ending;
    for (;;) {
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      try {
        const quiet = new AbortController();
        const stop = () => quiet.abort(signal.reason);
        signal.addEventListener("abort", stop, { once: true });
        await Promise.race([clock.sleep(LIMITS.pluginPollMs, quiet.signal), woken]);
        signal.removeEventListener("abort", stop);
        quiet.abort();
        if (signal.aborted) return;
      } catch {
        return;
      }
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    try {
      await this.watched.dropBox.look();
      const now = await this.#signature();
      if (now !== this.#last) await this.watched.sync();
      this.#last = now;
      this.#problem = "";
    } catch (error) {
      const message = messageOf(error);
      if (message !== this.#problem) this.watched.onProblem(message);
      this.#problem = message;
    }
  }

  /** The lock is always replaced as a whole. */
  async #signature(): Promise<string> {
    const info = await Deno.stat(join(this.watched.path, "plugins.lock")).catch(() => undefined);
    return `${info?.ino} ${info?.size} ${info?.mtime?.getTime()}`;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    try {
      this.#watcher?.close();
    } catch {
      // it ended by itself
    }
    await this.#ended;
  }
}
