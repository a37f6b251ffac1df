/** What a broker and the worker in which its plugin runs tell each other. */
import type { Bytes } from "../base/bytes.ts";
import type { ErrorClass, HostFault, Operation, Verb } from "./abi.ts";
import type { AskMessage } from "./host_line.ts";

export interface LoadMessage {
  type: "load";
  module: WebAssembly.Module;
  /** Import modules that are linked besides those of every plugin; a call of another one fails. */
  granted: readonly string[];
  memoryPages: number;
  /** One number, which is not 0 once the running call is cancelled. */
  cancelled: Int32Array<SharedArrayBuffer>;
  /** Where answers of granted capabilities arrive; undefined where none is asked outside. */
  line: SharedArrayBuffer | undefined;
}

/** What a module of the stock Extism kit calls its functions is its own affair. */
export type StockExport = `stock:${string}`;

export interface CallMessage {
  type: "call";
  verb: Verb | StockExport;
  operation: Operation | undefined;
  /** JSON. */
  header: string;
  input: Bytes;
  outputBytesMax: number;
}

export type ToSandbox = LoadMessage | CallMessage;

export interface LogLine {
  level: string;
  message: string;
}

/** A number that a plugin told of its work. */
export interface PluginMetric {
  readonly name: string;
  value: number;
}

export type FromSandbox =
  | AskMessage
  | { type: "ready" }
  | {
    type: "done";
    output: Bytes;
    result: string | undefined;
    memoryBytes: number;
    log: LogLine[];
    metrics: PluginMetric[];
  }
  | {
    type: "failed";
    /** What the plugin itself said, or what the host saw. */
    failure: ErrorClass | HostFault;
    /** It was stopped in the middle, so that nothing is known of its state: no second call. */
    isSpent: boolean;
    message: string;
    memoryBytes: number;
    log: LogLine[];
  };
