import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { DEFAULT_CONFIG } from "../config/schema.ts";
import { endContext } from "../operations/end_context.ts";
import { RunLog } from "../operations/run_log.ts";
import type { RunContext } from "../plugins/wasm_run.ts";
import type { App } from "./app.ts";
import { type AnyCommand, defineCommand } from "./command.ts";
import { runCommandLine } from "./run.ts";
import { type FakeEnvironment, fakeEnvironment } from "./testing.ts";

const PLUGIN = { pluginId: "notification_toy", version: "1.0.0", sha256: "ab".repeat(32) };

type Outcomes = ("success" | "warning" | "failure")[];

/** A machine on which `check` ends as the test wants, and a plugin that notes what it is told. */
class Told {
  readonly environment: FakeEnvironment = fakeEnvironment();
  readonly contexts: RunContext[] = [];
  /** Aborted where the one who tells loses patience. */
  signal: AbortSignal | undefined;
  run: () => Promise<void> = () => Promise.resolve();

  constructor(readonly outcomes: Outcomes = ["success", "warning", "failure"]) {
    this.environment.openApp = ({ events, signal }) => Promise.resolve(this.#app(events, signal));
  }

  #app(events: App["events"], signal: AbortSignal): App {
    const clock = this.environment.clock, log = new RunLog(clock);
    const run = async (context: RunContext, patience?: AbortSignal) => {
      this.contexts.push(context);
      this.signal = patience;
      await this.run();
      return { plugin: PLUGIN, metrics: { told: 1 }, artifacts: [] };
    };
    return {
      ...{ config: DEFAULT_CONFIG, events, signal, clock, close: () => Promise.resolve() },
      notifiers: () => Promise.resolve([{ plugin: { ...PLUGIN, run }, outcomes: this.outcomes }]),
      endContext: (end) => endContext(end, { log, location: undefined, host: "host", secrets: [] }),
    } as Partial<App> as App;
  }

  end(how: () => Promise<number> | number, line = "check", isTrial = false): Promise<number> {
    const command = defineCommand({
      ...{ name: "check", summary: "Check", usage: "axiom check", arguments: [], flags: [], examples: [] },
      ...{ tells: "check", stream: true, parse: () => ({}), isTrial: () => isTrial },
      run: async (_options, context) => {
        await context.app();
        return await how();
      },
      render: (result: number) => `result ${result}`,
      json: (result) => ({ result }),
      exitCode: (result) => result,
    }) as AnyCommand;
    const table = [{ name: "check", group: "Samples", load: () => Promise.resolve(command) }];
    return runCommandLine(line.split(" "), this.environment, table);
  }
}

const fail = (error: Error) => () => Promise.reject(error);

Deno.test("a plugin is told once of every end that it wants to hear of", async (t) => {
  const damaged = new AxiomError("data_damaged", "Cannot read x");
  const cases: { name: string; how: () => Promise<number> | number; outcomes?: Outcomes; told: unknown[] }[] = [
    { name: "success", how: () => 0, told: [["SUCCESS", 0, "result 0"]] },
    { name: "warning", how: () => 3, told: [["WARNING", 3, "result 3"]] },
    { name: "damage that was found", how: () => 13, told: [["FAILURE", 13, "result 13"]] },
    { name: "a failure", how: fail(damaged), told: [["FAILURE", 13, "Cannot read x"]] },
    {
      name: "a bug",
      how: fail(new TypeError("x is undefined")),
      told: [["FAILURE", 1, "Cannot finish check: internal error, TypeError: x is undefined"]],
    },
    { name: "not of success", how: () => 0, outcomes: ["warning", "failure"], told: [] },
    { name: "not of failure", how: fail(damaged), outcomes: ["success", "warning"], told: [] },
  ];
  for (const { name, how, outcomes, told } of cases) {
    await t.step(name, async () => {
      const seen = new Told(outcomes);
      await seen.end(how);
      deepEqual(seen.contexts.map(({ status, exit_code, message }) => [status, exit_code, message]), told);
    });
  }
  await t.step("nothing of a trial", async () => {
    const seen = new Told();
    equal(await seen.end(() => 0, "check", true), 0);
    deepEqual(seen.contexts, []);
  });
  await t.step("what nobody caught", async () => {
    const seen = new Told(), begun = Promise.withResolvers<void>();
    const running = seen.end(() => {
      begun.resolve();
      return new Promise(() => {});
    });
    await begun.promise;
    seen.environment.uncaught(new TypeError("elsewhere"));
    equal(await running, 1);
    match(String(seen.contexts[0].message), /internal error, TypeError: elsewhere/);
    equal(seen.contexts.length, 1);
  });
});

Deno.test("who was told stands in the result, and a failure to tell changes no exit code", async (t) => {
  await t.step("in JSON", async () => {
    const seen = new Told();
    equal(await seen.end(() => 3, "check --json"), 3);
    const [event, summary] = seen.environment.stdout.text.trim().split("\n").map((line) => JSON.parse(line));
    const { pluginId: plugin_id, version, sha256 } = PLUGIN;
    const run = { plugin_id, version, sha256, status: "SUCCESS", metrics: { told: 1 }, artifacts: [], error: null };
    deepEqual(event, { type: "plugin_run", category: "notification", ...run });
    deepEqual(summary, { type: "summary", result: 3, notifications: [run] });
  });
  await t.step("for people", async () => {
    const seen = new Told();
    await seen.end(() => 0);
    equal(seen.environment.stdout.text, "result 0\nPlugin:   notification_toy 1.0.0 (abababababab) was told: told 1\n");
  });
  await t.step("a bug of whoever tells", async () => {
    const seen = new Told();
    seen.run = () => Promise.reject(new TypeError("broken"));
    equal(await seen.end(() => 0), 0);
    match(
      seen.environment.stderr.text,
      /warning: Cannot run notification_toy: internal error, broken; nobody may have been told/,
    );
  });
});

Deno.test("an interruption leaves a notification two seconds, whenever it comes", async (t) => {
  for (const when of ["before it", "during it"]) {
    await t.step(when, async () => {
      const seen = new Told(), slept: number[] = [];
      seen.environment.clock.sleep = (ms) => Promise.resolve(void slept.push(ms));
      seen.run = () => {
        if (when === "during it") seen.environment.interrupt();
        return new Promise((_, reject) => seen.signal!.addEventListener("abort", () => reject(seen.signal!.reason)));
      };
      const code = await seen.end(() => {
        if (when === "before it") seen.environment.interrupt();
        return 0;
      });
      deepEqual([code, slept], [0, [2000]]);
      match(seen.environment.stderr.text, /Cannot wait any longer; nobody may have been told/);
    });
  }
});
