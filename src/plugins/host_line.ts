/**
 * How a plugin that stands still in a call of the host gets its answer: its worker posts a question and sleeps until the
 * buffer that both sides see has the answer.
 *
 * ```text
 * buffer   state i32: 1 while a question is open | value i32 | length of the data i32 | 0 i32 | data
 * ```
 */
import type { Bytes } from "../base/bytes.ts";
import { MIB } from "../base/bytes.ts";

/** Longer data goes in parts. What is never written to costs no memory. */
export const LINE_BYTES_MAX = MIB;

const OPEN = 1, ANSWERED = 0;
const STATE = 0, VALUE = 1, LENGTH = 2;
const HEADER_BYTES = 16;

/** What a capability is asked. The data of `body` is in the buffer. */
export type Question =
  | { readonly step: "body"; readonly length: number; readonly total: number }
  | { readonly step: "send"; readonly request: string }
  | { readonly step: "read"; readonly length: number };

export interface AskMessage {
  type: "ask";
  /** Import module of the capability. */
  module: string;
  question: Question;
}

export interface LineAnswer {
  readonly value: number;
  readonly data: Bytes;
}

export function newLine(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + LINE_BYTES_MAX);
}

/** The plugin's end. */
export class GuestLine {
  readonly #words: Int32Array;
  readonly #data: Uint8Array;

  constructor(buffer: SharedArrayBuffer, readonly post: (message: AskMessage) => void) {
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#data = new Uint8Array(buffer, HEADER_BYTES);
  }

  /** Sleeps until there is an answer; whoever waits for this call ends the thread where that takes too long. */
  ask(module: string, question: Question, data?: Uint8Array): LineAnswer {
    if (data !== undefined) this.#data.set(data);
    Atomics.store(this.#words, STATE, OPEN);
    this.post({ type: "ask", module, question });
    // The host wakes after it has answered, which may be late enough to wake the next question.
    while (Atomics.load(this.#words, STATE) === OPEN) Atomics.wait(this.#words, STATE, OPEN);
    return { value: this.#words[VALUE], data: this.#data.slice(0, this.#words[LENGTH]) as Bytes };
  }
}

/** The host's end. */
export class HostLine {
  readonly #words: Int32Array;
  readonly #data: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.#data = new Uint8Array(buffer, HEADER_BYTES);
  }

  /** What came with a question of the step `body`; a view that the answer overwrites. */
  dataOf(length: number): Uint8Array {
    return this.#data.subarray(0, length);
  }

  /** @param data At most {@linkcode LINE_BYTES_MAX} bytes */
  answer(value: number, data?: Uint8Array): void {
    this.#data.set(data ?? []);
    this.#words[VALUE] = value;
    this.#words[LENGTH] = data?.length ?? 0;
    Atomics.store(this.#words, STATE, ANSWERED);
    Atomics.notify(this.#words, STATE);
  }
}
