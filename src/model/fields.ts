/** Checks of single members of stored documents; what is checked here can be used without a second look. */
import { utf8 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";

/** Lower-case hexadecimal digits of exactly `bytes` bytes: one text per value, so that no flipped bit goes unnoticed. */
export function isHexOf(value: unknown, bytes: number): value is string {
  return typeof value === "string" && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value);
}

export function isIntegerIn(value: unknown, minimum: number, maximum: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
}

/** Nanoseconds since 1970, decimal. */
export function isTimeNs(value: unknown): value is string {
  return typeof value === "string" && /^(0|-?[1-9][0-9]{0,19})$/.test(value);
}

/** A JSON object, neither null nor a list. */
export function isDocument(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Says what is wrong with a label for people, or nothing. */
export function labelFault(label: unknown): string | undefined {
  if (typeof label !== "string" || !label.isWellFormed()) return "the label is not a text";
  if (CONTROL.test(label)) return "the label has control characters";
  const bytes = utf8(label).length;
  if (bytes <= LIMITS.labelBytesMax) return undefined;
  return `the label has ${bytes} bytes, more than ${LIMITS.labelBytesMax}`;
}
