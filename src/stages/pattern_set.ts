/**
 * Patterns in the syntax and with the meaning of `.gitignore`, for one source:
 *
 * - The last pattern that matches decides; `!` takes back; what lies in a folder that is left out cannot be taken back.
 * - Without `/`, except at the end, a pattern is compared with the name alone, at any depth; with `/` with the path from
 *   the source. A `/` at the end asks for a folder. `*` and `?` never match `/`; `**` stands for any number of folders.
 * - A pattern that begins with `/` counts from the root of the file system instead of from the source if its first name has
 *   no wildcard, its first names match the whole path of one of the sources, and more names follow. So for the source
 *   `/home/ann`, `/home/ann/.cache` and `/home/a*n/.cache` mean what they mean in restic, and `/build` is the folder `build`
 *   right in the source. What counts from the root is compared with nothing in sources elsewhere.
 *
 * The source itself is never left out: it was asked for.
 */
import type { Pattern } from "./pattern_list.ts";
import { isNamePattern, nameMatcher, NameTable, once, SinglePattern } from "./name_table.ts";

export class PatternSet {
  readonly #runs: Run[] = [];

  /**
   * @param source Absolute path that patterns are relative to
   * @param sources All of them, `source` too
   */
  constructor(patterns: readonly Pattern[], source: string, sources: readonly string[]) {
    for (const pattern of patterns) {
      for (const text of relativeTo(pattern.text, source, sources)) {
        const takesBack = text.startsWith("!");
        let run = this.#runs.at(-1);
        if (run === undefined || run.takesBack !== takesBack) this.#runs.push(run = new Run(takesBack));
        run.add(takesBack ? text.slice(1) : text, pattern);
      }
    }
  }

  /**
   * The pattern that leaves out `path`. The folders above are taken to be kept: ask for them first.
   *
   * @param path Relative to the source, with `/` between names and none at the ends
   */
  find(path: string, isFolder: boolean): Pattern | undefined {
    if (path === "") return undefined;
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const pattern = this.#runs[i].find(path, isFolder);
      if (pattern !== undefined) return this.#runs[i].takesBack ? undefined : pattern;
    }
    return undefined;
  }
}

/** Neighbours in the list that all leave out, or all take back, so that their order does not matter. */
class Run {
  readonly #names = new NameTable();
  readonly #paths: { single: SinglePattern; pattern: Pattern }[] = [];
  readonly #members: Pattern[] = [];

  constructor(readonly takesBack: boolean) {}

  /** @param text Without `!` */
  add(text: string, pattern: Pattern): void {
    if (isNamePattern(text)) this.#names.add(text, this.#members.push(pattern) - 1, pattern.ignoreCase);
    else this.#paths.push({ single: new SinglePattern(text, pattern.ignoreCase, false), pattern });
  }

  find(path: string, isFolder: boolean): Pattern | undefined {
    const name = this.#names.find(path.slice(path.lastIndexOf("/") + 1), isFolder);
    if (name !== undefined) return this.#members[name];
    if (this.#paths.length === 0) return undefined;
    const asked = isFolder ? `${path}/` : path;
    const folded = once(() => asked.toLowerCase());
    return this.#paths.find(({ single }) => single.matches(asked, folded))?.pattern;
  }
}

const WILDCARD = /(?<!\\)(?:\\\\)*[*?[]/;

/** What `pattern` is when counted from `source`: itself, or the rests of it below `source`, each with its `!`. */
export function relativeTo(pattern: string, source: string, sources: readonly string[]): string[] {
  const sign = pattern.startsWith("!") ? "!" : "";
  const body = pattern.slice(sign.length);
  if (!body.startsWith("/")) return [pattern];
  const names = body.slice(1).split("/");
  if (WILDCARD.test(names[0])) return [pattern];
  const isAbsolute = sources.some((each) => rests(names, each).length > 0);
  return isAbsolute ? rests(names, source).map((rest) => `${sign}/${rest.join("/")}`) : [pattern];
}

/** What may be left of the names of a pattern once they have matched all names of `source`; several because of `**`. */
function rests(names: readonly string[], source: string): string[][] {
  let at = new Set([0]);
  for (const folder of source.split("/").filter((name) => name !== "")) {
    const next = new Set<number>();
    for (const index of withoutStars(at, names)) {
      if (index >= names.length) continue;
      if (isAnyFolders(names[index])) next.add(index);
      else if (nameMatcher(names[index])(folder)) next.add(index + 1);
    }
    at = next;
  }
  return [...at].map((index) => names.slice(index)).filter((rest) => rest.length > 0 && rest[0] !== "");
}

/** `**` may also stand for no folder at all. */
function withoutStars(at: ReadonlySet<number>, names: readonly string[]): Set<number> {
  const all = new Set(at);
  for (const index of all) if (index < names.length && isAnyFolders(names[index])) all.add(index + 1);
  return all;
}

function isAnyFolders(name: string): boolean {
  return /^\*{2,}$/.test(name);
}
