import { LIMITS } from "./limits.ts";

/**
 * Why a pattern in the syntax of `.gitignore` can never match anything, as the end of a sentence; undefined if it can. Git
 * passes over such a pattern silently; for a backup that would mean saving, or storing in another way, what the person
 * meant. Source: gitignore(5), "PATTERN FORMAT", and `wildmatch.c` for brackets.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.includes("\0")) return "it contains a NUL, which no name can";
  if (pattern.length > LIMITS.patternBytesMax) {
    return `it has ${pattern.length} characters, at most ${LIMITS.patternBytesMax}`;
  }
  const body = trimmed(pattern.startsWith("!") ? pattern.slice(1) : pattern);
  if (body === "") return "it is empty";
  if (/^\/+$/.test(body)) return "it names no file; the whole source is left out by not naming it";
  if (/(?<!\\)(?:\\\\)*\\$/.test(body)) return "it ends in a single backslash; write \\\\ for the character itself";
  if (body.includes("//")) return 'it contains "//", which no path does';
  const segments = body.split("/");
  if (segments.includes(".") || segments.includes("..")) {
    return 'it contains "." or ".." as a name; patterns are relative to the source, so write /name';
  }
  return bracketFault(body);
}

/** Without the trailing spaces that count for nothing: all that are not escaped. */
function trimmed(body: string): string {
  let end = body.length;
  while (body[end - 1] === " " && !/(?<!\\)(?:\\\\)*\\$/.test(body.slice(0, end - 1))) end--;
  return body.slice(0, end);
}

const CLASS = /^\[:(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit):\]/;

function bracketFault(body: string): string | undefined {
  for (let at = 0; at < body.length; at++) {
    if (body[at] === "\\") at++;
    else if (body[at] === "[") {
      const end = bracketEnd(body, at);
      if (end === undefined) {
        return 'its "[" is never closed, or a class in it is unknown; write \\[ for the character itself';
      }
      const range = reversedRange(body.slice(at + 1, end));
      if (range !== undefined) return `its range ${range} is out of order`;
      at = end;
    }
  }
  return undefined;
}

/** @param inside Of brackets */
function reversedRange(inside: string): string | undefined {
  const members = inside.replace(/^[!^]/, "").replace(/\[:[a-z]+:\]/g, "");
  for (const [range, from, to] of members.matchAll(/\\?(.)-\\?(.)/gsu)) {
    if (from.codePointAt(0)! > to.codePointAt(0)!) return range;
  }
  return undefined;
}

/** Index of the `]` that closes the bracket expression at `start`. */
function bracketEnd(body: string, start: number): number | undefined {
  let at = start + 1;
  if (body[at] === "!" || body[at] === "^") at++;
  for (let first = true; at < body.length; first = false) {
    if (body[at] === "]" && !first) return at;
    if (body.startsWith("[:", at)) {
      const named = CLASS.exec(body.slice(at, at + 16));
      if (named !== null) at += named[0].length;
      else if (/^\[:[^\]]*:\]/.test(body.slice(at))) return undefined;
      else at++;
    } else at += body[at] === "\\" ? 2 : 1;
  }
  return undefined;
}
