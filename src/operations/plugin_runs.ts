import { AxiomError, messageOf, reportError } from "../base/errors.ts";
import type { EventSink, PluginRun } from "../base/events.ts";
import { PluginFailure } from "../plugins/plugin_failure.ts";
import type { RunContext, RunPlugin } from "../plugins/wasm_run.ts";

interface RunBy {
  readonly onEvent: EventSink;
  readonly signal?: AbortSignal;
}

/** One after the other, in the order in which they were named. Never fails: a plugin that does is told, and in what is returned. */
export async function processWith(plugins: readonly RunPlugin[], context: RunContext, by: RunBy): Promise<PluginRun[]> {
  const runs: PluginRun[] = [];
  for (const plugin of plugins) runs.push(await runOne("processing", plugin, context, by));
  return runs;
}

/** All at once, so that a slow one holds up no other. Never fails either. */
export async function notifyWith(plugins: readonly RunPlugin[], context: RunContext, by: RunBy): Promise<PluginRun[]> {
  return await Promise.all(plugins.map((plugin) => runOne("notification", plugin, context, by)));
}

const AFTER: Readonly<Record<PluginRun["category"], string>> = {
  processing: "the snapshot stands",
  notification: "nobody may have been told",
};

async function runOne(
  category: PluginRun["category"],
  { pluginId, run }: RunPlugin,
  context: RunContext,
  { onEvent, signal }: RunBy,
): Promise<PluginRun> {
  const ended = await run(context, signal).then(
    ({ plugin, metrics, artifacts }): PluginRun => ({ category, ...plugin, metrics, artifacts, error: undefined }),
    (error: unknown): PluginRun => {
      const { version, sha256 } = error instanceof PluginFailure ? error.plugin : {};
      const report = error instanceof AxiomError
        ? reportError(error)
        : { kind: "internal" as const, message: `Cannot run ${pluginId}: internal error, ${messageOf(error)}` };
      return { category, pluginId, version, sha256, metrics: {}, artifacts: [], error: report };
    },
  );
  onEvent({ type: "plugin_run", run: ended });
  if (ended.error !== undefined) {
    onEvent({ type: "warning", code: category, message: `${ended.error.message}; ${AFTER[category]}` });
  }
  return ended;
}
