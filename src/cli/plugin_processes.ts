/** Running processes of this user, which a change of what is installed reaches at once. */
import { messageOf } from "../base/errors.ts";
import { askProcesses } from "../plugins/control_client.ts";
import type { ControlAnswer, ControlCommand, RunningPlugin } from "../plugins/control_message.ts";
import type { PluginChange } from "../plugins/installed_changes.ts";
import type { App } from "./app.ts";
import { escapeLines } from "./event_json.ts";

/** What running processes answer; that they cannot be asked is a warning, since they look by themselves every second. */
export async function askRunning(app: App, command: ControlCommand): Promise<ControlAnswer[]> {
  if (app.socketFolder === undefined) return [];
  try {
    return await askProcesses(app.socketFolder, command, app.clock);
  } catch (error) {
    app.events({ type: "warning", code: "plugins", message: messageOf(error) });
    return [];
  }
}

/** One line for each process: what it did with these plugins, or who serves in it. */
export function processLines(answers: readonly ControlAnswer[], pluginIds: readonly string[]): string[] {
  return answers.flatMap(({ pid, changes, plugins, problem }) => {
    if (problem !== undefined) return [`Process ${pid} could not be asked: ${escapeLines(problem)}`];
    return pluginIds.map((id) => {
      const change = changes.find(({ pluginId }) => pluginId === id);
      const serving = plugins.find(({ pluginId, isServing }) => pluginId === id && isServing);
      return `Process ${pid}: ${escapeLines(change === undefined ? servingText(id, serving) : changeText(change))}`;
    });
  });
}

function changeText({ pluginId, outcome, from, to, reason, tookMs }: PluginChange): string {
  switch (outcome) {
    case "switched":
      return from === undefined || from.sha256 === to?.sha256
        ? `${pluginId} ${to?.version} serves`
        : `${pluginId} ${to?.version} took over from ${from.version} within ${tookMs} ms`;
    case "kept":
      return `${from === undefined ? `${pluginId} is not used` : `${pluginId} ${from.version} goes on`}: ${reason}`;
    case "stopped":
      return `${pluginId} ${from?.version} is stopped: ${reason}`;
    case "unloaded":
      return to === undefined
        ? `${pluginId} is unloaded; what runs with it goes on`
        : `${pluginId} ${to.version} (built-in) serves again`;
  }
}

function servingText(id: string, serving: RunningPlugin | undefined): string {
  return serving === undefined ? `${id} does not serve` : `${id} ${serving.version} serves`;
}

/** @param pluginId Tells of this one alone */
export function processesJson(answers: readonly ControlAnswer[], pluginId?: string): unknown[] {
  const isMeant = (each: { pluginId: string }) => pluginId === undefined || each.pluginId === pluginId;
  return answers.map(({ pid, changes, plugins, problem }) => ({
    pid,
    problem: problem ?? null,
    changes: changes.filter(isMeant).map(({ pluginId, outcome, from, to, reason, tookMs }) => ({
      plugin_id: pluginId,
      outcome,
      from_version: from?.version ?? null,
      to_version: to?.version ?? null,
      reason: reason ?? null,
      took_ms: tookMs,
    })),
    plugins: plugins.filter(isMeant).map((each) => ({
      plugin_id: each.pluginId,
      version: each.version,
      sha256: each.sha256,
      generation: each.generation,
      state: each.state,
      serves: each.isServing,
      calls: each.calls,
      faults: each.faults,
      reason: each.reason ?? null,
    })),
  }));
}

/** A process that goes on with what it had. */
export function hasRefusal(answers: readonly ControlAnswer[]): boolean {
  return answers.some(({ changes }) => changes.some(({ outcome }) => outcome === "kept" || outcome === "stopped"));
}
