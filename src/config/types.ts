import { join } from "node:path";
import { parseSize, SIZE_EXPECTED } from "../base/sizes.ts";
import { patternFault } from "../base/patterns.ts";
import type { ReadContext, Type } from "./option.ts";

/** A type whose texts are those that `read` accepts; undefined is what it refuses. */
export function type<T>(
  expected: string,
  read: (text: string, context: ReadContext) => T | undefined,
  more: Partial<Type<T>> = {},
): Type<T> {
  return {
    expected,
    json: { type: "string" },
    ...more,
    read(text, context) {
      const value = read(text, context);
      if (value === undefined) throw new RangeError(expected);
      return value;
    },
  };
}

export const text: Type<string> = type(
  "text of one line",
  (given) => given !== "" && !/[\0\r\n]/.test(given) ? given : undefined,
  { json: { type: "string", minLength: 1 } },
);

/** At most `bytesMax` bytes of UTF-8. */
export function shortText(bytesMax: number): Type<string> {
  return type(`text of one line, at most ${bytesMax} bytes`, (given) => {
    return new TextEncoder().encode(given).length <= bytesMax ? text.read(given, {}) : undefined;
  }, { json: { type: "string", minLength: 1, maxLength: bytesMax } });
}

export const boolean: Type<boolean> = type(
  "true or false",
  (given) => given === "true" ? true : given === "false" ? false : undefined,
  { json: { type: "boolean" }, choices: ["true", "false"] },
);

export function oneOf<const C extends readonly string[]>(...choices: C): Type<C[number]> {
  const last = choices[choices.length - 1];
  const expected = choices.length === 1 ? last : `${choices.slice(0, -1).join(", ")} or ${last}`;
  return type(expected, (given) => choices.includes(given) ? given : undefined, { json: { enum: choices }, choices });
}

/** A file or folder. In a file `~/` is the home folder and what is relative starts at the folder of that file. */
export const path: Type<string> = type(
  "a path",
  (given, { folder, home }) => {
    if (given === "" || given.includes("\0")) return undefined;
    if (home !== undefined && (given === "~" || given.startsWith("~/"))) return join(home, given.slice(1));
    return folder === undefined ? given : absolute(given, folder);
  },
  { json: { type: "string", minLength: 1 } },
);

/** Unlike `resolve` of node:path it never asks for the current folder. */
function absolute(given: string, folder: string): string {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(given) ? given : join(folder, given);
}

const SCHEME = /^[a-z][a-z0-9_+.-]*:\/\//i;

/** A path, or an address with a scheme, which is left as it is. */
export const location: Type<string> = type(
  "a path or an address such as s3://bucket/prefix",
  (given, context) => SCHEME.test(given) ? text.read(given, {}) : path.read(given, context),
  { json: { type: "string", minLength: 1 } },
);

export const size: Type<number> = type(SIZE_EXPECTED, parseSize, { json: { type: ["string", "integer"], minimum: 0 } });

/** Bytes per second, 0 for no limit. A unit is asked for, because the flags of the same name count KiB/s. */
export const rate: Type<number> = type(
  "a speed such as 512 KiB/s or 2 MiB/s, or 0 for no limit",
  (given) => given === "0" ? 0 : /[a-z]/i.test(given) ? parseSize(given.replace(/\/s$/, "")) : undefined,
  { json: { type: ["string", "integer"] } },
);

/** 0…100; the `%` may be left out. */
export const percent: Type<number> = type("a percentage from 0% to 100%", (given) => {
  const match = /^(\d{1,3}(?:\.\d{1,6})?)\s*%?$/.exec(given);
  return match !== null && Number(match[1]) <= 100 ? Number(match[1]) : undefined;
}, { json: { type: ["string", "number"], minimum: 0, maximum: 100 } });

/** In the syntax of `.gitignore`, one that can match something. */
export const pattern: Type<string> = type("a pattern", (given) => {
  const fault = patternFault(given);
  if (fault !== undefined) throw new RangeError(`a pattern that can match; ${fault}`);
  return given;
}, { json: { type: "string", minLength: 1 } });
