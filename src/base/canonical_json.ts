import { type Bytes, fromUtf8, utf8 } from "./bytes.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };

/**
 * The one text of a value: keys sorted by UTF-16 code units, no white space, `undefined` members left out, strings as
 * `JSON.stringify` writes them (lone surrogates as `\udXXX`). RFC 8785 without its rules for numbers: only safe integers are
 * allowed, anything else throws `RangeError`.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`Not a safe integer: ${value}`);
    return String(value);
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  let text = "";
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

export function encodeJson(value: Json): Bytes {
  return utf8(canonicalJson(value));
}

/** Throws `SyntaxError` or `TypeError` if `data` is not JSON in UTF-8. */
export function decodeJson(data: Uint8Array): Json {
  return JSON.parse(fromUtf8(data));
}
