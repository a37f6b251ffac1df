/** Contexts as operations make them, for plugins that are tried. */
import type { Json } from "../base/canonical_json.ts";
import { TOOL_VERSION } from "../base/version.ts";
import { SNAPSHOT_ID, STARTED } from "./conformance_stand_ins.ts";
import type { RunCategory, RunContext } from "./wasm_run.ts";

const GOOD = {
  event: "backup_ended",
  status: "SUCCESS",
  message: "Saved snapshot 5a5a5a5a (incremental)\nFiles:    1 new, 0 changed, 0 unmodified",
  command: "backup",
  exit_code: 0,
  snapshot_id: SNAPSHOT_ID,
  started: STARTED,
  ended: "2026-11-22T17:30:01.500000000Z",
  duration_seconds: 1.5,
  repository: "/mnt/disk/backup",
  host: "host",
  version: TOOL_VERSION,
  error: null,
  errors: [],
  error_count: 0,
  warnings: [],
  warning_count: 0,
  summary: {
    snapshot_id: SNAPSHOT_ID,
    mode: "incremental",
    files_new: 1,
    bytes_added: 12,
    plugins: [],
    processing: [],
  },
} satisfies RunContext;

const LOST = { kind: "source_unreadable", message: 'Cannot read /home/a "b"\\c: permission denied' };
const INTERRUPTED = { kind: "interrupted", message: "Cannot finish backup: interrupted" };

/** Every outcome that a category meets. */
export function contextsOf(category: RunCategory): { name: string; context: RunContext }[] {
  const event = category === "processing" ? { event: "snapshot_saved" } : {};
  const lossy = { status: "WARNING", exit_code: 3, errors: [LOST], error_count: 1 };
  const failed = { status: "FAILURE", exit_code: 130, snapshot_id: null, summary: null };
  const success = { name: "a success", context: { ...GOOD, ...event } };
  const warning = { name: "a warning", context: { ...GOOD, ...event, ...lossy } };
  if (category === "processing") return [success, warning];
  const failure = { ...GOOD, ...failed, message: INTERRUPTED.message, error: INTERRUPTED };
  const damage = { event: "check_ended", command: "check", status: "FAILURE", exit_code: 13, snapshot_id: null };
  return [success, warning, { name: "a failure", context: failure }, {
    name: "a check that found damage",
    context: { ...GOOD, ...damage, summary: { error_count: 1, errors: [{ kind: "data_damaged" }] } },
  }];
}

/** What a later version may say. */
export const LATER: RunContext = {
  ...{ ...GOOD, event: "prune_ended", command: "prune", later: { a: [1, null, { b: "c" }] } },
  tags: ["x"],
};

/** What no version says. */
export const SENSELESS: readonly { name: string; context: RunContext }[] = [
  { name: "nothing", context: {} },
  {
    name: "values of other types",
    context: { event: 5, status: null, message: { a: 1 }, exit_code: "x", errors: true },
  },
  {
    name: "odd texts",
    context: { ...GOOD, message: '"\\\u0000\u001b\u2028\ufffd😀\n\r\t', host: "", status: "NEITHER" },
  },
  { name: "depth", context: { ...GOOD, summary: deep(200) } },
];

function deep(levels: number): Json {
  return { a: levels === 0 ? [] : [deep(levels - 1)] };
}

/** As long as they come. */
export function longest(bytes: number): RunContext {
  const base = JSON.stringify({ ...GOOD, warnings: [""] }).length;
  return { ...GOOD, message: "x".repeat(4096), warnings: ["y".repeat(bytes - base - 4096 + GOOD.message.length)] };
}
