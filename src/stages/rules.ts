/**
 * What a file gets by its path: compression, cipher, chunker. The first rule that matches wins. Patterns have the syntax of
 * `.gitignore`, but always count from the root of the file system:
 *
 * - without `/`: compared with the file's own name, wherever it lies: `*.jpg`
 * - with `/` at the end alone: the files below every folder of this name: `node_modules/`
 * - beginning with `/`: the path from the root, or a folder with all that is below it: `/srv/public`, `/srv/public/**`
 * - beginning with a globstar and `/`: the same, below any folder
 *
 * Anything else with `/`, a leading `!`, and braces are refused: they would not mean what they seem to.
 */
import { AxiomError } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { patternFault } from "../base/patterns.ts";
import { type Rule, ruleFault } from "../config/choices.ts";
import { isNamePattern, NameTable, once, SinglePattern } from "./name_table.ts";

export type { Rule };

export interface RuleOptions {
  /** For messages: `--compression-rule`. */
  readonly origin: string;
  /** Whether `*.jpg` is also for `IMG_1.JPG`. */
  readonly ignoreCase: boolean;
}

/**
 * Returns a function from the absolute path of a file to the value of the first rule that matches. Throws `usage` for a
 * pattern that can never match, or that a rule cannot mean.
 */
export function compileRules<T>(rules: readonly Rule<T>[], options: RuleOptions): (path: string) => T | undefined {
  const names = new NameTable();
  const paths: { number: number; pattern: SinglePattern }[] = [];
  for (const [number, { pattern }] of rules.entries()) {
    const fault = patternFault(pattern) ?? ruleFault(pattern);
    if (fault !== undefined) {
      throw new AxiomError("usage", `Cannot use the rule "${displayName(pattern)}" of ${options.origin}: ${fault}`, {
        hint: "Write rules as PATTERN=VALUE, such as *.jpg=none or /srv/public/**=none",
      });
    }
    if (isNamePattern(pattern) && !pattern.endsWith("/")) {
      names.add(pattern, number, options.ignoreCase);
    } else paths.push({ number, pattern: new SinglePattern(pattern, options.ignoreCase, true) });
  }
  return (path) => {
    const number = firstMatch(path, names, paths);
    return number === undefined ? undefined : rules[number].value;
  };
}

function firstMatch(
  path: string,
  names: NameTable,
  paths: readonly { number: number; pattern: SinglePattern }[],
): number | undefined {
  const byName = names.find(path.slice(path.lastIndexOf("/") + 1), false);
  if (paths.length === 0) return byName;
  const fromRoot = path.startsWith("/") ? path.slice(1) : path;
  const folded = once(() => fromRoot.toLowerCase());
  for (const { number, pattern } of paths) {
    if (byName !== undefined && byName < number) break;
    if (pattern.matches(fromRoot, folded)) return number;
  }
  return byName;
}
