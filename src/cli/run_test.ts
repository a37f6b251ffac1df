import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { AxiomError, ERROR_KINDS, type ErrorKind } from "../base/errors.ts";
import { type Config, DEFAULT_CONFIG } from "../config/schema.ts";
import { type AnyCommand, defineCommand } from "./command.ts";
import type { App } from "./app.ts";
import type { AppSettings, CommandContext } from "./context.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { OutputClosed } from "./output.ts";
import { runCommandLine } from "./run.ts";
import { help } from "./commands/help.ts";
import { version } from "./commands/version.ts";
import { brokenPipe, Exited, type FakeEnvironment, fakeEnvironment, sample, sampleTable } from "./testing.ts";

/** `check` does whatever the test wants. */
function doing(run: (context: CommandContext) => Promise<number> | number, more: Partial<AnyCommand> = {}): AnyCommand {
  const command = defineCommand({
    name: "check",
    summary: "Check",
    usage: "axiom check",
    arguments: [],
    flags: [],
    examples: [],
    parse: () => ({}),
    run: async (_options, context) => await run(context),
    render: (result) => `result ${result}`,
    json: (result) => ({ result }),
    exitCode: (result) => result,
  });
  return { ...command, ...more } as AnyCommand;
}

function lines(text: string): unknown[] {
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

async function runIn(environment: FakeEnvironment, line: string, ...commands: AnyCommand[]): Promise<number> {
  const table = sampleTable([help as AnyCommand, version as AnyCommand, ...commands]);
  const code = await runCommandLine(line.split(" ").filter((word) => word !== ""), environment, table);
  equal(environment.handlers, 0, "handlers are taken back");
  return code;
}

Deno.test("every kind of failure ends with its exit code, in words and in JSON", async (t) => {
  for (const kind of Object.keys(ERROR_KINDS) as ErrorKind[]) {
    await t.step(kind, async () => {
      // A target that ended the command is no partial success, which the code of its kind stands for.
      const exitCode = kind === "target_unwritable" ? 1 : ERROR_KINDS[kind].exitCode;
      equal(exitCode in EXIT_CODES, true, "help explains the code");
      const command = doing(() => {
        throw new AxiomError(kind, "Cannot check x: y", { hint: "Do z" });
      }, { stream: true });
      const environment = fakeEnvironment();
      equal(await runIn(environment, "check", command), exitCode);
      equal(environment.stdout.text, "");
      if (kind !== "internal") equal(environment.stderr.text, "axiom: Cannot check x: y\n  hint: Do z\n");
      const other = fakeEnvironment();
      equal(await runIn(other, "check --json", command), exitCode);
      const last = lines(other.stdout.text).at(-1) as Record<string, unknown>;
      deepEqual([last.type, last.kind, last.exit_code], ["error", kind, exitCode]);
    });
  }
  const exitCodes = Object.values(ERROR_KINDS).map(({ exitCode }) => exitCode);
  deepEqual(new Set([0, ...exitCodes]), new Set(Object.keys(EXIT_CODES).map(Number)), "no code without a failure");
});

Deno.test("results are printed for people or programs, with the exit code that they ask for", async (t) => {
  const cases: { line: string; result: number; stream?: boolean; stdout: string }[] = [
    { line: "check", result: 0, stdout: "result 0\n" },
    { line: "check", result: 3, stdout: "result 3\n" },
    { line: "check --json", result: 3, stdout: '{"result":3}\n' },
    { line: "check --json", result: 0, stream: true, stdout: '{"type":"summary","result":0}\n' },
    { line: "check -q", result: 0, stdout: "result 0\n" },
    { line: "check -q", result: 0, stream: true, stdout: "" },
    { line: "check -q", result: 13, stream: true, stdout: "result 13\n" },
    { line: "--json check -q", result: 0, stream: true, stdout: '{"type":"summary","result":0}\n' },
  ];
  for (const { line, result, stream, stdout } of cases) {
    await t.step(`${line} of ${result}${stream ? " as a stream" : ""}`, async () => {
      const environment = fakeEnvironment();
      equal(await runIn(environment, line, doing(() => result, { stream })), result);
      deepEqual([environment.stdout.text, environment.stderr.text], [stdout, ""]);
    });
  }
});

Deno.test("what is wrong with a command line is said on stderr, and in JSON where that was asked for", async (t) => {
  const cases = [
    {
      line: "bakcup",
      code: 2,
      stderr: /^axiom: Cannot run bakcup: unknown command\n {2}hint: Did you mean `axiom backup`\?\n$/,
    },
    { line: "backup --dryrun /etc", code: 2, stderr: /unknown flag --dryrun\n {2}hint: Did you mean --dry-run\?\n$/ },
    {
      line: "key",
      code: 2,
      stderr: /^axiom: Cannot run key: its subcommand is missing\n {2}hint: Run `axiom help key`\n$/,
    },
    { line: "-q", code: 2, stderr: /no command is given\n {2}hint: Run `axiom help`\n$/ },
    { line: "--json", code: 2, stderr: /no command is given/, json: true },
    { line: "--json bogus", code: 2, stderr: /unknown command/, json: true },
    { line: "backup --bogus --json x", code: 2, stderr: /unknown flag --bogus/, json: true },
    { line: "backup --bogus -- --json", code: 2, stderr: /unknown flag --bogus/ },
  ];
  for (const { line, code, stderr, json } of cases) {
    await t.step(line, async () => {
      const environment = fakeEnvironment();
      equal(await runIn(environment, line), code);
      match(environment.stderr.text, stderr);
      if (!json) return equal(environment.stdout.text, "");
      const [error] = lines(environment.stdout.text) as Record<string, unknown>[];
      deepEqual([error.type, error.kind, error.exit_code], ["error", "usage", 2]);
    });
  }
});

Deno.test("help and version are shown wherever they are asked for", async (t) => {
  const cases = [
    { line: "help", stdout: /Usage\n {2}axiom \[global flags\] <command>/ },
    { line: "--help", stdout: /Usage\n {2}axiom \[global flags\] <command>/ },
    { line: "-h", stdout: /Usage\n {2}axiom \[global flags\] <command>/ },
    { line: "help backup", stdout: /Usage\n {2}axiom backup/ },
    { line: "backup --help", stdout: /Usage\n {2}axiom backup/ },
    { line: "--help backup", stdout: /Usage\n {2}axiom backup/ },
    { line: "backup --bogus -h", stdout: /Usage\n {2}axiom backup/ },
    { line: "key --help", stdout: /Usage\n {2}axiom key <command>/ },
    { line: "help key", stdout: /Usage\n {2}axiom key <command>/ },
    { line: "help key add", stdout: /Usage\n {2}axiom backup/ },
    { line: "key add --help", stdout: /Usage\n {2}axiom backup/ },
    { line: "help --help", stdout: /Usage\n {2}axiom help/ },
    { line: "backup --help --json", stdout: /^\{"name":"backup",.*\}\n$/ },
    { line: "--version", stdout: /^axiom \d+\.\d+\.\d+\S* \(repository format 1, Deno 2\.7\.5, linux x86_64\)\n$/ },
    { line: "version", stdout: /^axiom \d+\.\d+\.\d+/ },
    { line: "backup --version", stdout: /^axiom \d+\.\d+\.\d+/ },
    { line: "--json --version", stdout: /^\{"version":"\d+\.\d+\.\d+.*","format_version":1,/ },
  ];
  for (const { line, stdout } of cases) {
    await t.step(line, async () => {
      const environment = fakeEnvironment();
      equal(await runIn(environment, line), 0);
      match(environment.stdout.text, stdout);
      equal(environment.stderr.text, "");
    });
  }
  await t.step("without any word: help, but a script that lost its words must not take it for a backup", async () => {
    const environment = fakeEnvironment();
    equal(await runIn(environment, ""), 2);
    match(environment.stderr.text, /Usage\n {2}axiom \[global flags\] <command>/);
    equal(environment.stdout.text, "");
  });
});

Deno.test("the first interruption ends in good order, the second at once", async (t) => {
  const waiting = (end: (signal: AbortSignal) => unknown) =>
    doing(({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(end(signal)))), {
      stream: true,
    });
  const cases = [
    { name: "the signal's own reason", end: (signal: AbortSignal) => signal.reason },
    { name: "an abort of the platform", end: () => new DOMException("aborted", "AbortError") },
    {
      name: "a failure caused by it",
      end: (signal: AbortSignal) => new AxiomError("storage_failed", "Cannot put x", { cause: signal.reason }),
    },
  ];
  for (const { name, end } of cases) {
    await t.step(name, async () => {
      const environment = fakeEnvironment();
      const running = runIn(environment, "check --json", waiting(end));
      await settled();
      environment.interrupt();
      equal(await running, 130);
      match(environment.stderr.text, /^axiom: Interrupted, .*\naxiom: Cannot finish check: interrupted\n$/);
      deepEqual((lines(environment.stdout.text).at(-1) as Record<string, unknown>).kind, "interrupted");
    });
  }
  await t.step("another failure after it is told as what it is", async () => {
    const environment = fakeEnvironment();
    const running = runIn(environment, "check", waiting(() => new AxiomError("data_damaged", "Cannot read x")));
    await settled();
    environment.interrupt();
    equal(await running, 13);
  });
  await t.step("what was finished all the same is done", async () => {
    const environment = fakeEnvironment();
    const command = doing(({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(0))));
    const running = runIn(environment, "check", command);
    await settled();
    environment.interrupt();
    equal(await running, 0);
  });
  await t.step("twice", async () => {
    const environment = fakeEnvironment();
    const command = doing(({ signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => setTimeout(() => resolve(0), 5)))
    );
    const running = runIn(environment, "check", command);
    await settled();
    environment.interrupt();
    await rejects(async () => await environment.interrupt(), (error) => error instanceof Exited && error.code === 130);
    await running;
  });
});

/** Lets a run that was started get to where it waits. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("a bug is told without its stack, which goes into a report", async (t) => {
  const broken = doing(() => {
    throw new TypeError("x is undefined", { cause: new Error("deeper") });
  });
  await t.step("in words", async () => {
    const environment = fakeEnvironment();
    equal(await runIn(environment, "check", broken), 1);
    equal(
      environment.stderr.text,
      "axiom: Cannot finish check: internal error, TypeError: x is undefined\n" +
        "  hint: This is a bug of AXIOM, not of your data. Its report is /state/report.txt\n",
    );
    match(
      environment.reports[0],
      /^axiom \d.*Deno 2\.7\.5, linux x86_64, command check\nTypeError: x is undefined\n +at .*run_test/,
    );
    match(environment.reports[0], /\nCaused by: Error: deeper\n +at /);
  });
  await t.step("in JSON", async () => {
    const environment = fakeEnvironment();
    equal(await runIn(environment, "check --json", broken), 1);
    const [error] = lines(environment.stdout.text) as Record<string, unknown>[];
    deepEqual([error.kind, error.exit_code], ["internal", 1]);
  });
  await t.step("with AXIOM_DEBUG=1 on stderr", async () => {
    const environment = fakeEnvironment({ AXIOM_DEBUG: "1" });
    equal(await runIn(environment, "check", broken), 1);
    match(environment.stderr.text, /\n {2}TypeError: x is undefined\n +at /);
    deepEqual(environment.reports, []);
  });
  await t.step("and where no report can be saved", async () => {
    const environment = fakeEnvironment();
    environment.saveReport = () => Promise.reject(new Error("read-only"));
    equal(await runIn(environment, "check", broken), 1);
    match(environment.stderr.text, /TypeError: x is undefined\n +at /);
  });
  await t.step("what nobody caught is a bug too", async () => {
    const environment = fakeEnvironment();
    const running = runIn(environment, "check", doing(() => new Promise(() => {})));
    await settled();
    environment.uncaught(new RangeError("stray"));
    equal(await running, 1);
    match(environment.stderr.text, /internal error, RangeError: stray/);
  });
  await t.step("whatever is thrown", async () => {
    const environment = fakeEnvironment();
    equal(await runIn(environment, "check", doing(() => Promise.reject("text"))), 1);
    match(environment.stderr.text, /internal error, text\n/);
  });
  await t.step("a failure that a user can meet shows its stack with AXIOM_DEBUG=1 only", async () => {
    const failing = doing(() => {
      throw new AxiomError("data_damaged", "Cannot read x");
    });
    const environment = fakeEnvironment({ AXIOM_DEBUG: "1" });
    equal(await runIn(environment, "check", failing), 13);
    match(environment.stderr.text, /^axiom: AxiomError: Cannot read x\n +at [\s\S]*\naxiom: Cannot read x\n$/);
  });
});

Deno.test("a reader that went away is no failure", async (t) => {
  await t.step("of a result", async () => {
    const environment = fakeEnvironment();
    environment.stdout.failure = brokenPipe();
    equal(await runIn(environment, "check", doing(() => 0)), 0);
    equal(environment.stderr.text, "");
  });
  await t.step("of content", async () => {
    const environment = fakeEnvironment();
    const command = doing(async ({ output }) => {
      environment.stdout.failure = brokenPipe();
      await output.write(Uint8Array.of(1));
      return 1;
    });
    equal(await runIn(environment, "check", command), 0);
    equal(environment.stderr.text, "");
  });
  await t.step("but a disk that is full behind stdout is", async () => {
    const environment = fakeEnvironment();
    environment.stdout.failure = Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
    equal(await runIn(environment, "check", doing(() => 0)), ERROR_KINDS.target_full.exitCode);
    match(environment.stderr.text, /Cannot write to the standard output: No space left/);
  });
});

Deno.test("the app is opened when first asked for, once, and closed whatever happens", async (t) => {
  const cases: { name: string; end: () => number; closeFails?: true; code: number }[] = [
    { name: "done", end: () => 0, code: 0 },
    {
      name: "failed",
      end: () => {
        throw new AxiomError("data_damaged", "Cannot read x");
      },
      code: 13,
    },
    {
      name: "nobody reads",
      end: () => {
        throw new OutputClosed("closed");
      },
      code: 0,
    },
    { name: "done, but closing failed", end: () => 0, closeFails: true, code: 1 },
    {
      name: "failed, and closing too: the first failure is told",
      end: () => {
        throw new AxiomError("data_damaged", "Cannot read x");
      },
      closeFails: true,
      code: 13,
    },
  ];
  for (const { name, end, closeFails, code } of cases) {
    await t.step(name, async () => {
      const environment = fakeEnvironment();
      const seen: string[] = [];
      environment.openApp = (settings: AppSettings): Promise<App> => {
        seen.push(`open ${settings.globals.location}`);
        return Promise.resolve({
          config: DEFAULT_CONFIG,
          close() {
            seen.push("close");
            return closeFails ? Promise.reject(new AxiomError("storage_failed", "Cannot close")) : Promise.resolve();
          },
        } as unknown as App);
      };
      const command = doing(async ({ app }) => {
        equal(await app(), await app());
        return end();
      });
      equal(await runIn(environment, "-r /srv check", command), code);
      deepEqual(seen, ["open /srv", "close"]);
    });
  }
  await t.step("a command that does not ask opens none", async () => {
    const environment = fakeEnvironment();
    environment.openApp = () => Promise.reject(new Error("opened"));
    equal(await runIn(environment, "check", doing(() => 0)), 0);
  });
  await t.step("an app that cannot be opened is the failure, told once", async () => {
    const environment = fakeEnvironment();
    environment.openApp = () => Promise.reject(new AxiomError("repository_missing", "Cannot open /srv"));
    equal(await runIn(environment, "check", doing(async ({ app }) => (await app(), 0))), 10);
    equal(environment.stderr.text, "axiom: Cannot open /srv\n");
  });
});

Deno.test("what the configuration says of the output counts unless a flag says otherwise", async (t) => {
  const cases: { name: string; line: string; output: Partial<Config["output"]>; stdout: string; stderr: string }[] = [
    { name: "nothing", line: "check", output: {}, stdout: "done 0\n", stderr: "axiom: warning: low\n" },
    {
      name: "json",
      line: "check",
      output: { json: true },
      stdout: '{"type":"warning","code":"w","message":"low"}\n{"type":"summary","code":0}\n',
      stderr: "",
    },
    { name: "quiet", line: "check", output: { verbosity: "quiet" }, stdout: "", stderr: "axiom: warning: low\n" },
    {
      name: "quiet, and -v",
      line: "-v check",
      output: { verbosity: "quiet" },
      stdout: "done 0\n",
      stderr: "axiom: warning: low\naxiom: more\n",
    },
    {
      name: "verbose",
      line: "check",
      output: { verbosity: "verbose" },
      stdout: "done 0\n",
      stderr: "axiom: warning: low\naxiom: more\n",
    },
    {
      name: "verbose, and -q",
      line: "-q check",
      output: { verbosity: "verbose" },
      stdout: "",
      stderr: "axiom: warning: low\n",
    },
    {
      name: "color",
      line: "check",
      output: { color: "always" },
      stdout: "done 0\n",
      stderr: "axiom: \x1b[33mwarning: \x1b[0mlow\n",
    },
  ];
  for (const { name, line, output, stdout, stderr } of cases) {
    await t.step(name, async () => {
      const environment = fakeEnvironment();
      const config = { ...DEFAULT_CONFIG, output: { ...DEFAULT_CONFIG.output, ...output } };
      environment.openApp = () => Promise.resolve({ config, close: () => Promise.resolve() } as unknown as App);
      const command = doing(async ({ app, output: { events } }) => {
        await app();
        events({ type: "warning", code: "w", message: "low" });
        events({ type: "verbose", message: "more" });
        return 0;
      }, { stream: true, render: (code) => `done ${code}`, json: (code) => ({ code }) });
      equal(await runIn(environment, line, command), 0);
      equal(environment.stdout.text, stdout);
      equal(environment.stderr.text, stderr);
    });
  }
});

Deno.test("--quiet leaves out what only says what was done, and no answer and no failure", async (t) => {
  const cases: { name: string; more: Partial<AnyCommand>; code: number; stdout: string }[] = [
    { name: "an answer", more: {}, code: 0, stdout: "result 0\n" },
    { name: "what was done", more: { acts: true }, code: 0, stdout: "" },
    { name: "what took long", more: { stream: true }, code: 0, stdout: "" },
    { name: "what was not done", more: { acts: true }, code: 3, stdout: "result 3\n" },
  ];
  for (const { name, more, code, stdout } of cases) {
    await t.step(name, async () => {
      const environment = fakeEnvironment();
      equal(await runIn(environment, "check -q", doing(() => code, more)), code);
      equal(environment.stdout.text, stdout);
    });
  }
});

Deno.test("a command's own parse may refuse", async () => {
  const environment = fakeEnvironment();
  const refusing = {
    ...sample,
    name: "backup",
    parse: () => {
      throw new AxiomError("usage", "Cannot use --stdin with a path", { hint: "Leave one out" });
    },
  } as AnyCommand;
  equal(await runIn(environment, "backup /x", refusing), 2);
  equal(environment.stderr.text, "axiom: Cannot use --stdin with a path\n  hint: Leave one out\n");
});
