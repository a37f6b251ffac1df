import { DURATION_EXPECTED, parseDuration } from "../base/durations.ts";
import { AxiomError } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { nearest } from "../base/nearest.ts";
import { parseSize, SIZE_EXPECTED } from "../base/sizes.ts";
import { parseTime, TIME_EXPECTED } from "../base/times.ts";
import type { Flag } from "./command.ts";

export type FlagValue = boolean | number | string;

/**
 * The value that `text` means for a flag that takes one.
 *
 * @param source Where the text stood, for messages: `--target` or `AXIOM_REPOSITORY`
 * @throws `usage` with what is expected
 */
export function readFlagValue(flag: Flag, text: string, source: string): FlagValue {
  if (text === "") throw unreadable(source, text, "it is empty");
  switch (flag.type) {
    case "boolean":
      return readBoolean(text, source);
    case "count":
    case "integer":
      return readInteger(flag, text, source);
    case "size":
      return parseSize(text) ?? refuse(source, text, `expected ${SIZE_EXPECTED}`);
    case "percent":
      return readPercent(text, source);
    case "duration":
      return parseDuration(text) ?? refuse(source, text, `expected ${DURATION_EXPECTED}`);
    case "time":
      return parseTime(text) ?? refuse(source, text, `expected ${TIME_EXPECTED}`);
    case "choice":
      return readChoice(flag.choices ?? [], text, source);
    case "text":
    case "file":
    case "folder":
      return text;
  }
}

/** Also for arguments with choices. */
export function readChoice(choices: readonly string[], text: string, source: string): string {
  if (choices.includes(text)) return text;
  const meant = nearest(text, choices);
  throw unreadable(
    source,
    text,
    `expected ${oneOf(choices)}`,
    meant === undefined ? undefined : `Did you mean ${meant}?`,
  );
}

/** Only variables come here: on the command line the flag itself is the value. */
function readBoolean(text: string, source: string): boolean {
  if (text === "1" || text === "true") return true;
  if (text === "0" || text === "false") return false;
  return refuse(source, text, "expected 1, true, 0 or false");
}

function readInteger(flag: Flag, text: string, source: string): number {
  const min = flag.min ?? 0, max = flag.max ?? Number.MAX_SAFE_INTEGER;
  if (!/^[+-]?\d+$/.test(text)) return refuse(source, text, "expected a whole number");
  const value = Number(text);
  if (value < min) return refuse(source, text, `at least ${min}`);
  if (value > max) return refuse(source, text, `at most ${max}`);
  return value;
}

function readPercent(text: string, source: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,9})?)\s*%?$/.exec(text);
  if (match === null || Number(match[1]) > 100) {
    return refuse(source, text, "expected a percentage from 0 to 100, such as 5%");
  }
  return Number(match[1]);
}

function oneOf(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join("") : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}

function refuse(source: string, text: string, why: string): never {
  throw unreadable(source, text, why);
}

function unreadable(source: string, text: string, why: string, hint?: string): AxiomError {
  return new AxiomError("usage", `Cannot read ${source} "${displayName(text.slice(0, 200))}": ${why}`, { hint });
}
