import { formatDuration } from "../base/durations.ts";
import type { AxiomEvent } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import { formatSize } from "../base/sizes.ts";
import { jsonName } from "./json.ts";
import { shortened } from "./width.ts";

export type ProgressEvent = Extract<AxiomEvent, { type: "progress" }>;

export interface ProgressState extends ProgressEvent {
  secondsElapsed: number;
  /** Over the last seconds; undefined before there is anything to measure. */
  bytesPerSecond: number | undefined;
  /** 0…1 by bytes, or by files where bytes have no total; undefined without any total. */
  fraction: number | undefined;
  secondsLeft: number | undefined;
}

const WINDOW_MS = 15_000;
const SAMPLE_MS = 250;
const SPEED_AFTER_MS = 1000;

/** Turns what an operation says into speed and time left, over a sliding window. Pure but for what it remembers. */
export class ProgressMeter {
  #operation: string | undefined;
  #startMs = 0;
  /** Oldest first; bounded by the window and the least distance of two samples. */
  #samples: { ms: number; bytes: number; files: number }[] = [];

  update(event: ProgressEvent, nowMs: number): ProgressState {
    const last = this.#samples.at(-1);
    if (event.operation !== this.#operation || last === undefined || event.bytesDone < last.bytes) {
      this.#operation = event.operation;
      this.#startMs = nowMs;
      this.#samples = [{ ms: nowMs, bytes: event.bytesDone, files: event.filesDone }];
    } else if (nowMs - last.ms >= SAMPLE_MS) {
      this.#samples.push({ ms: nowMs, bytes: event.bytesDone, files: event.filesDone });
      while (this.#samples.length > 2 && nowMs - this.#samples[0].ms > WINDOW_MS) this.#samples.shift();
    }
    const first = this.#samples[0];
    const seconds = (nowMs - first.ms) / 1000;
    const measured = nowMs - first.ms >= SPEED_AFTER_MS;
    const byBytes = event.bytesTotal !== undefined && event.bytesTotal > 0;
    const [done, total, before] = byBytes
      ? [event.bytesDone, event.bytesTotal, first.bytes]
      : [event.filesDone, event.filesTotal, first.files];
    const rate = measured ? (done - before) / seconds : 0;
    return {
      ...event,
      secondsElapsed: (nowMs - this.#startMs) / 1000,
      bytesPerSecond: measured ? (event.bytesDone - first.bytes) / seconds : undefined,
      fraction: total === undefined || total <= 0 ? undefined : Math.min(1, Math.max(0, done / total)),
      secondsLeft: total === undefined || rate <= 0 ? undefined : Math.max(0, total - done) / rate,
    };
  }
}

/** One line without the name of the current file; parts that do not fit are left out from the end. */
export function progressLine(state: ProgressState, columns = Infinity): string {
  const parts = [state.operation];
  if (state.fraction !== undefined) parts.push(`${Math.floor(state.fraction * 100)}%`);
  const files = (state.filesTotal ?? state.filesDone) === 1 ? "file" : "files";
  parts.push(`${ofTotal(state.filesDone, state.filesTotal, grouped)} ${files}`);
  parts.push(ofTotal(state.bytesDone, state.bytesTotal, formatSize));
  if (state.bytesPerSecond !== undefined) parts.push(`${formatSize(Math.max(0, state.bytesPerSecond))}/s`);
  if (state.secondsLeft !== undefined) parts.push(`${roundDuration(state.secondsLeft)} left`);
  while (parts.length > 1 && parts.join("  ").length > columns) parts.pop();
  return shortened(displayName(parts.join("  ")), columns);
}

/** One or two lines, each narrower than the terminal so that it never wraps. */
export function progressLines(state: ProgressState, columns: number): string[] {
  const lines = [progressLine(state, columns - 1)];
  if (state.current !== undefined && columns > 4) lines.push(`  ${shortened(displayName(state.current), columns - 3)}`);
  return lines;
}

export function progressJson(state: ProgressState): Record<string, unknown> {
  return {
    type: "progress",
    operation: state.operation,
    files_done: state.filesDone,
    files_total: state.filesTotal ?? null,
    bytes_done: state.bytesDone,
    bytes_total: state.bytesTotal ?? null,
    bytes_per_second: state.bytesPerSecond === undefined ? null : Math.round(state.bytesPerSecond),
    seconds_elapsed: Math.round(state.secondsElapsed * 1000) / 1000,
    seconds_left: state.secondsLeft === undefined ? null : Math.round(state.secondsLeft),
    current: state.current === undefined ? null : jsonName(state.current),
  };
}

function ofTotal(done: number, total: number | undefined, format: (value: number) => string): string {
  return total === undefined ? format(done) : `${format(done)} of ${format(total)}`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Whole seconds: a line that is drawn ten times a second must not flicker. */
function roundDuration(seconds: number): string {
  return seconds < 59.5 ? `${Math.round(seconds)} s` : formatDuration(seconds * 1000);
}
