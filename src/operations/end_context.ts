/** What plugins are told of the end of an operation: the header of `run` in `plugin-pdk/abi.md`. */
import { utf8 } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import type { ErrorReport } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { formatRfc3339 } from "../base/times.ts";
import { TOOL_VERSION } from "../base/version.ts";
import type { RunLog } from "./run_log.ts";

export type RunStatus = "SUCCESS" | "WARNING" | "FAILURE";

export interface OperationEnd {
  /** Such as `backup`. */
  readonly command: string;
  /** Such as `backup_ended`. */
  readonly event: string;
  readonly exitCode: number;
  /** For people. */
  readonly message: string;
  /** What `--json` prints; undefined where the operation failed. */
  readonly summary?: unknown;
  /** Why there is no summary. */
  readonly failure?: ErrorReport;
}

export interface EndSurroundings {
  readonly log: RunLog;
  /** Without secrets; undefined where none was given. */
  readonly location: string | undefined;
  readonly host: string;
  /** Texts that must not be told, wherever they stand. */
  readonly secrets: readonly string[];
}

const INCOMPLETE = 3;

/** A command without a result failed, whatever it ended with. */
export function statusOf({ exitCode, failure }: Pick<OperationEnd, "exitCode" | "failure">): RunStatus {
  if (failure !== undefined) return "FAILURE";
  return exitCode === 0 ? "SUCCESS" : exitCode === INCOMPLETE ? "WARNING" : "FAILURE";
}

/** At most `LIMITS.pluginContextBytesMax` as JSON: lists are cut until that holds, and the counts beside them say of how many. */
export function endContext(end: OperationEnd, surroundings: EndSurroundings): Record<string, Json> {
  const whole = wholeContext(end, surroundings);
  for (const itemsMax of [LIMITS.pluginContextItemsMax, 30, 10, 3, 1]) {
    const context = shortened(whole, itemsMax) as Record<string, Json>;
    if (utf8(JSON.stringify(context)).length <= LIMITS.pluginContextBytesMax) return context;
  }
  return shortened({ ...whole, summary: null }, 0) as Record<string, Json>;
}

function wholeContext(end: OperationEnd, { log, location, host, secrets }: EndSurroundings) {
  const { command, event, exitCode, failure } = end;
  const summary = (end.summary ?? null) as { snapshot_id?: Json } | null;
  const hide = (text: string) => withoutSecrets(text, secrets);
  const clean = (text: string) => hide(text).split("\n").map(displayName).join("\n");
  const report = ({ kind, message }: ErrorReport) => ({ kind, message: clean(message) });
  return {
    event,
    status: statusOf(end),
    message: clean(end.message),
    command,
    exit_code: exitCode,
    snapshot_id: summary?.snapshot_id ?? null,
    started: formatRfc3339(log.startedNs),
    ended: formatRfc3339(log.clock.nowNs()),
    duration_seconds: log.seconds,
    repository: location === undefined ? null : displayName(location),
    host: displayName(host),
    version: TOOL_VERSION,
    error: failure === undefined ? null : report(failure),
    errors: log.errors.map(report),
    error_count: log.errorCount,
    warnings: log.warnings.map(({ code, message }) => ({ code, message: clean(message) })),
    warning_count: log.warningCount,
    summary: withHidden(summary as Json, hide),
  };
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.toSorted((a, b) => b.length - a.length).reduce((left, each) => left.replaceAll(each, "***"), text);
}

/** What a plugin or an error said in its own words; other texts are names and ids. */
const WORDS = ["message", "hint", "artifacts"];

function withHidden(value: Json | undefined, hide: (text: string) => string, isWords = false): Json {
  if (typeof value === "string") return isWords ? hide(value) : value;
  if (Array.isArray(value)) return value.map((each) => withHidden(each, hide, isWords));
  if (typeof value !== "object" || value === null) return value ?? null;
  const members = Object.entries(value).map(([key, each]) => [key, withHidden(each, hide, WORDS.includes(key))]);
  return Object.fromEntries(members);
}

function shortened(value: Json | undefined, itemsMax: number): Json {
  if (typeof value === "string") return value.slice(0, LIMITS.pluginContextTextMax).toWellFormed();
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((each) => shortened(each, itemsMax));
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shortened(member, itemsMax)]));
}
