/** Versions and ranges of npm's `semver`, without the spellings that it takes for something else than they look like. */
// @ts-types="@types/semver/functions/satisfies"
import liesIn from "semver/functions/satisfies.js";

const NUMBER = "(?:0|[1-9]\\d{0,8})";
const PRE = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const SUFFIX = `(?:-(${PRE}(?:\\.${PRE})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
/** As a regular expression, for schemas. */
export const VERSION_PATTERN = `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})${SUFFIX}$`;
const VERSION = new RegExp(VERSION_PATTERN);
/** From `x` on nothing is known, and only a whole version has a suffix. */
const PART = new RegExp(
  `^(?:(?:<=|>=|<|>|=|\\^|~)?${NUMBER}(?:\\.${NUMBER}(?:\\.(?:${NUMBER}${SUFFIX}|[xX*]))?|(?:\\.[xX*]){1,2})?|(?:<=|>=|=|\\^|~)?[xX*])$`,
);
const RANGE_LENGTH_MAX = 256;

export function isRange(text: string): boolean {
  if (text.length > RANGE_LENGTH_MAX) return false;
  const parts = text.split("||").flatMap((set) => set.replace(/(<=|>=|<|>|=|\^|~)\s+/g, "$1").trim().split(/\s+/));
  return parts.every((part) => part === "" || PART.test(part));
}

/** Whether `version` lies in `range`; a version such as `2.0.0-beta.1` only if the range names one of 2.0.0. */
export function satisfies(version: string, range: string): boolean {
  return VERSION.test(version) && isRange(range) && liesIn(version, range);
}
