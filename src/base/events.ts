import type { ErrorReport } from "./errors.ts";

/** What a plugin made of the end of an operation. */
export interface PluginRun {
  readonly category: "processing" | "notification";
  readonly pluginId: string;
  /** Of the generation that was called; undefined where none was in service. */
  readonly version: string | undefined;
  readonly sha256: string | undefined;
  readonly metrics: Readonly<Record<string, number>>;
  readonly artifacts: readonly string[];
  /** Undefined where it succeeded. */
  readonly error: ErrorReport | undefined;
}

/** What a running operation says; the command line, the library and later the web show the same stream. */
export type AxiomEvent =
  | {
    type: "progress";
    operation: string;
    filesDone: number;
    filesTotal?: number;
    bytesDone: number;
    bytesTotal?: number;
    current?: string;
  }
  | { type: "warning"; code: string; message: string; path?: string }
  | { type: "error"; error: ErrorReport; path?: string }
  /** Nothing is wrong, but it takes time or is not what one may expect. */
  | { type: "notice"; code: string; message: string; path?: string }
  /** After an operation; one that failed is told of by a warning, too. */
  | { type: "plugin_run"; run: PluginRun }
  | { type: "verbose"; message: string; path?: string };

export type EventSink = (event: AxiomEvent) => void;

export const ignoreEvents: EventSink = () => {};
