import { AxiomError, type ErrorReport, messageOf, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { TOOL_VERSION } from "../base/version.ts";
import type { Environment } from "./context.ts";

export interface Failure {
  error: ErrorReport;
  exitCode: number;
  /** For whoever looks for a bug. */
  stack: string;
}

/**
 * What a person is told of whatever was thrown. A failure that only an interruption brought about is that interruption;
 * anything else that is no `AxiomError` is a bug.
 */
export function failureOf(error: unknown, what: string, signal: AbortSignal): Failure {
  const stack = stackOf(error);
  if (signal.reason instanceof AxiomError && comesFrom(error, signal.reason)) {
    return { error: reportError(signal.reason), exitCode: signal.reason.exitCode, stack };
  }
  if (error instanceof AxiomError) return { error: reportError(error), exitCode: exitCodeOf(error), stack };
  const name = error instanceof Error ? `${error.name}: ` : "";
  return {
    error: { kind: "internal", message: `Cannot finish ${what}: internal error, ${name}${messageOf(error)}` },
    exitCode: 1,
    stack,
  };
}

/** A target of which nothing could be written is no partial success. */
function exitCodeOf(error: AxiomError): number {
  return error.kind === "target_unwritable" ? 1 : error.exitCode;
}

export function isBug(failure: Failure): boolean {
  return failure.error.kind === "internal";
}

/** Aborted calls of the platform throw the signal's reason, or an `AbortError`, as they are or as a cause. */
function comesFrom(error: unknown, reason: AxiomError): boolean {
  let current = error;
  for (let depth = 0; depth < LIMITS.errorCausesMax && current instanceof Error; depth++) {
    if (current === reason || current.name === "AbortError") return true;
    current = current.cause;
  }
  return false;
}

function stackOf(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; depth < LIMITS.errorCausesMax && current !== undefined; depth++) {
    parts.push(current instanceof Error ? current.stack ?? String(current) : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join("\nCaused by: ");
}

/** Saves the report of a bug and says where it is; without a place to save it, or with AXIOM_DEBUG=1, the hint is the report. */
export async function withReport(failure: Failure, what: string, environment: Environment): Promise<ErrorReport> {
  const { deno, os, arch } = environment.platform;
  const report = `axiom ${TOOL_VERSION}, Deno ${deno}, ${os} ${arch}, command ${what}\n${failure.stack}\n`;
  if (environment.variable("AXIOM_DEBUG") !== "1") {
    try {
      const path = await environment.saveReport(report);
      return { ...failure.error, hint: `This is a bug of AXIOM, not of your data. Its report is ${path}` };
    } catch {
      // Shown instead.
    }
  }
  return { ...failure.error, hint: `This is a bug of AXIOM, not of your data. Its report:\n${report.trimEnd()}` };
}
