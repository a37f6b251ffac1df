/** Plugins for processing and notification: called once after an operation, with what is known of its end. */
import { fromUtf8, utf8 } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import { isKind } from "../base/errors.ts";
import type { PluginRun } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { PluginFailure, type PluginIdentity } from "./plugin_failure.ts";

export type RunCategory = PluginRun["category"];

/** What `plugin-pdk/abi.md` says of the header of `run`. */
export type RunContext = Readonly<Record<string, Json>>;

/** What one call answered. */
export interface RunReport extends Pick<PluginRun, "metrics" | "artifacts"> {
  readonly plugin: PluginIdentity;
}

export interface RunPlugin {
  /** For messages. */
  readonly pluginId: string;
  /** Fails as `AxiomError`; as `PluginFailure` also where `signal` ended it. */
  run(context: RunContext, signal?: AbortSignal): Promise<RunReport>;
}

/** What one call of a plugin answered. An answer that breaks the contract is the plugin's fault. */
export async function runWith(
  plugin: PluginIdentity,
  context: RunContext,
  call: (call: PluginCall) => Promise<PluginAnswer>,
): Promise<RunReport> {
  let answer: PluginAnswer;
  try {
    const outputBytesMax = LIMITS.pluginResultBytesMax;
    answer = await call({ verb: "execute", operation: "run", parameters: context, outputBytesMax });
  } catch (error) {
    if (!isKind(error, "interrupted")) throw error;
    throw new PluginFailure(plugin, "cancelled", "wait for", "the program was interrupted before it answered");
  }
  const report = reportOf(answer);
  if (typeof report !== "string") return { plugin, ...report };
  throw new PluginFailure(plugin, "abi", "trust", report);
}

const KEYS = ["status", "metrics", "artifacts"];
const METRIC_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** A report, or why there is none. */
function reportOf(answer: Pick<PluginAnswer, "result" | "output">): Omit<RunReport, "plugin"> | string {
  const value = valueOf(answer);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "its result is no JSON object";
  const odd = Object.keys(value).find((key) => !KEYS.includes(key));
  if (odd !== undefined) return `its result has ${shown(odd)}, which means nothing`;
  const { status, metrics = {}, artifacts = [] } = value;
  if (status !== "SUCCESS") return `its status is ${shown(status)}, where a run that failed answers an error class`;
  const fault = metricsFault(metrics) ?? artifactsFault(artifacts);
  return fault ?? { metrics: metrics as Record<string, number>, artifacts: artifacts as string[] };
}

/** A stock module has no `result`: what it puts out is taken for that. */
function valueOf({ result, output }: Pick<PluginAnswer, "result" | "output">): Json | undefined {
  try {
    return JSON.parse(result ?? fromUtf8(output));
  } catch {
    return undefined;
  }
}

function metricsFault(metrics: Json | undefined): string | undefined {
  if (typeof metrics !== "object" || metrics === null || Array.isArray(metrics)) {
    return "its metrics are no JSON object";
  }
  const all = Object.entries(metrics), max = LIMITS.pluginMetricsMax;
  if (all.length > max) return `it has ${all.length} metrics, more than ${max}`;
  const odd = all.find(([name, value]) => !METRIC_NAME.test(name) || !Number.isFinite(value));
  return odd && `its metric ${shown(odd[0])} is ${shown(odd[1])}, where a name of a-z, 0-9 and _ has a number`;
}

function artifactsFault(artifacts: Json | undefined): string | undefined {
  if (!Array.isArray(artifacts)) return "its artifacts are no list";
  const max = LIMITS.pluginArtifactsMax, bytesMax = LIMITS.pluginArtifactBytesMax;
  if (artifacts.length > max) return `it has ${artifacts.length} artifacts, more than ${max}`;
  const odd = artifacts.find((each) => typeof each !== "string" || each === "" || utf8(each).length > bytesMax);
  return odd === undefined
    ? undefined
    : `${shown(odd)} is among its artifacts, which are texts of 1 to ${bytesMax} bytes`;
}

function shown(value: Json | undefined): string {
  return (JSON.stringify(value) ?? "absent").slice(0, 100);
}
