import type { ErrorReport } from "../base/errors.ts";
import type { AxiomEvent } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import { jsonName } from "./json.ts";

/** Messages hold names of files, which could hold what a terminal obeys. */
export function escapeLines(text: string): string {
  return text.split("\n").map(displayName).join("\n  ");
}

export function noticeJson(event: AxiomEvent & { type: "warning" | "notice" }): Record<string, unknown> {
  const path = event.path === undefined ? {} : { path: jsonName(event.path) };
  return { type: event.type, code: event.code, message: escapeLines(event.message), ...path };
}

export function errorJson(error: ErrorReport, exitCode: number, path?: string): Record<string, unknown> {
  return {
    type: "error",
    kind: error.kind,
    message: escapeLines(error.message),
    hint: error.hint === undefined ? null : escapeLines(error.hint),
    exit_code: exitCode,
    ...(path === undefined ? {} : { path: jsonName(path) }),
  };
}
