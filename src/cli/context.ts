import type { Clock } from "../base/clock.ts";
import type { EventSink } from "../base/events.ts";
import type { FlagSetting } from "../config/load.ts";
import type { App } from "./app.ts";
import type { CommandTable } from "./command.ts";
import type { GlobalOptions } from "./global_flags.ts";
import type { Output } from "./output.ts";

export interface AppSettings {
  globals: GlobalOptions;
  /** Options that the command's own flags set. */
  flags: readonly FlagSetting[];
  environment: Environment;
  events: EventSink;
  signal: AbortSignal;
}

/** One of the process's two ways out; a test injects its own. Failures are those of `Deno.stdout`. */
export interface OutputStream {
  readonly isTerminal: boolean;
  /** Width in characters, undefined where there is none. */
  columns(): number | undefined;
  /** Writes all of `data` before it returns. */
  writeSync(data: Uint8Array): void;
  /** As `writeSync`, without holding up the event loop: for the content of files. */
  write(data: Uint8Array): Promise<void>;
}

/** All of the outside world that the command line touches. */
export interface Environment {
  variable(name: string): string | undefined;
  /** All of them. */
  variables(): Record<string, string>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  /** What it runs on: Deno's version, `linux`, `x86_64`. */
  readonly platform: { deno: string; os: string; arch: string };
  /** Calls back for each request to end, Ctrl-C, a kill or a terminal that goes; returns how to stop that. */
  onInterrupt(handler: () => void): () => void;
  /** Calls back for what nobody caught; returns how to stop that. */
  onUncaught(handler: (error: unknown) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): never;
  /** Saves the report of a bug and returns its path. */
  saveReport(text: string): Promise<string>;
  /** Makes the program behind the commands; absent where only commands that need none can run. */
  openApp?(settings: AppSettings): Promise<App>;
}

export interface CommandContext {
  readonly globals: GlobalOptions;
  readonly environment: Environment;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly commands: CommandTable;
  /** Made by the first call, the same for all that follow. `flags` are options that the command's own flags set. */
  app(flags?: readonly FlagSetting[]): Promise<App>;
}

/** What the form of a text for people may depend on. */
export interface RenderContext {
  /** Width of the terminal in characters; undefined where lines may be of any length. */
  readonly columns: number | undefined;
  readonly color: boolean;
  /** How often `--verbose` was given. */
  readonly verbosity: number;
}
