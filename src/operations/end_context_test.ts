import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Clock } from "../base/clock.ts";
import { ignoreEvents } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { contextsOf } from "../plugins/conformance_contexts.ts";
import { endContext, type OperationEnd, statusOf } from "./end_context.ts";
import { RunLog } from "./run_log.ts";

const clock: Clock = { nowNs: () => "1700000000000000000", monotonicMs: () => 0, sleep: () => Promise.resolve() };
const END: OperationEnd = { command: "backup", event: "backup_ended", exitCode: 0, message: "Saved it" };

function contextOf(end: Partial<OperationEnd>, secrets: string[] = [], log = new RunLog(clock)) {
  // deno-lint-ignore no-explicit-any
  return endContext({ ...END, ...end }, { log, location: "/srv/backup", host: "host", secrets }) as any;
}

Deno.test("statusOf() goes by the exit code, and a command without a result failed", () => {
  const failure = { kind: "source_missing", message: "Cannot read" } as const;
  const all = [{ exitCode: 0 }, { exitCode: 3 }, { exitCode: 13 }, { exitCode: 3, failure }, {
    exitCode: 130,
    failure,
  }];
  deepEqual(all.map(statusOf), ["SUCCESS", "WARNING", "FAILURE", "FAILURE", "FAILURE"]);
});

Deno.test("plugins are tried with what operations say", () => {
  for (const { context } of [...contextsOf("processing"), ...contextsOf("notification")]) {
    deepEqual(Object.keys(context), Object.keys(contextOf({})));
  }
});

Deno.test("endContext() tells what was told, with counts of all of it", () => {
  const log = new RunLog(clock), onEvent = log.listen(ignoreEvents);
  for (let i = 0; i < 150; i++) onEvent({ type: "warning", code: "fidelity", message: `${i}` });
  onEvent({ type: "error", error: { kind: "source_unreadable", message: "Cannot read\x1b[2J a\nor b" } });
  const { warnings, warning_count, errors, error_count, snapshot_id, started } = contextOf(
    {
      summary: { snapshot_id: "ab" },
    },
    [],
    log,
  );
  deepEqual([warnings.length, warning_count, error_count, snapshot_id], [100, 150, 1, "ab"]);
  deepEqual(errors, [{ kind: "source_unreadable", message: "Cannot read\\x1b[2J a\nor b" }]);
  equal(started, "2023-11-14T22:13:20.000000000Z");
});

Deno.test("endContext() hides secrets wherever a message has them, the longest first", () => {
  const log = new RunLog(clock);
  log.listen(ignoreEvents)({ type: "warning", code: "x", message: "posted to https://chat.example/hunter2-long" });
  const failure = { kind: "usage", message: "Cannot use hunter2" } as const;
  const context = contextOf({ message: failure.message, failure }, ["hunter2", "hunter2-long"], log);
  deepEqual([context.message, context.error.message], ["Cannot use ***", "Cannot use ***"]);
  equal(context.warnings[0].message, "posted to https://chat.example/***");
  ok(!JSON.stringify(context).includes("hunter2"));
  const run = {
    plugin_id: "processing_report",
    error: { message: "posted to hunter2\nby hunter2" },
    artifacts: ["hunter2"],
  };
  const summary = { mode: "incremental", snapshot_id: "abcabc", processing: [run] };
  const { summary: told } = contextOf({ summary }, ["hunter2", "abcabc", "incremental"]);
  const hidden = { ...run, error: { message: "posted to ***\nby ***" }, artifacts: ["***"] };
  deepEqual(told, { ...summary, processing: [hidden] });
});

Deno.test("endContext() is never longer than its bound", async (t) => {
  const path = "ü".repeat(3000);
  const cases = [
    { name: "a long text", summary: { snapshot_id: null, note: "x".repeat(1_000_000) } },
    { name: "many findings", summary: { errors: Array.from({ length: 9000 }, () => ({ path })), error_count: 9000 } },
    {
      name: "findings with many paths each",
      summary: { errors: Array.from({ length: 90 }, () => ({ affected: Array.from({ length: 90 }, () => path) })) },
    },
    { name: "keys without end", summary: Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, path])) },
  ];
  for (const { name, summary } of cases) {
    await t.step(name, () => {
      const context = contextOf({ summary, message: path });
      const bytes = new TextEncoder().encode(JSON.stringify(context)).length;
      ok(bytes <= LIMITS.pluginContextBytesMax, `${bytes}`);
      equal(context.event, "backup_ended");
      if (name === "many findings") equal(context.summary.error_count, 9000);
    });
  }
});
