import type { ErrorReport } from "./errors.ts";

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
  | { type: "verbose"; message: string; path?: string };

export type EventSink = (event: AxiomEvent) => void;

export const ignoreEvents: EventSink = () => {};
