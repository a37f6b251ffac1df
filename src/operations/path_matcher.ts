import { ANY_FOLDERS, type NameTest, type PathTest } from "./find_pattern.ts";
import type { NameQuery } from "../repository/catalogue_names.ts";

/** How far into each pattern the names so far have led: places from which the rest has to match, for each pattern. */
export type MatchState = readonly (readonly number[])[];

export interface MatchStep {
  /** Whether the path up to here matches a pattern. */
  matches: boolean;
  /** For what is below; undefined if nothing there can match. */
  below: MatchState | undefined;
}

/** Compares paths with patterns name by name, so that a walk knows where nothing can be found. */
export class PathMatcher {
  readonly start: MatchState;

  constructor(readonly tests: readonly PathTest[]) {
    this.start = tests.map((test) => withoutFolders(test, [0]));
  }

  step(state: MatchState, name: string): MatchStep {
    let matches = false;
    let isAlive = false;
    const below = this.tests.map((test, number) => {
      const next: number[] = [];
      for (const at of state[number]) {
        const part = test[at];
        const takesAny = part === ANY_FOLDERS;
        if (!takesAny && !part.matches(name)) continue;
        if (at + 1 === test.length) matches = true;
        next.push(takesAny ? at : at + 1);
      }
      const places = withoutFolders(test, next);
      isAlive ||= places.length > 0;
      return places;
    });
    return { matches, below: isAlive ? below : undefined };
  }

  /** The one name that matters in a folder, where that is all that the patterns leave. */
  only(state: MatchState): string | undefined {
    let only: string | undefined;
    for (const [number, places] of state.entries()) {
      for (const at of places) {
        const part = this.tests[number][at];
        const exact = part === ANY_FOLDERS ? undefined : part.exact;
        if (exact === undefined || (only !== undefined && only !== exact)) return undefined;
        only = exact;
      }
    }
    return only;
  }

  /** What the last names of matching paths are like; undefined if they can be like anything. */
  get lastNames(): readonly NameQuery[] | undefined {
    const last = this.tests.map((test) => test[test.length - 1]);
    return last.every((part): part is NameTest => part !== ANY_FOLDERS) ? last : undefined;
  }

  /** Whether every pattern names a folder and says only what is wanted right in it. */
  get namesFolders(): boolean {
    return this.tests.every((test) =>
      test.slice(0, -1).every((part) => part !== ANY_FOLDERS && part.exact !== undefined)
    );
  }
}

/** With the places behind `**`, which may stand for no folder at all; without the end, from which nothing can match. */
function withoutFolders(test: PathTest, places: readonly number[]): number[] {
  const all = new Set(places);
  for (const at of all) if (test[at] === ANY_FOLDERS) all.add(at + 1);
  all.delete(test.length);
  return [...all];
}
