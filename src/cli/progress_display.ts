import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { type ProgressEvent, progressJson, progressLine, progressLines, ProgressMeter } from "./progress.ts";

/** `terminal` redraws its lines in place, `plain` adds one now and then, `json` calls back with values. */
export type ProgressMode = "terminal" | "plain" | "json" | "none";

export interface ProgressWriter {
  /** To stderr. */
  writeText(text: string): void;
  writeJson(value: unknown): void;
  /** Width of the terminal now: it may change while an operation runs. */
  columns(): number;
}

const INTERVAL_MS: Record<ProgressMode, number> = {
  terminal: LIMITS.progressIntervalMs,
  plain: 10_000,
  json: 1000,
  none: Infinity,
};

/** Shows progress no more often than its mode allows, however many events come. */
export class ProgressDisplay {
  readonly #mode: ProgressMode;
  readonly #writer: ProgressWriter;
  readonly #clock: Clock;
  readonly #meter = new ProgressMeter();
  #shownMs: number | undefined;
  #drawnLines = 0;

  constructor(mode: ProgressMode, writer: ProgressWriter, clock: Clock) {
    this.#mode = mode;
    this.#writer = writer;
    this.#clock = clock;
  }

  show(event: ProgressEvent): void {
    if (this.#mode === "none") return;
    const nowMs = this.#clock.monotonicMs();
    const state = this.#meter.update(event, nowMs);
    // Where lines stay, what ends within the first interval needs none.
    this.#shownMs ??= this.#mode === "plain" ? nowMs : -Infinity;
    if (nowMs - this.#shownMs < INTERVAL_MS[this.#mode]) return;
    this.#shownMs = nowMs;
    if (this.#mode === "json") return this.#writer.writeJson(progressJson(state));
    if (this.#mode === "plain") return this.#writer.writeText(`${progressLine(state)}\n`);
    const lines = progressLines(state, this.#writer.columns());
    const before = this.#eraser();
    this.#drawnLines = lines.length;
    this.#writer.writeText(before + lines.join("\n"));
  }

  /** Takes the lines off the terminal, before anything else is written to it and at the end. */
  clear(): void {
    const text = this.#eraser();
    this.#drawnLines = 0;
    if (text !== "") this.#writer.writeText(text);
  }

  /** To the beginning of the first drawn line, then erase to the end of the screen (ECMA-48: CUU, ED). */
  #eraser(): string {
    if (this.#drawnLines === 0) return "";
    return `\r${this.#drawnLines > 1 ? `\x1b[${this.#drawnLines - 1}A` : ""}\x1b[J`;
  }
}
