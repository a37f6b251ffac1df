import { deepStrictEqual as deepEqual, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import type { AxiomEvent } from "../base/events.ts";
import { Output, OutputClosed, type OutputSettings } from "./output.ts";
import { brokenPipe, fakeClock, fakeStream } from "./testing.ts";

interface Made {
  output: Output;
  stdout: ReturnType<typeof fakeStream>;
  stderr: ReturnType<typeof fakeStream>;
  clock: ReturnType<typeof fakeClock>;
}

function make(
  settings: Partial<OutputSettings> & { terminal?: number; variables?: Record<string, string> } = {},
): Made {
  const { terminal, variables = {}, ...more } = settings;
  const stdout = fakeStream(terminal), stderr = fakeStream(terminal), clock = fakeClock();
  const defaults = { json: false, stream: true, progress: true, verbosity: 0 };
  const variable = (name: string) => variables[name];
  return { output: new Output({ stdout, stderr, clock, variable, ...defaults, ...more }), stdout, stderr, clock };
}

const progress: AxiomEvent = { type: "progress", operation: "backup", filesDone: 1, bytesDone: 5 };
const warning: AxiomEvent = {
  type: "warning",
  code: "xattrs_lost",
  message: "Extended attributes are lost",
  path: "/a\udcff",
};
const failure: AxiomEvent = {
  type: "error",
  error: { kind: "source_unreadable", message: "Cannot read /a: permission denied", hint: "Run as root" },
  path: "/a",
};
const verbose: AxiomEvent = { type: "verbose", message: "new\nline", path: "/b" };
const closing = {
  kind: "repository_missing",
  message: "Cannot open /srv: nothing there",
  hint: "Run `axiom init`",
} as const;

/** 200 columns of `/folder/folder/…/last`. */
const SHORTENED = `/${"folder/".repeat(9)}fo…${"folder/".repeat(19).slice(-129)}last`;

const FOR_PEOPLE: {
  name: string;
  settings?: Parameters<typeof make>[0];
  act(made: Made): void;
  stdout?: string;
  stderr?: string;
}[] = [
  { name: "a result", act: ({ output }) => output.print("a\nb"), stdout: "a\nb\n" },
  { name: "an empty result", act: ({ output }) => output.print("") },
  {
    name: "a warning",
    act: ({ output }) => output.events(warning),
    stderr: "axiom: warning: Extended attributes are lost (/a\\xff)\n",
  },
  {
    name: "a path of thousands of characters, shortened wherever it stands",
    act: ({ output }) => {
      const path = `/${"folder/".repeat(500)}last`;
      const message = `Cannot read ${path}: readdir ${path}: ENAMETOOLONG`;
      output.events({ type: "error", error: { kind: "source_unreadable", message }, path });
    },
    stderr: `axiom: Cannot read ${SHORTENED}: readdir ${SHORTENED}: ENAMETOOLONG\n`,
  },
  {
    name: "a hint that several errors share, once; with the last word again",
    act: ({ output }) => {
      for (const path of ["/a", "/b"]) {
        output.events({ ...failure, error: { ...failure.error, message: `Cannot read ${path}` }, path });
      }
      output.error({ ...failure.error, message: "Cannot go on" }, 3);
    },
    stderr: "axiom: Cannot read /a\n  hint: Run as root\naxiom: Cannot read /b\n" +
      "axiom: Cannot go on\n  hint: Run as root\n",
  },
  {
    name: "an error of one file, whose message names it already",
    act: ({ output }) => output.events(failure),
    stderr: "axiom: Cannot read /a: permission denied\n  hint: Run as root\n",
  },
  {
    name: "the error at the end",
    act: ({ output }) => output.error(closing, 10),
    stderr: "axiom: Cannot open /srv: nothing there\n  hint: Run `axiom init`\n",
  },
  {
    name: "an error without a hint",
    act: ({ output }) => output.error({ kind: "usage", message: "Cannot do x" }, 2),
    stderr: "axiom: Cannot do x\n",
  },
  {
    name: "names that a terminal would obey",
    act: ({ output }) => output.error({ kind: "usage", message: "Cannot read \x1b[2Jx\r" }, 2),
    stderr: "axiom: Cannot read \\x1b[2Jx\\x0d\n",
  },
  { name: "details only when asked for", act: ({ output }) => output.events(verbose) },
  {
    name: "details",
    settings: { verbosity: 1 },
    act: ({ output }) => output.events(verbose),
    stderr: "axiom: new\n  line (/b)\n",
  },
  { name: "a notice", act: ({ output }) => output.notice("Interrupted"), stderr: "axiom: Interrupted\n" },
  {
    name: "progress without a terminal: a line every ten seconds",
    act: ({ output, clock }) => {
      for (; clock.ms <= 25_000; clock.ms += 1000) output.events(progress);
    },
    stderr: "backup  1 file  5 B  0 B/s\n".repeat(2),
  },
  {
    name: "progress with --quiet or --no-progress",
    settings: { progress: false },
    act: ({ output, clock }) => {
      for (; clock.ms <= 25_000; clock.ms += 1000) output.events(progress);
    },
  },
  {
    name: "progress on a terminal, gone before the result",
    settings: { terminal: 40, variables: { NO_COLOR: "1" } },
    act: ({ output }) => {
      output.events({ ...progress, current: "/x" });
      output.print("done");
    },
    stdout: "done\n",
    stderr: "backup  1 file  5 B\n  /x\r\x1b[1A\x1b[J",
  },
  {
    name: "progress on a terminal, gone before a warning",
    settings: { terminal: 40, variables: { NO_COLOR: "1" } },
    act: ({ output }) => {
      output.events(progress);
      output.events(warning);
      output.finish();
    },
    stderr: "backup  1 file  5 B\r\x1b[Jaxiom: warning: Extended attributes are lost (/a\\xff)\n",
  },
  {
    name: "colors on a terminal",
    settings: { terminal: 80 },
    act: ({ output }) => {
      output.error({ kind: "usage", message: "Cannot" }, 2);
      output.events({ ...warning, path: undefined });
    },
    stderr: "\x1b[31maxiom: \x1b[0mCannot\naxiom: \x1b[33mwarning: \x1b[0mExtended attributes are lost\n",
  },
  {
    name: "NO_COLOR",
    settings: { terminal: 80, variables: { NO_COLOR: "1" } },
    act: ({ output }) => output.error({ kind: "usage", message: "Cannot" }, 2),
    stderr: "axiom: Cannot\n",
  },
  {
    name: "an empty NO_COLOR does not count",
    settings: { terminal: 80, variables: { NO_COLOR: "" } },
    act: ({ output }) => output.error({ kind: "usage", message: "Cannot" }, 2),
    stderr: "\x1b[31maxiom: \x1b[0mCannot\n",
  },
  {
    name: "a terminal that can do nothing",
    settings: { terminal: 80, variables: { TERM: "dumb" } },
    act: ({ output, clock }) => {
      for (; clock.ms <= 15_000; clock.ms += 1000) output.events(progress);
      output.error({ kind: "usage", message: "Cannot" }, 2);
    },
    stderr: "backup  1 file  5 B  0 B/s\naxiom: Cannot\n",
  },
];

Deno.test("people read results on stdout, and progress, warnings and errors on stderr", async (t) => {
  for (const { name, settings, act, stdout = "", stderr = "" } of FOR_PEOPLE) {
    await t.step(name, () => {
      const made = make(settings);
      act(made);
      deepEqual({ stdout: made.stdout.text, stderr: made.stderr.text }, { stdout, stderr });
    });
  }
});

Deno.test("programs read a stream of JSON Lines on stdout, a summary or an error last", () => {
  const { output, stdout, stderr } = make({ json: true, verbosity: 1 });
  output.events(progress);
  output.events(warning);
  output.events(failure);
  output.events(verbose);
  output.printJson({ files_new: 1 });
  output.error(closing, 10);
  deepEqual(stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line)), [
    {
      type: "progress",
      operation: "backup",
      files_done: 1,
      files_total: null,
      bytes_done: 5,
      bytes_total: null,
      bytes_per_second: null,
      seconds_elapsed: 0,
      seconds_left: null,
      current: null,
    },
    {
      type: "warning",
      code: "xattrs_lost",
      message: "Extended attributes are lost",
      path: { base64: "L2H/", display: "/a\\xff" },
    },
    {
      type: "error",
      kind: "source_unreadable",
      message: "Cannot read /a: permission denied",
      hint: "Run as root",
      exit_code: 3,
      path: "/a",
    },
    { type: "summary", files_new: 1 },
    {
      type: "error",
      kind: "repository_missing",
      message: "Cannot open /srv: nothing there",
      hint: "Run `axiom init`",
      exit_code: 10,
    },
  ]);
  equal(stderr.text, "axiom: new\n  line (/b)\naxiom: Cannot open /srv: nothing there\n  hint: Run `axiom init`\n");
});

Deno.test("programs read one value where a command answers at once, and events stay on stderr", () => {
  const { output, stdout, stderr, clock } = make({ json: true, stream: false });
  for (; clock.ms < 30_000; clock.ms += 1000) output.events(progress);
  output.events(warning);
  output.printJson([{ id: "1" }]);
  equal(stdout.text, '[{"id":"1"}]\n');
  equal(stderr.text, "axiom: warning: Extended attributes are lost (/a\\xff)\n");
});

Deno.test("an error for programs has every key, also without a hint", () => {
  const { output, stdout } = make({ json: true });
  output.error({ kind: "usage", message: "Cannot" }, 2);
  equal(stdout.text, '{"type":"error","kind":"usage","message":"Cannot","hint":null,"exit_code":2}\n');
});

Deno.test("a reader that went away ends output quietly, and no operation", async (t) => {
  await t.step("results", () => {
    const { output, stdout, stderr } = make();
    stdout.failure = brokenPipe();
    output.print("a");
    stdout.failure = undefined;
    output.print("b");
    deepEqual([stdout.text, stderr.text], ["", ""]);
  });
  await t.step("events", () => {
    const { output, stdout, stderr } = make({ json: true });
    stdout.failure = brokenPipe();
    output.events(warning);
    output.printJson({});
    deepEqual([stdout.text, stderr.text], ["", ""]);
  });
  await t.step("content: whoever makes it is told", async () => {
    const { output, stdout } = make();
    await output.write(Uint8Array.of(65, 66));
    stdout.failure = brokenPipe();
    await rejects(output.write(Uint8Array.of(65)), OutputClosed);
    stdout.failure = undefined;
    await rejects(output.write(Uint8Array.of(65)), OutputClosed);
    equal(stdout.text, "AB");
  });
});

Deno.test("a stdout that cannot be written to is an error, but only once the operation is over", async (t) => {
  const cases = [
    { code: "ENOSPC", kind: "target_full" },
    { code: "EIO", kind: "target_unwritable" },
  ];
  for (const { code, kind } of cases) {
    await t.step(code, async () => {
      const { output, stdout } = make({ json: true });
      stdout.failure = Object.assign(new Error(`failed (${code})`), { code });
      output.events(warning);
      const wanted = (error: unknown) => error instanceof AxiomError && error.kind === kind;
      throws(() => output.printJson({}), wanted);
      throws(() => output.print("a"), wanted);
      await rejects(output.write(Uint8Array.of(1)), wanted);
    });
  }
  await t.step("a stderr that cannot be written to is nothing", () => {
    const { output, stderr } = make();
    stderr.failure = brokenPipe();
    output.events(warning);
    output.error(closing, 10);
    output.print("a");
  });
});

Deno.test("renderContext says what the form of a result may depend on", async (t) => {
  const cases = [
    { name: "a pipe", settings: {}, expected: { columns: undefined, color: false, verbosity: 0 } },
    { name: "a terminal", settings: { terminal: 120 }, expected: { columns: 120, color: true, verbosity: 0 } },
    {
      name: "NO_COLOR",
      settings: { terminal: 120, variables: { NO_COLOR: "1" }, verbosity: 2 },
      expected: { columns: 120, color: false, verbosity: 2 },
    },
  ];
  for (const { name, settings, expected } of cases) {
    await t.step(name, () => deepEqual(make(settings).output.renderContext, expected));
  }
});
