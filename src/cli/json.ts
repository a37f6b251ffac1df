import { toBase64 } from "../base/bytes.ts";
import { displayName, encodeName } from "../base/names.ts";
import { formatRfc3339 } from "../base/times.ts";

/** A file name or path in JSON: a string, or where it is not UTF-8 its bytes and something to read. */
export type JsonName = string | { base64: string; display: string };

export function jsonName(name: string): JsonName {
  return name.isWellFormed() ? name : { base64: toBase64(encodeName(name)), display: displayName(name) };
}

/** RFC 3339 in UTC with nanoseconds; null for the years which that cannot say (it has four digits for them). */
export function jsonTime(timeNs: string): string | null {
  try {
    const text = formatRfc3339(timeNs);
    return /^\d{4}-/.test(text) ? text : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * One line of JSON. The C1 control characters, which JSON allows as they are, come escaped: a terminal would obey them.
 *
 * @throws `TypeError` for what JSON cannot hold: a bug of the command
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`Not a value of JSON: ${typeof value}`);
  return text.replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
