import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { DropBox } from "./drop_box.ts";
import { FolderWatch } from "./folder_watch.ts";
import { PLUGINS_LOCK } from "./plugins_lock.ts";

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
  readonly #watch: FolderWatch;
  #last: string | undefined;
  #problem = "";
  readonly #ended: Promise<void>;

  constructor(readonly watched: WatchedPlugins) {
    this.#watch = new FolderWatch(watched.path, watched.clock);
    this.#ended = this.#run();
  }

  async #run(): Promise<void> {
    while (await this.#watch.next(LIMITS.pluginPollMs)) await this.#look();
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
    const info = await Deno.stat(join(this.watched.path, PLUGINS_LOCK)).catch(() => undefined);
    return `${info?.ino} ${info?.size} ${info?.mtime?.getTime()}`;
  }

  async close(): Promise<void> {
    this.#watch.close();
    await this.#ended;
  }
}
