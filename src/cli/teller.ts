import { AxiomError, type ErrorReport } from "../base/errors.ts";
import type { PluginRun } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import type { Outcome } from "../config/plugin_settings.ts";
import { type OperationEnd, type RunStatus, statusOf } from "../operations/end_context.ts";
import { notifyWith } from "../operations/plugin_runs.ts";
import type { RunPlugin } from "../plugins/wasm_run.ts";
import type { App } from "./app.ts";
import type { AnyCommand } from "./command.ts";

/** A plugin that is told how commands end. */
export interface Notifier {
  readonly plugin: RunPlugin;
  readonly outcomes: readonly Outcome[];
}

const STATUS: Readonly<Record<Outcome, RunStatus>> = { success: "SUCCESS", warning: "WARNING", failure: "FAILURE" };
const PLAIN = { columns: undefined, color: false, verbosity: 0 };

/** Tells plugins once how a command ended, whichever way. What goes wrong with that is a warning and changes nothing. */
export class Teller {
  #app: App | undefined;
  #notifiers: Promise<Notifier[]> | undefined;
  #hasTold = false;

  /** @param isTrial Nothing is done that anybody has to hear of */
  constructor(readonly command: AnyCommand, readonly isTrial: boolean) {}

  /** Before the command does anything. Throws why a plugin that the command line names cannot be used. */
  async ready(app: App): Promise<void> {
    const { tells } = this.command;
    if (tells === undefined) return;
    this.#app = app;
    await (this.#notifiers ??= app.notifiers(tells));
  }

  async ended(result: unknown, exitCode: number): Promise<PluginRun[]> {
    const { command } = this;
    return await this.#tell(() => {
      return { exitCode, message: command.render(result, PLAIN), summary: command.json(result) };
    });
  }

  async failed(failure: ErrorReport, exitCode: number): Promise<void> {
    await this.#tell(() => ({ exitCode, message: failure.message, failure }));
  }

  async #tell(ended: () => Pick<OperationEnd, "exitCode" | "message" | "summary" | "failure">): Promise<PluginRun[]> {
    if (this.#hasTold) return [];
    this.#hasTold = true;
    const notifiers = await this.#notifiers?.catch(() => undefined), app = this.#app;
    if (app === undefined || notifiers === undefined || notifiers.length === 0 || this.isTrial) return [];
    const known = ended(), status = statusOf(known), { name } = this.command;
    const wanted = notifiers.filter(({ outcomes }) => outcomes.some((each) => STATUS[each] === status));
    const context = app.endContext({ command: name, event: `${name}_ended`, ...known });
    const patience = new AbortController(), done = new AbortController();
    const end = () => patience.abort(new AxiomError("interrupted", "Cannot wait any longer"));
    const stop = () => void app.clock.sleep(LIMITS.pluginFarewellMs, done.signal).then(end, () => {});
    if (app.signal.aborted) stop();
    else app.signal.addEventListener("abort", stop);
    try {
      const plugins = new Map(wanted.map(({ plugin }) => [plugin.pluginId, plugin]));
      return await notifyWith([...plugins.values()], context, { onEvent: app.events, signal: patience.signal });
    } finally {
      app.signal.removeEventListener("abort", stop);
      done.abort();
    }
  }
}
