import type { Clock } from "../base/clock.ts";
import { AxiomError, ERROR_KINDS, type ErrorReport, messageOf } from "../base/errors.ts";
import type { AxiomEvent, EventSink } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import type { OutputStream, RenderContext } from "./context.ts";
import { errorJson, escapeLines, noticeJson } from "./event_json.ts";
import { jsonLine } from "./json.ts";
import { pluginRunJson } from "./plugin_run_text.ts";
import { ProgressDisplay, type ProgressMode } from "./progress_display.ts";
import { shortened } from "./width.ts";

export interface OutputSettings {
  stdout: OutputStream;
  stderr: OutputStream;
  clock: Clock;
  json: boolean;
  /** With `json`: events go to stdout as JSON Lines. */
  stream: boolean;
  progress: boolean;
  verbosity: number;
  /** `auto` by default: on a terminal. */
  color?: ColorChoice;
  variable(name: string): string | undefined;
}

export type ColorChoice = "auto" | "always" | "never";

/** What may become known after something was said already. */
export type OutputChange = Pick<OutputSettings, "json" | "progress" | "verbosity" | "color">;

/** Thrown by {@linkcode Output.write} once nobody reads stdout any more, as in `axiom dump … | head`; not a failure. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

const COLUMNS_DEFAULT = 80;
const RED = 31, YELLOW = 33;
const encoder = new TextEncoder();

/** Results on stdout, everything else on stderr; with `--json` of a stream, events on stdout too. Never throws for stderr. */
export class Output {
  /** What operations report to. Never throws: a full disk behind stdout must not end a backup. */
  readonly events: EventSink = (event) => this.#handle(event);
  #settings: OutputSettings;
  #progress: ProgressDisplay;
  #closed = false;
  #fault: AxiomError | undefined;
  /** Of errors that were told of, for people. */
  readonly #hints = new Set<string>();

  constructor(settings: OutputSettings) {
    this.#settings = settings;
    this.#progress = this.#newProgress();
  }

  /** From now on. */
  change(change: OutputChange): void {
    this.#progress.clear();
    this.#settings = { ...this.#settings, ...change };
    this.#progress = this.#newProgress();
  }

  get json(): boolean {
    return this.#settings.json;
  }

  get renderContext(): RenderContext {
    const { stdout, verbosity } = this.#settings;
    const columns = stdout.isTerminal ? stdout.columns() ?? COLUMNS_DEFAULT : undefined;
    return { columns, color: this.#hasColor(stdout), verbosity };
  }

  #hasColor(stream: OutputStream): boolean {
    const { color = "auto", variable } = this.#settings;
    if (color !== "auto") return color === "always";
    return stream.isTerminal && !this.#isPlain() && !variable("NO_COLOR");
  }

  #isPlain(): boolean {
    return this.#settings.variable("TERM") === "dumb";
  }

  #newProgress(): ProgressDisplay {
    const { stderr } = this.#settings;
    const writer = {
      writeText: (text: string) => this.#writeStderr(text),
      writeJson: (value: unknown) => this.#writeLine(value),
      columns: () => stderr.columns() ?? COLUMNS_DEFAULT,
    };
    return new ProgressDisplay(this.#progressMode(), writer, this.#settings.clock);
  }

  #progressMode(): ProgressMode {
    const { progress, json, stream, stderr } = this.#settings;
    if (!progress || (json && !stream)) return "none";
    if (json) return "json";
    return stderr.isTerminal && !this.#isPlain() ? "terminal" : "plain";
  }

  /** A result for people. Throws `AxiomError` if stdout cannot take it, but not if nobody reads it. */
  print(text: string): void {
    this.#progress.clear();
    if (text !== "") this.#writeStdout(`${text}\n`);
    this.#throwFault();
  }

  /** A result for programs: one line, with its type if it is the summary of a stream. Throws like {@linkcode print}. */
  printJson(value: unknown): void {
    this.#progress.clear();
    this.#writeLine(this.#settings.stream ? { type: "summary", ...(value as Record<string, unknown>) } : value);
    this.#throwFault();
  }

  /** Content as it is, such as a file's. Throws {@linkcode OutputClosed} once nobody reads it. */
  async write(data: Uint8Array): Promise<void> {
    this.#progress.clear();
    if (!this.#closed) {
      try {
        return await this.#settings.stdout.write(data);
      } catch (error) {
        this.#remember(error);
      }
    }
    this.#throwFault();
    throw new OutputClosed("Nobody reads the standard output any more");
  }

  /** For people, whatever the flags: what they must know while something runs. */
  notice(message: string): void {
    this.#say("", message);
  }

  /** A text as it is, on stderr: help that nobody asked for. */
  explain(text: string): void {
    this.#progress.clear();
    this.#writeStderr(`${text}\n`);
  }

  /** What the process ends with; with `--json` also the last line on stdout. */
  error(error: ErrorReport, exitCode: number): void {
    this.#sayError(error);
    if (this.#settings.json) this.#writeLine(errorJson(error, exitCode));
  }

  /** Takes progress off the terminal. */
  finish(): void {
    this.#progress.clear();
  }

  #handle(event: AxiomEvent): void {
    const lines = this.#settings.json && this.#settings.stream;
    switch (event.type) {
      case "progress":
        return this.#progress.show(event);
      case "warning":
        if (lines) return this.#writeLine(noticeJson(event));
        return this.#say(this.#paint(YELLOW, "warning: "), withPath(event.message, event.path));
      case "error": {
        const { error, path } = event;
        if (lines) return this.#writeLine(errorJson(error, ERROR_KINDS[error.kind].exitCode, path));
        const hint = this.#isNew(error.hint) ? error.hint : undefined;
        return this.#sayError({ ...error, hint, message: withPath(error.message, path) });
      }
      case "notice":
        if (lines) return this.#writeLine(noticeJson(event));
        if (this.#settings.verbosity >= 0) this.#say("", withPath(event.message, event.path));
        return;
      case "plugin_run": {
        const { category } = event.run;
        if (lines) this.#writeLine({ type: "plugin_run", category, ...pluginRunJson(event.run) });
        return; // for people the summary has it, and a warning what failed
      }
      case "verbose":
        if (this.#settings.verbosity > 0) this.#say("", withPath(event.message, event.path));
    }
  }

  /** Thirty errors of one kind have one hint. */
  #isNew(hint: string | undefined): boolean {
    if (hint === undefined || this.#hints.has(hint)) return false;
    this.#hints.add(hint);
    return true;
  }

  #sayError(error: ErrorReport): void {
    this.#say("", error.message, error.hint, RED);
  }

  #say(prefix: string, message: string, hint?: string, color?: number): void {
    this.#progress.clear();
    const name = color === undefined ? "axiom: " : this.#paint(color, "axiom: ");
    const hintLine = hint === undefined ? "" : `  hint: ${escapeLines(hint)}\n`;
    this.#writeStderr(`${name}${prefix}${escapeLines(message)}\n${hintLine}`);
  }

  #paint(color: number, text: string): string {
    return this.#hasColor(this.#settings.stderr) ? `\x1b[${color}m${text}\x1b[0m` : text;
  }

  #writeLine(value: unknown): void {
    this.#writeStdout(`${jsonLine(value)}\n`);
  }

  #writeStdout(text: string): void {
    if (this.#closed) return;
    try {
      this.#settings.stdout.writeSync(encoder.encode(text));
    } catch (error) {
      this.#remember(error);
    }
  }

  #writeStderr(text: string): void {
    try {
      this.#settings.stderr.writeSync(encoder.encode(text));
    } catch {
      // There is no third place to say it.
    }
  }

  #remember(error: unknown): void {
    this.#closed = true;
    if (error instanceof Error && (error.name === "BrokenPipe" || codeOf(error) === "EPIPE")) return;
    const full = codeOf(error) === "ENOSPC";
    this.#fault ??= new AxiomError(
      full ? "target_full" : "target_unwritable",
      `Cannot write to the standard output: ${messageOf(error)}`,
      { cause: error },
    );
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

const PATH_COLUMNS_MAX = 200;

/** A path of thousands of characters would hide what is said about it: its ends tell which it is. */
function withPath(message: string, path: string | undefined): string {
  if (path === undefined) return message;
  const shown = displayName(path);
  const whole = message.includes(path) || message.includes(shown) ? message : `${message} (${path})`;
  const short = shortened(shown, PATH_COLUMNS_MAX);
  return short === shown ? whole : whole.replaceAll(path, short).replaceAll(shown, short);
}
