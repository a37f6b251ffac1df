/** The program as a process: what only a real one shows. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { LIMITS } from "../base/limits.ts";

const root = new URL("../../", import.meta.url);
const main = fileURLToPath(new URL("main.ts", root));
const config = fileURLToPath(new URL("deno.json", root));
const environment = { NO_COLOR: "1", AXIOM_REPOSITORY: "", AXIOM_PASSWORD: "" };
const windows = Deno.build.os === "windows";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(args: string[], options: { script?: string; env?: Record<string, string> } = {}): Promise<Ended> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-check", "--config", config, options.script ?? main, ...args],
    env: { ...environment, ...options.env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

async function shell(line: string): Promise<Ended> {
  const program = `'${Deno.execPath()}' run --quiet -A --no-check --config '${config}' '${main}'`;
  const command = new Deno.Command("bash", { args: ["-c", line.replaceAll("AXIOM", () => program)], env: environment });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("the program answers with results on stdout, errors on stderr and its exit code", async (t) => {
  const cases: { args: string[]; code: number; stdout?: RegExp; stderr?: RegExp }[] = [
    { args: ["version"], code: 0, stdout: /^axiom \d+\.\d+\.\d+\S* \(repository format 1, Deno [\d.]+, \w+ \w+\)\n$/ },
    { args: ["--version", "--json"], code: 0, stdout: /^\{"version":"[^"]+","format_version":1,"deno":"[\d.]+",/ },
    { args: ["help"], code: 0, stdout: /^AXIOM keeps/ },
    { args: ["help", "completion"], code: 0, stdout: /Usage\n {2}axiom completion/ },
    { args: ["completion", "--help"], code: 0, stdout: /Usage\n {2}axiom completion/ },
    { args: ["completion", "bash"], code: 0, stdout: /complete -F _axiom axiom\n$/ },
    { args: [], code: 2, stderr: /^AXIOM keeps/ },
    {
      args: ["versoin"],
      code: 2,
      stderr: /^axiom: Cannot run versoin: unknown command\n {2}hint: Did you mean `axiom version`\?\n$/,
    },
    {
      args: ["version", "--jsn"],
      code: 2,
      stderr: /^axiom: Cannot run version: unknown flag --jsn\n {2}hint: Did you mean --json\?\n$/,
    },
    { args: ["version", "now"], code: 2, stderr: /unexpected argument "now"/ },
    { args: ["completion", "csh"], code: 2, stderr: /expected bash, zsh or fish/ },
    {
      args: ["--json", "versoin"],
      code: 2,
      stdout: /^\{"type":"error","kind":"usage","message":".*","hint":".*","exit_code":2\}\n$/,
      stderr: /unknown command/,
    },
  ];
  for (const { args, code, stdout = /^$/, stderr = /^$/ } of cases) {
    await t.step(`axiom ${args.join(" ")}`, async () => {
      const ended = await run(args);
      match(ended.stderr, stderr);
      match(ended.stdout, stdout);
      equal(ended.code, code);
    });
  }
});

Deno.test({
  name: "a reader that goes away ends the program quietly",
  ignore: windows, // no bash to count on
  fn: async (t) => {
    await t.step("before anything is written", async () => {
      // Reading nothing and ending first needs no luck: the program only writes after the pipe is closed.
      const ended = await shell(`(sleep 0.5; AXIOM help; echo "code $?" >&2) | true`);
      deepEqual([ended.stdout, ended.stderr], ["", "code 0\n"]);
    });
    await t.step("after the first line", async () => {
      const ended = await shell("set -o pipefail; AXIOM help | head -n 1");
      match(ended.stdout, /^AXIOM keeps[^\n]*\n$/);
      deepEqual([ended.code, ended.stderr], [0, ""]);
    });
  },
});

Deno.test({
  name: "a full disk behind stdout is an error",
  ignore: Deno.build.os !== "linux", // /dev/full
  fn: async () => {
    const ended = await shell("AXIOM help > /dev/full");
    equal(ended.code, 1);
    match(ended.stderr, /^axiom: Cannot write to the standard output: No space left on device/);
  },
});

/** A program with the real process around one command. */
function fixture(run: string): string {
  const url = (path: string) => JSON.stringify(new URL(path, root).href);
  return `
    import { processEnvironment } from ${url("src/cli/process_environment.ts")};
    import { runCommandLine } from ${url("src/cli/run.ts")};
    const command = {
      name: "wait", summary: "", usage: "", arguments: [], flags: [], examples: [],
      parse: () => ({}), render: (result) => result, json: (result) => result,
      async run(_options, { signal, output }) { ${run} },
    };
    const exit = (code) => Deno.exit(code);
    const table = [{ name: "wait", group: "", load: () => Promise.resolve(command) }];
    exit(await runCommandLine(Deno.args, processEnvironment(exit), table));`;
}

async function withFixture(body: string, act: (script: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const script = join(folder, "main.js");
    await Deno.writeTextFile(script, fixture(body));
    await act(script, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "signals: the first ends in good order, the second at once",
  ignore: windows, // has no signals to send
  fn: async (t) => {
    const cases: { name: string; body: string; signals: Deno.Signal[]; stdout: string }[] = [
      {
        name: "SIGINT",
        body:
          `console.log("up"); await new Promise((end) => signal.addEventListener("abort", end)); console.log("tidy"); throw signal.reason;`,
        signals: ["SIGINT"],
        stdout: "up\ntidy\n",
      },
      {
        name: "SIGTERM",
        body:
          `console.log("up"); await new Promise((end) => signal.addEventListener("abort", end)); console.log("tidy"); throw signal.reason;`,
        signals: ["SIGTERM"],
        stdout: "up\ntidy\n",
      },
      {
        name: "SIGINT twice",
        body: `console.log("up"); const timer = setInterval(() => {}, 1000); await new Promise(() => {});`,
        signals: ["SIGINT", "SIGINT"],
        stdout: "up\n",
      },
    ];
    for (const { name, body, signals, stdout } of cases) {
      await t.step(name, () =>
        withFixture(body, async (script) => {
          const child = new Deno.Command(Deno.execPath(), {
            args: ["run", "--quiet", "-A", "--no-check", "--config", config, script, "wait"],
            env: environment,
            stdin: "null",
            stdout: "piped",
            stderr: "piped",
            signal: AbortSignal.timeout(60_000),
          }).spawn();
          const out = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
          const err = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
          let text = (await out.read()).value ?? "", errors = "";
          for (const [at, signal] of signals.entries()) {
            // The same signal twice at once is one: wait until the first has arrived.
            if (at > 0) errors += (await err.read()).value ?? "";
            if (at > 0) await new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.sameInterruptMs));
            child.kill(signal);
          }
          for (let part = await out.read(); !part.done; part = await out.read()) text += part.value;
          for (let part = await err.read(); !part.done; part = await err.read()) errors += part.value;
          const { code } = await child.status;
          deepEqual({ code, text }, { code: 130, text: stdout });
          match(errors, /^axiom: Interrupted, ending in good order; once more ends at once\n/);
        }));
    }
  },
});

Deno.test("bugs leave a report and no stack on the terminal", async (t) => {
  const cases = [
    { name: "thrown by a command", body: `throw new TypeError("broken on purpose");` },
    {
      name: "a promise that nobody waits for",
      body: `Promise.reject(new TypeError("broken on purpose")); await new Promise((end) => setTimeout(end, 5000));`,
    },
    {
      name: "thrown by a timer",
      body:
        `setTimeout(() => { throw new TypeError("broken on purpose"); }); await new Promise((end) => setTimeout(end, 5000));`,
    },
  ];
  for (const { name, body } of cases) {
    await t.step(name, () =>
      withFixture(body, async (script, folder) => {
        const env = { XDG_STATE_HOME: folder };
        const ended = await run(["wait"], { script, env });
        equal(ended.code, 1);
        match(
          ended.stderr,
          /^axiom: Cannot finish wait: internal error, TypeError: broken on purpose\n {2}hint: .* Its report is (.*)\n$/,
        );
        const path = ended.stderr.match(/Its report is (.*)\n/)![1];
        match(await Deno.readTextFile(path), /TypeError: broken on purpose\n +at /);
        if (!windows) equal((await Deno.stat(path)).mode! & 0o777, 0o600);
        const shown = await run(["wait"], { script, env: { ...env, AXIOM_DEBUG: "1" } });
        match(shown.stderr, /TypeError: broken on purpose\n +at /);
      }));
  }
  await t.step(
    "of which old ones are removed",
    () =>
      withFixture(`throw new TypeError("broken on purpose");`, async (script, folder) => {
        const env = { XDG_STATE_HOME: folder };
        const path = (await run(["wait"], { script, env })).stderr.match(/Its report is (.*)\n/)![1];
        const reports = join(path, "..");
        for (let number = 0; number < 30; number++) {
          await Deno.writeTextFile(join(reports, `internal-error-1999-${number}.txt`), "");
        }
        const last = (await run(["wait"], { script, env })).stderr.match(/Its report is (.*)\n/)![1];
        const left = [...Deno.readDirSync(reports)].map((entry) => join(reports, entry.name));
        equal(left.length, 20);
        equal(left.includes(last) && left.includes(path), true);
      }),
  );
});
