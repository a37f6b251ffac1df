import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { NAME_END, NAME_START, type NameQuery } from "../repository/catalogue_names.ts";

/**
 * What is looked for. `glob`: `*` and `?` (never `/`), `[a-z]`, `[!a]`, `\` before a character that stands for itself;
 * without `/` it is compared with names, with `/` with whole paths, from the root if it begins with `/`, else from any
 * folder; `**` is any number of folders. `text`: words, all of which occur in the name.
 */
export interface FindPattern {
  text: string;
  kind: "glob" | "text";
}

/** One name of a path pattern: what it must be like, and the name itself where that is all that matches. */
export interface NameTest extends NameQuery {
  readonly exact?: string;
}

export const ANY_FOLDERS = "**";

/** Names from the root on; `**` stands for any number of folders. */
export type PathTest = readonly (NameTest | typeof ANY_FOLDERS)[];

/** Throws `usage` for a pattern that can match nothing. */
export function parsePattern({ text, kind }: FindPattern, ignoreCase: boolean): PathTest {
  const refuse = (why: string) =>
    new AxiomError("usage", `Cannot look for "${displayName(text)}": ${why}`, {
      hint: "See `axiom help find` for what patterns can be",
    });
  if (text.length > LIMITS.patternBytesMax) throw refuse(`it has more than ${LIMITS.patternBytesMax} characters`);
  if (text.includes("\0")) throw refuse("it contains a NUL, which no name can");
  if (kind === "text") return [ANY_FOLDERS, wordsTest(text, refuse)];
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  if (names.length === 0) throw refuse("it names nothing");
  if (names.includes("..")) throw refuse('it contains ".."; write the path as it was saved');
  const tests = names.map((name) => /^\*{2,}$/.test(name) ? ANY_FOLDERS : nameTest(name, ignoreCase, refuse));
  return text.startsWith("/") ? tests : [ANY_FOLDERS, ...tests];
}

/** The path itself, whatever characters it has. */
export function literalPath(path: string): PathTest {
  return path.split("/").filter((name) => name !== "").map(exactTest);
}

function exactTest(name: string): NameTest {
  const literals = [NAME_START + name + NAME_END];
  return { literals, ignoreCase: false, exact: name, matches: (other) => other === name };
}

type Refuse = (why: string) => AxiomError;

function wordsTest(text: string, refuse: Refuse): NameTest {
  const words = text.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) throw refuse("it has no word");
  if (text.includes("/")) throw refuse("words are looked for in names, which have no /");
  const tests = words.map((word) => new RegExp(escaped(word), "iu"));
  return { literals: words, ignoreCase: true, matches: (name) => tests.every((test) => test.test(name)) };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** A glob for one name, as Go's filepath.Match and glob(7) have it. */
function nameTest(pattern: string, ignoreCase: boolean, refuse: Refuse): NameTest {
  const pieces = globPieces(pattern, refuse);
  const literals = literalRuns(pieces);
  if (!ignoreCase && pieces.every(({ literal }) => literal !== undefined)) {
    return exactTest(pieces.map(({ literal }) => literal).join(""));
  }
  const source = `^${pieces.map(({ source }) => source).join("")}$`;
  let test: RegExp;
  try {
    test = new RegExp(source, ignoreCase ? "isu" : "su");
  } catch {
    throw refuse("a range in its brackets is out of order");
  }
  return { literals, ignoreCase, matches: (name) => test.test(name) };
}

interface GlobPiece {
  /** As a regular expression. */
  source: string;
  /** The character that it stands for, where it stands for one. */
  literal?: string;
}

function globPieces(pattern: string, refuse: Refuse): GlobPiece[] {
  const characters = [...pattern];
  const pieces: GlobPiece[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at];
    if (character === "*") {
      if (characters[at - 1] !== "*") pieces.push({ source: ".*" });
    } else if (character === "?") pieces.push({ source: "." });
    else if (character === "[") {
      const end = bracketEnd(characters, at);
      if (end === undefined) throw refuse('its "[" is never closed; write \\[ for the character itself');
      pieces.push({ source: bracketSource(characters.slice(at + 1, end)) });
      at = end;
    } else if (character === "\\") {
      if (++at === characters.length) {
        throw refuse("it ends in a single backslash; write \\\\ for the character itself");
      }
      pieces.push({ source: escaped(characters[at]), literal: characters[at] });
    } else pieces.push({ source: escaped(character), literal: character });
  }
  return pieces;
}

function bracketEnd(characters: readonly string[], start: number): number | undefined {
  let at = start + 1;
  if (characters[at] === "!" || characters[at] === "^") at++;
  for (let first = true; at < characters.length; at++, first = false) {
    if (characters[at] === "\\") at++;
    else if (characters[at] === "]" && !first) return at;
  }
  return undefined;
}

/** @param inside Without the brackets */
function bracketSource(inside: readonly string[]): string {
  const isNegated = inside[0] === "!" || inside[0] === "^";
  let source = "";
  for (let at = isNegated ? 1 : 0; at < inside.length; at++) {
    const isRange = inside[at] === "-" && source !== "" && at + 1 < inside.length;
    if (isRange) source += "-";
    else if (inside[at] === "\\" && at + 1 < inside.length) source += bracketEscaped(inside[++at]);
    else source += bracketEscaped(inside[at]);
  }
  return `[${isNegated ? "^" : ""}${source}]`;
}

function bracketEscaped(character: string): string {
  return /[\\\]^[-]/.test(character) ? `\\${character}` : character;
}

/** Texts that every name that matches contains. */
function literalRuns(pieces: readonly GlobPiece[]): string[] {
  const runs: string[] = [];
  let run = NAME_START;
  for (const { literal } of pieces) {
    if (literal !== undefined) run += literal;
    else {
      runs.push(run);
      run = "";
    }
  }
  runs.push(run + NAME_END);
  return runs.filter((each) => each !== "");
}
