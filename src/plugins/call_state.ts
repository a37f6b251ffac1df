import { type Bytes, free, fromUtf8, KIB, MIB, utf8 } from "../base/bytes.ts";
import { ERROR_CLASSES, type ErrorClass, LOG_LEVELS, type Operation, OPERATIONS } from "./abi.ts";
import type { CallMessage, LogLine, PluginMetric } from "./sandbox_protocol.ts";

/** Room for all of an output that cannot be longer; otherwise it is mostly no longer than the input and a little. */
const OUTPUT_BYTES_AT_ONCE = 8 * MIB;
const OUTPUT_BYTES_MORE = 64 * KIB;
const RESULT_BYTES_MAX = 1024 * KIB;
const MESSAGE_BYTES_MAX = 4 * KIB;
const LOG_LINES_MAX = 100;
const METRICS_MAX = 100;
const METRIC_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** A plugin did what ends its call at once. */
export class GuestFault extends Error {
  constructor(readonly failure: ErrorClass | "abi", message: string) {
    super(message);
  }
}

/** Input and output of one call; nothing of it is there in the next one. */
export class CallState {
  readonly #input: Bytes;
  readonly #header: Bytes;
  readonly #outputBytesMax: number;
  readonly operation: number;
  #readAt = 0;
  #output: Bytes = new Uint8Array(0);
  #written = 0;
  #pieces = "";
  result: string | undefined;
  failure: { class: ErrorClass; message: string } | undefined;
  readonly log: LogLine[] = [];
  readonly metrics: PluginMetric[] = [];
  /** The last response of each capability that is asked, by import module. */
  readonly responses = new Map<string, Bytes>();

  constructor({ operation, header, input, outputBytesMax }: Omit<CallMessage, "type" | "verb">) {
    this.operation = operation === undefined ? 0 : OPERATIONS[operation satisfies Operation];
    this.#input = input;
    this.#header = utf8(header);
    this.#outputBytesMax = outputBytesMax;
  }

  get input(): Bytes {
    return this.#input;
  }

  get inputLeft(): number {
    return this.#input.length - this.#readAt;
  }

  /** Takes the next bytes of the input; fewer than asked for at its end. */
  read(bytes: number): Bytes {
    const part = this.#input.subarray(this.#readAt, this.#readAt + bytes);
    this.#readAt += part.length;
    return part;
  }

  get header(): Bytes {
    return this.#header;
  }

  /** Throws where the whole output would be longer than the host wants. */
  write(part: Uint8Array): void {
    const length = this.#written + part.length;
    if (length > this.#outputBytesMax) {
      throw new GuestFault("quota", `it wrote ${length} bytes where at most ${this.#outputBytesMax} are wanted`);
    }
    if (length > this.#output.length) {
      const grown = new Uint8Array(this.#room(length));
      grown.set(this.#output.subarray(0, this.#written));
      free(this.#output);
      this.#output = grown;
    }
    this.#output.set(part, this.#written);
    this.#written = length;
  }

  #room(length: number): number {
    const most = this.#outputBytesMax;
    if (most <= OUTPUT_BYTES_AT_ONCE) return most;
    return Math.min(most, Math.max(length, 2 * this.#output.length, this.#input.length + OUTPUT_BYTES_MORE));
  }

  /** A view of a buffer of its own, which may be longer. */
  get output(): Bytes {
    return this.#output.subarray(0, this.#written);
  }

  setResult(text: Uint8Array): void {
    if (text.length > RESULT_BYTES_MAX) {
      throw new GuestFault("quota", `its result has ${text.length} bytes, more than ${RESULT_BYTES_MAX}`);
    }
    this.result = textOf(text);
  }

  fail(number: number, text: Uint8Array): void {
    this.failure ??= { class: errorClassOf(number), message: shortText(text) };
  }

  /** Text that comes in pieces, of which each line is one of the log. */
  addText(level: number, piece: Uint8Array): void {
    const lines = (this.#pieces + shortText(piece)).split("\n");
    this.#pieces = lines.pop()!.slice(0, MESSAGE_BYTES_MAX);
    for (const line of lines) this.addLog(level, utf8(line));
  }

  addLog(level: number, text: Uint8Array): void {
    if (this.log.length >= LOG_LINES_MAX) return;
    this.log.push({ level: LOG_LEVELS[level] ?? "info", message: shortText(text) });
  }

  /** The last value of a name counts. */
  addMetric(text: Uint8Array, value: number): void {
    const name = textOf(text), same = this.metrics.find((each) => each.name === name);
    if (!METRIC_NAME.test(name)) throw new GuestFault("abi", `it named a metric ${JSON.stringify(name.slice(0, 80))}`);
    if (!Number.isFinite(value)) throw new GuestFault("abi", `it told ${value} as the metric ${name}`);
    if (same !== undefined) same.value = value;
    else if (this.metrics.length < METRICS_MAX) this.metrics.push({ name, value });
  }
}

/** A number that stands for none is an internal error of the plugin. */
export function errorClassOf(number: number): ErrorClass {
  const name = ERROR_CLASSES[number];
  return name === undefined || name === "ok" ? "internal" : name;
}

export function textOf(data: Uint8Array): string {
  try {
    return fromUtf8(data.slice());
  } catch {
    throw new GuestFault("abi", "it gave a text that is not UTF-8");
  }
}

function shortText(data: Uint8Array): string {
  return new TextDecoder().decode(data.slice(0, MESSAGE_BYTES_MAX));
}
