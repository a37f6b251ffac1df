import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { BUILT_IN } from "../stages/codec.ts";
import type { ControlAnswer, ControlCommand, RunningPlugin } from "./control_message.ts";
import { ControlServer } from "./control_server.ts";
import { DropBox } from "./drop_box.ts";
import type { PluginChange } from "./installed_changes.ts";
import type { PluginFolder } from "./plugin_folder.ts";
import type { PluginRegistry } from "./plugin_registry.ts";
import { PluginWatch } from "./plugin_watch.ts";
import type { Trust } from "./trust.ts";

export interface ControlledPlugins {
  readonly registry: PluginRegistry;
  /** Makes what is installed now what serves from now on. */
  sync(): Promise<PluginChange[]>;
}

export interface ControlSettings {
  readonly folder: PluginFolder;
  /** Of files that somebody put into the folder. */
  readonly dropTrust: Trust;
  readonly clock: Clock;
  /** Hears of what hinders it; the process works on without. */
  readonly onProblem: (message: string) => void;
}

/** Whoever changes what is installed asks right after it; the watch may have been faster. */
const RECENT_MS = 3_000;

/** Has a process follow what is installed, and tell other processes of the same user what it runs. */
export class ProcessControl {
  readonly #lastChanges = new Map<string, { change: PluginChange; atMs: number }>();
  readonly #watch: PluginWatch;
  #server: ControlServer | undefined;

  constructor(readonly plugins: ControlledPlugins, readonly settings: ControlSettings) {
    const { folder, dropTrust, clock, onProblem } = settings;
    const dropBox = new DropBox(folder, dropTrust, clock, (name, { message }) => {
      onProblem(`The file ${name} in the plugin folder is not used: ${message}`);
    });
    this.#watch = new PluginWatch({ path: folder.path, dropBox, clock, sync: () => this.#sync(), onProblem });
  }

  /** Answers at a socket in `folder`, too. */
  async listen(folder: string, random: Random): Promise<void> {
    try {
      this.#server = await ControlServer.start(folder, random, (command) => this.#answer(command));
    } catch (error) {
      this.settings.onProblem(messageOf(error));
    }
  }

  async #sync(): Promise<void> {
    const changes = await this.plugins.sync();
    const atMs = this.settings.clock.monotonicMs();
    for (const change of changes) this.#lastChanges.set(change.pluginId, { change, atMs });
  }

  async #answer(command: ControlCommand): Promise<ControlAnswer> {
    if (command === "sync") await this.#sync();
    const nowMs = this.settings.clock.monotonicMs();
    const recent = [...this.#lastChanges.values()].filter(({ atMs }) => nowMs - atMs < RECENT_MS);
    const changes = command === "sync" ? recent.map(({ change }) => change) : [];
    return { pid: Deno.pid, changes, plugins: runningPlugins(this.plugins.registry) };
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#watch.close();
  }
}

/** Without what nobody put into place of what is built in. */
function runningPlugins(registry: PluginRegistry): RunningPlugin[] {
  return registry.list().flatMap(({ generations, current }) => {
    if (generations.every(({ plugin }) => plugin.sha256 === BUILT_IN)) return [];
    return generations.map((each) => ({
      ...each.plugin,
      generation: each.number,
      state: each.state,
      calls: each.calls,
      faults: each.faultsMs.length,
      isServing: each.number === current?.number,
      ...(each.reason === undefined ? {} : { reason: each.reason }),
    }));
  });
}
