import type { PluginRun } from "../base/events.ts";
import { escapeLines } from "./event_json.ts";

const DID: Readonly<Record<PluginRun["category"], string>> = { processing: "processed it", notification: "was told" };

/** One line for people. */
export function pluginRunText({ category, pluginId, version, sha256, metrics, artifacts, error }: PluginRun): string {
  const name = version === undefined ? pluginId : `${pluginId} ${version} (${sha256!.slice(0, 12)})`;
  const made = [...Object.entries(metrics).map(([key, value]) => `${key} ${value}`), ...artifacts.map(oneLine)];
  const did = error === undefined ? DID[category] : "failed";
  return `Plugin:   ${name} ${did}${made.length === 0 ? "" : `: ${made.join(", ")}`}`;
}

function oneLine(artifact: string): string {
  return escapeLines(artifact.replaceAll("\n", " "));
}

export function pluginRunJson({ pluginId, version, sha256, metrics, artifacts, error }: PluginRun) {
  return {
    plugin_id: pluginId,
    version: version ?? null,
    sha256: sha256 ?? null,
    status: error === undefined ? "SUCCESS" : "FAILURE",
    metrics,
    artifacts,
    error: error === undefined ? null : { kind: error.kind, message: escapeLines(error.message) },
  };
}
