import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeName, displayName } from "../base/names.ts";
import { patternFault } from "../base/patterns.ts";

/** One line in the syntax of `.gitignore`, with a leading `!` if it takes back what lines before it left out. */
export interface Pattern {
  readonly text: string;
  readonly ignoreCase: boolean;
  /** For messages: `--exclude`, or `excludes.txt:12`. */
  readonly origin: string;
}

/** Patterns of a flag or an option. There a leading `#` is a character like any other. Throws `usage`. */
export function flagPatterns(texts: readonly string[], origin: string, ignoreCase = false): Pattern[] {
  return texts.map((given) => {
    const text = given.startsWith("#") ? `\\${given}` : given;
    const fault = patternFault(text);
    if (fault === undefined) return { text, ignoreCase, origin };
    throw new AxiomError("usage", `Cannot use the pattern "${displayName(given)}" of ${origin}: ${fault}`, {
      hint: "Patterns are written as in .gitignore; see `axiom help backup`",
    });
  });
}

/**
 * Patterns of a file: one on each line, `#` begins a comment, blank lines count for nothing. Names need not be UTF-8.
 * Throws `usage` with the number of the first line that can never match.
 */
export function parsePatternFile(data: Uint8Array, file: string, ignoreCase = false): Pattern[] {
  const patterns: Pattern[] = [];
  for (const { text, line } of textLines(data, file, "patterns")) {
    if (text.trim() === "" || text.startsWith("#")) continue;
    const fault = patternFault(text);
    if (fault !== undefined) {
      throw new AxiomError("usage", `Cannot read the patterns of ${file}:${line}: "${displayName(text)}": ${fault}`, {
        hint: `Correct or remove line ${line} of ${file}`,
      });
    }
    patterns.push({ text, ignoreCase, origin: `${file}:${line}` });
    if (patterns.length > LIMITS.patternsMax) {
      throw new AxiomError("usage", `Cannot read the patterns of ${file}: more than ${LIMITS.patternsMax}`, {
        hint: "Name folders instead of each file in them",
      });
    }
  }
  return patterns;
}

/** Lines without their ends, LF or CRLF, numbered from 1. Throws `usage` for UTF-16 and for a NUL: no text of people has those. */
export function* textLines(data: Uint8Array, file: string, what: string): Generator<{ text: string; line: number }> {
  const utf16 = (data[0] === 0xff && data[1] === 0xfe) || (data[0] === 0xfe && data[1] === 0xff);
  if (utf16) {
    throw new AxiomError("usage", `Cannot read the ${what} of ${file}: it is UTF-16`, {
      hint: `Save ${file} as UTF-8`,
    });
  }
  let start = data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? 3 : 0;
  for (let line = 1; start < data.length; line++) {
    const newline = data.indexOf(0x0a, start);
    const next = newline < 0 ? data.length : newline;
    const end = newline > start && data[newline - 1] === 0x0d ? newline - 1 : next;
    const text = decodeName(data.subarray(start, end));
    if (text.includes("\0")) {
      throw new AxiomError("usage", `Cannot read the ${what} of ${file}:${line}: the line contains a NUL byte`, {
        hint: "A list of paths that are separated by NUL is read by --files-from-raw",
      });
    }
    yield { text, line };
    start = next + 1;
  }
}
