/** A process without a process: what tests of the command line run in. */
import type { Clock } from "../base/clock.ts";
import { type AnyCommand, type CommandTable, defineCommand } from "./command.ts";
import type { Environment, OutputStream } from "./context.ts";

export interface FakeStream extends OutputStream {
  text: string;
  writes: number;
  /** Thrown by the next writes, as the system would. */
  failure: Error | undefined;
}

export function fakeStream(columns?: number): FakeStream {
  const stream: FakeStream = {
    text: "",
    writes: 0,
    failure: undefined,
    isTerminal: columns !== undefined,
    columns: () => columns,
    writeSync(data) {
      if (stream.failure !== undefined) throw stream.failure;
      stream.writes++;
      stream.text += new TextDecoder().decode(data);
    },
    write(data) {
      return Promise.resolve().then(() => stream.writeSync(data));
    },
  };
  return stream;
}

export function brokenPipe(): Error {
  return Object.assign(new Error("Broken pipe (os error 32)"), { name: "BrokenPipe", code: "EPIPE" });
}

/** A clock that moves when it is told to. */
export interface FakeClock extends Clock {
  ms: number;
}

export function fakeClock(): FakeClock {
  return {
    ms: 0,
    nowNs: () => "1700000000000000000",
    monotonicMs() {
      return this.ms;
    },
    sleep: () => Promise.resolve(),
  };
}

export class Exited extends Error {
  constructor(readonly code: number) {
    super(`exited with ${code}`);
  }
}

export interface FakeEnvironment extends Environment {
  readonly stdout: FakeStream;
  readonly stderr: FakeStream;
  readonly clock: FakeClock;
  reports: string[];
  interrupt(): void;
  uncaught(error: unknown): void;
  /** Handlers that were set and not taken back. */
  handlers: number;
}

export function fakeEnvironment(
  variables: Record<string, string> = {},
  columns: { stdout?: number; stderr?: number } = {},
): FakeEnvironment {
  let onInterrupt = () => {}, onUncaught = (_error: unknown) => {};
  const environment: FakeEnvironment = {
    variable: (name) => variables[name],
    variables: () => variables,
    stdout: fakeStream(columns.stdout),
    stderr: fakeStream(columns.stderr),
    clock: fakeClock(),
    platform: { deno: "2.7.5", os: "linux", arch: "x86_64" },
    reports: [],
    handlers: 0,
    onInterrupt(handler) {
      environment.handlers++;
      onInterrupt = handler;
      return () => void environment.handlers--;
    },
    onUncaught(handler) {
      environment.handlers++;
      onUncaught = handler;
      return () => void environment.handlers--;
    },
    exit(code) {
      throw new Exited(code);
    },
    saveReport(text) {
      environment.reports.push(text);
      return Promise.resolve("/state/report.txt");
    },
    interrupt: () => onInterrupt(),
    uncaught: (error) => onUncaught(error),
  };
  return environment;
}

/** A command with every type of flag; its result is what it understood. */
export const sample = defineCommand({
  name: "backup",
  summary: "Save files",
  usage: "axiom backup [flags] <path>…",
  arguments: [{ name: "path", description: "File or folder", repeatable: true, completes: "file" }],
  flags: [
    { long: "dry-run", short: "n", type: "boolean", description: "Change nothing" },
    { long: "tag", short: "t", type: "text", repeatable: true, description: "Mark the snapshot" },
    { long: "host", type: "text", description: "Name of the machine", environment: "AXIOM_HOST" },
    {
      long: "mode",
      type: "choice",
      choices: ["full", "incremental", "differential"],
      default: "incremental",
      description: "What to compare with",
    },
    { long: "keep", short: "k", type: "integer", min: 1, max: 100, description: "How many to keep" },
    { long: "larger-than", type: "size", default: "1 GiB", description: "Leave out larger files" },
    { long: "recheck", type: "percent", default: "0%", description: "Read again" },
    { long: "within", type: "duration", description: "How old" },
    { long: "time", type: "time", description: "When" },
    { long: "target", type: "folder", description: "Where to" },
    { long: "exclude-file", type: "file", repeatable: true, description: "Patterns" },
    { long: "checked", type: "boolean", description: "Check it", environment: "AXIOM_CHECKED" },
  ],
  examples: [
    { command: "axiom backup /home", does: "Save a folder" },
    { command: "axiom backup --dry-run /home", does: "Say what would be saved" },
  ],
  parse: (values, positionals) => ({ ...values, paths: [...positionals] }),
  run: (options) => Promise.resolve(options),
  render: (options) => `saved ${options.paths.join(" ")}`,
  json: (options) => options,
});

/** A table of {@linkcode sample} under several names, and of `more`, which take the place of those of their name. */
export function sampleTable(more: readonly AnyCommand[] = []): CommandTable {
  const named = ["backup", "restore", "key add", "key list", "repair index", "repair snapshots", "cache clear"];
  const commands = new Map<string, AnyCommand>(named.map((name) => [name, { ...sample, name } as AnyCommand]));
  for (const command of more) commands.set(command.name, command);
  return [...commands.values()].map((command) => ({
    name: command.name,
    group: "Samples",
    load: () => Promise.resolve(command),
  }));
}
