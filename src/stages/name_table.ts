import ignore from "ignore";
import { LIMITS } from "../base/limits.ts";

/** Paths of any kind are allowed: the library would throw for `./x`, which is never asked for. */
const OPTIONS = { allowRelativePaths: true } as const;

/**
 * One pattern of npm `ignore`, with a bound on its memory (the library keeps every answer for ever) and a quick look before:
 * a path that lacks the longest piece of plain text of the pattern cannot match.
 */
export class SinglePattern {
  readonly #rules: ReturnType<typeof ignore>;
  readonly #needle: string;
  #current: ReturnType<typeof ignore> | undefined;
  #asked = 0;

  /**
   * @param pattern Without a leading `!`
   * @param below Whether what lies in a folder that matches is matched too
   */
  constructor(pattern: string, readonly ignoreCase: boolean, readonly below: boolean) {
    this.#needle = longestPiece(pattern, ignoreCase);
    // The library does not look at the folders above a path for what takes back.
    this.#rules = ignore({ ...OPTIONS, ignoreCase }).add([{ pattern: below ? pattern : `!${pattern}` }]);
  }

  /**
   * @param path Ends in `/` for a folder
   * @param folded The same in lower case
   */
  matches(path: string, folded: () => string): boolean {
    if (!(this.ignoreCase ? folded() : path).includes(this.#needle)) return false;
    if (this.#current === undefined || ++this.#asked > LIMITS.patternCacheEntries) {
      this.#current = ignore(OPTIONS).add(this.#rules);
      this.#asked = 0;
    }
    const { ignored, unignored } = this.#current.test(path);
    return this.below ? ignored : unignored;
  }
}

/** The longest text that every path must contain which `pattern` matches; empty where that is hard to say. */
function longestPiece(pattern: string, ignoreCase: boolean): string {
  if (pattern.includes("\\")) return "";
  const pieces = pattern.replace(/\[.*/s, "").replace(/ +$/, "").split(/[/*?]/);
  const longest = pieces.reduce((best, piece) => piece.length > best.length ? piece : best, "");
  // Case beyond ASCII is folded in more than one way.
  return !ignoreCase ? longest : /^[\x20-\x7e]*$/.test(longest) ? longest.toLowerCase() : "";
}

/** True for a pattern that is compared with the name alone: it has no `/`, except at the end. */
export function isNamePattern(pattern: string): boolean {
  return !pattern.slice(0, -1).includes("/");
}

const LITERAL = /^[\w.~@ -]*[\w.~@-]\/?$/;
const EXTENSION = /^\*\.([\w~-][\w.~-]*)$/;

/**
 * Patterns for names, each with a number. Finds the lowest number whose pattern matches a name. Plain names and `*.ext`,
 * which most patterns are, are looked up; the others are tried.
 */
export class NameTable {
  readonly #exact = new Map<string, number>();
  readonly #extensions = new Map<string, number>();
  readonly #folded = { exact: new Map<string, number>(), extensions: new Map<string, number>() };
  readonly #others: { pattern: SinglePattern; number: number }[] = [];

  /**
   * @param pattern Without a leading `!`; a `/` at the end asks for a folder
   * @param number Not below those before
   */
  add(pattern: string, number: number, ignoreCase: boolean): void {
    const { exact, extensions } = ignoreCase ? this.#folded : { exact: this.#exact, extensions: this.#extensions };
    const folded = ignoreCase ? pattern.toLowerCase() : pattern;
    const extension = EXTENSION.exec(folded)?.[1];
    if (extension !== undefined) setLowest(extensions, extension, number);
    else if (LITERAL.test(folded)) setLowest(exact, folded, number);
    else this.#others.push({ pattern: new SinglePattern(pattern, ignoreCase, false), number });
  }

  find(name: string, isFolder: boolean): number | undefined {
    let lowest = lookUp(name, isFolder, this.#exact, this.#extensions);
    if (this.#folded.exact.size + this.#folded.extensions.size > 0) {
      lowest = Math.min(lowest, lookUp(name.toLowerCase(), isFolder, this.#folded.exact, this.#folded.extensions));
    }
    if (this.#others.length > 0) {
      const path = isFolder ? `${name}/` : name;
      const folded = once(() => path.toLowerCase());
      const other = this.#others.find(({ pattern }) => pattern.matches(path, folded));
      if (other !== undefined) lowest = Math.min(lowest, other.number);
    }
    return lowest === Infinity ? undefined : lowest;
  }
}

export function once(make: () => string): () => string {
  let made: string | undefined;
  return () => made ??= make();
}

function setLowest(map: Map<string, number>, key: string, number: number): void {
  map.set(key, Math.min(number, map.get(key) ?? Infinity));
}

function lookUp(
  name: string,
  isFolder: boolean,
  exact: ReadonlyMap<string, number>,
  extensions: ReadonlyMap<string, number>,
): number {
  let lowest = exact.get(name) ?? Infinity;
  if (isFolder) lowest = Math.min(lowest, exact.get(`${name}/`) ?? Infinity);
  if (extensions.size === 0) return lowest;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    lowest = Math.min(lowest, extensions.get(name.slice(dot + 1)) ?? Infinity);
  }
  return lowest;
}

/** Compares a name with a pattern for one name: `*`, `?`, brackets and backslashes as in `.gitignore`; `**` is `*` here. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const single = pattern.replace(/(?<!\\)\*{2,}/g, "*").replace(/ +$/, (spaces) => "\\ ".repeat(spaces.length));
  if (single === "") return () => false;
  const rules = ignore({ ...OPTIONS, ignoreCase: false }).add([`/${single}`]);
  return (name) => name !== "" && rules.ignores(name);
}
