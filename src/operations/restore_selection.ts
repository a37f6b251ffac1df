import type { Pattern } from "../stages/pattern_list.ts";
import { PatternSet } from "../stages/pattern_set.ts";

/**
 * Which paths of a snapshot are wanted: those that a pattern of `include` matches, with all below them, or all if there is
 * none; without those that one of `exclude` matches, and all below them. Undefined if there are no patterns.
 *
 * @param root Absolute path of what is restored; `/` for a whole snapshot
 * @returns For paths relative to `root`, with `/` between names; folders have to be asked before what they hold or never
 */
export function restoreSelection(
  include: readonly Pattern[],
  exclude: readonly Pattern[],
  root: string,
): ((path: string, isFolder: boolean) => boolean) | undefined {
  if (include.length + exclude.length === 0) return undefined;
  const isIncluded = include.length === 0 ? () => true : matchesItselfOrAbove(include, root);
  const isExcluded = exclude.length === 0 ? () => false : matchesItselfOrAbove(exclude, root);
  return (path, isFolder) => isIncluded(path, isFolder) && !isExcluded(path, isFolder);
}

function matchesItselfOrAbove(patterns: readonly Pattern[], root: string) {
  const set = new PatternSet(patterns, root, [root]);
  /** Answers for folders; as many as the restore makes. */
  const folders = new Map<string, boolean>([["", false]]);
  const isFolderMatched = (path: string): boolean => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const answer = isFolderMatched(above(path)) || set.find(path, true) !== undefined;
    folders.set(path, answer);
    return answer;
  };
  return (path: string, isFolder: boolean): boolean =>
    isFolder ? isFolderMatched(path) : isFolderMatched(above(path)) || set.find(path, false) !== undefined;
}

function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
