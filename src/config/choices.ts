/** Values with a syntax of their own, that flags and configuration share. */
import { KIB } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { patternFault } from "../base/patterns.ts";
import { parseSize } from "../base/sizes.ts";
import type { Type } from "./option.ts";
import { type } from "./types.ts";

const NAME = "[a-z][a-z0-9_-]{0,63}";

/** `none`, or a codec by its name, and its level unless the default will do. Whether there is such a codec, the registry knows. */
export const compression: Type<string> = type("none, zstd or zstd:LEVEL with a level from 1 to 22", (text) => {
  const match = new RegExp(`^(${NAME})(?::(\\d{1,3}))?$`).exec(text);
  if (match === null) return undefined;
  const [, codec, digits] = match;
  const isWrong = codec === "none" || codec === "zstd" && (Number(digits) < 1 || Number(digits) > 22);
  return digits !== undefined && isWrong ? undefined : text;
}, { example: "zstd:9" });

/** `plain`, or a cipher by its name. Whether there is such a cipher, the registry knows. */
export const cipher: Type<string> = type(
  "plain, or a cipher such as aes-256-gcm",
  (text) => new RegExp(`^${NAME}$`).test(text) ? text : undefined,
);

/** Content-defined chunks, or blocks of a fixed length, which is chosen by the size of the file where it is left out. */
export type ChunkerChoice = { algorithm: "fastcdc-1" } | { algorithm: "fixed-1"; block_bytes?: number };

const BLOCK_BYTES_MIN = 4 * KIB;

export const chunker: Type<ChunkerChoice> = type(
  "cdc, fixed or fixed:SIZE with a power of two from 4 KiB to 4 MiB",
  (text) => {
    if (text === "cdc") return { algorithm: "fastcdc-1" };
    if (text === "fixed") return { algorithm: "fixed-1" };
    const blockBytes = text.startsWith("fixed:") ? parseSize(text.slice("fixed:".length)) : undefined;
    if (
      blockBytes === undefined || blockBytes < BLOCK_BYTES_MIN || blockBytes > LIMITS.framePlainBytesMax
    ) return undefined;
    return Number.isInteger(Math.log2(blockBytes)) ? { algorithm: "fixed-1", block_bytes: blockBytes } : undefined;
  },
  { example: "fixed:32KiB" },
);

/** What files that match `pattern` get; the first rule that matches wins. */
export interface Rule<T> {
  readonly pattern: string;
  readonly value: T;
}

/** `PATTERN=VALUE`, cut at the last `=`, with spaces around it or not. */
export function rule<T>(value: Type<T>, example: string): Type<Rule<T>> {
  const expected = `PATTERN=VALUE where VALUE is ${value.expected}`;
  return type(expected, (text, context) => {
    const at = text.lastIndexOf("=");
    if (at < 0) return undefined;
    const pattern = text.slice(0, at).trim();
    const fault = patternFault(pattern) ?? ruleFault(pattern);
    if (fault !== undefined) throw new RangeError(`PATTERN=VALUE with a pattern that can match; ${fault}`);
    try {
      return { pattern, value: value.read(text.slice(at + 1).trim(), context) };
    } catch (error) {
      throw error instanceof RangeError ? new RangeError(`${expected} after the last "="`) : error;
    }
  }, { json: { type: "string", pattern: "=" }, example: JSON.stringify(example) });
}

/** What {@linkcode patternFault} lets pass but a rule cannot mean. */
export function ruleFault(pattern: string): string | undefined {
  if (pattern.startsWith("!")) return "a rule cannot be taken back by !; write a rule before it";
  if (pattern.slice(0, -1).includes("/") && !pattern.startsWith("/") && !pattern.startsWith("**/")) {
    return "a pattern with / begins with / (from the root) or with **/ (anywhere)";
  }
  if (/(?<!\\)\{.*,.*\}/.test(pattern)) {
    return "braces do not list; write one rule for each, or \\{ for the character itself";
  }
  return undefined;
}

/** Which part of the data a check reads. */
export type ReadSubset =
  | { readonly kind: "part"; readonly part: number; readonly parts: number }
  | { readonly kind: "percent"; readonly percent: number }
  | { readonly kind: "size"; readonly bytes: number };

export const readSubset: Type<ReadSubset> = type(
  "a part such as 1/10, a percentage such as 5%, or a size such as 2 GiB",
  (text) => {
    const part = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
    if (part !== null) {
      const [n, parts] = [Number(part[1]), Number(part[2])];
      return n >= 1 && n <= parts ? { kind: "part", part: n, parts } : undefined;
    }
    const share = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text);
    if (share !== null) {
      const percent = Number(share[1]);
      return percent > 0 && percent <= 100 ? { kind: "percent", percent } : undefined;
    }
    const bytes = parseSize(text);
    return bytes === undefined || bytes === 0 ? undefined : { kind: "size", bytes };
  },
  { example: "5%" },
);

/** A folder that holds a file `name`, which begins with `header` if that is given, is saved without its content. */
export interface FolderMarker {
  readonly name: string;
  readonly header?: string;
}

export const folderMarker: Type<FolderMarker> = type("NAME or NAME:HEADER, a file name without /", (text) => {
  const at = text.indexOf(":");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) return undefined;
  return at < 0 ? { name } : { name, header: text.slice(at + 1) };
}, { example: ".nobackup" });
