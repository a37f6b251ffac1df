import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { nearest } from "../base/nearest.ts";

/** One thing that is wrong. */
export interface Issue {
  /** `axiom.yaml:3:5`, the name of a variable, or a flag. */
  readonly origin: string;
  /** Path of the option, such as `backup.mode`; empty for what concerns the whole file. */
  readonly path: string;
  /** Mostly "expected …, found …". */
  readonly message: string;
  /** The next step for this one, without a full stop. */
  readonly hint?: string;
}

/** Long and secret values have no place in a message: at most 60 characters, on one line. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return `"${displayName(shown)}"`;
}

export function meant(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

function line({ origin, path, message }: Issue): string {
  return [origin, path, message].filter((part) => part !== "").join(": ");
}

/** One error for all: `usage` if only flags are wrong, else `config_invalid`. */
export function configError(issues: readonly Issue[]): AxiomError {
  const kind = issues.every(({ origin }) => origin.startsWith("--")) ? "usage" : "config_invalid";
  if (issues.length === 1) {
    const hint = issues[0].hint ?? `Correct ${issues[0].origin}, then run the same command again`;
    return new AxiomError(kind, `Cannot use the configuration: ${line(issues[0])}`, { hint });
  }
  const shown = issues.slice(0, LIMITS.configErrorsMax).map((issue) => `\n  ${line(issue)}`);
  const more = issues.length > shown.length ? `\n  and ${issues.length - shown.length} more` : "";
  return new AxiomError(kind, `Cannot use the configuration: ${issues.length} errors${shown.join("")}${more}`, {
    hint: issues.find((issue) => issue.hint !== undefined)?.hint ??
      "Correct these places, then run the same command again",
  });
}
