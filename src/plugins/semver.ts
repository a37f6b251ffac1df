/** Versions and ranges of semver.org 2.0.0, with the ranges that npm writes: `^1.2`, `~1.2`, `>=1 <2`, `1.x`, `a || b`. */

interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

interface Comparator {
  readonly sign: "<" | "<=" | ">" | ">=" | "=";
  readonly version: Version;
}

const NUMBER = "(?:0|[1-9]\\d{0,8})";
const PRE = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const SUFFIX = `(?:-(${PRE}(?:\\.${PRE})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
/** As a regular expression, for schemas. */
export const VERSION_PATTERN = `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})${SUFFIX}$`;
const VERSION = new RegExp(VERSION_PATTERN);
const PART = new RegExp(
  `^(<=|>=|<|>|=|\\^|~)?\\s*(${NUMBER}|[xX*])(?:\\.(${NUMBER}|[xX*]))?(?:\\.(${NUMBER}|[xX*]))?${SUFFIX}$`,
);
const NOT_YET = ["0"]; // the lowest there is: `<2.0.0-0` leaves out the versions before 2.0.0 too

export function isRange(text: string): boolean {
  return readRange(text) !== undefined;
}

/** Whether `version` lies in `range`; a version such as `2.0.0-beta.1` only if the range names one of 2.0.0. */
export function satisfies(version: string, range: string): boolean {
  const wanted = readVersion(version), sets = readRange(range);
  if (wanted === undefined || sets === undefined) return false;
  return sets.some((comparators) => {
    if (!comparators.every((comparator) => holds(wanted, comparator))) return false;
    return wanted.pre.length === 0 || comparators.some(({ version: { pre, numbers } }) => {
      return pre.length > 0 && pre !== NOT_YET && numbers.every((number, at) => number === wanted.numbers[at]);
    });
  });
}

/** Order of two versions: negative, zero or positive. */
export function compareVersions(a: string, b: string): number {
  const left = readVersion(a), right = readVersion(b);
  if (left === undefined || right === undefined) throw new RangeError(`Not a version: ${left === undefined ? a : b}`);
  return compare(left, right);
}

function readVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  return { numbers: [Number(match[1]), Number(match[2]), Number(match[3])], pre: match[4]?.split(".") ?? [] };
}

/** Lists of comparators, one of which has to hold as a whole. */
function readRange(text: string): Comparator[][] | undefined {
  if (text.length > 256) return undefined;
  const sets = text.split("||").map((set) => {
    const words = set.trim().replace(/(<=|>=|<|>|=|\^|~)\s+/g, "$1").split(/\s+/).filter((word) => word !== "");
    const read = (words.length === 0 ? ["*"] : words).map(readPart);
    return read.includes(undefined) ? undefined : (read as Comparator[][]).flat();
  });
  return sets.includes(undefined) ? undefined : sets as Comparator[][];
}

function readPart(text: string): Comparator[] | undefined {
  const match = PART.exec(text);
  if (match === null) return undefined;
  const [, sign = "", ...given] = match;
  const numbers = given.slice(0, 3).map((part) => part === undefined || /[xX*]/.test(part) ? undefined : Number(part));
  const known = numbers.indexOf(undefined) < 0 ? 3 : numbers.indexOf(undefined);
  if (numbers.slice(known).some((number) => number !== undefined)) return undefined;
  const pre = given[3]?.split(".") ?? [];
  if (known < 3 && pre.length > 0) return undefined;
  const lowest: Version = { numbers: [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0], pre };
  if (known === 0) return sign === "<" || sign === ">" ? undefined : [];
  // The first version that is no longer meant: 1.2 and ~1.2.3 end before 1.3.0, ^1.2 before 2.0.0, ^0.2 before 0.3.0.
  const step = sign === "^" ? caretStep(lowest.numbers, known) : Math.min(known, 2) - 1;
  const end = known === 3 && sign !== "^" && sign !== "~" ? undefined : next(lowest.numbers, step);
  const from: Comparator = { sign: ">=", version: lowest };
  switch (sign) {
    case ">":
      return [end === undefined ? { sign: ">", version: lowest } : { sign: ">=", version: { ...end, pre: [] } }];
    case ">=":
      return [from];
    case "<":
      return [{ sign: "<", version: known === 3 ? lowest : { ...lowest, pre: NOT_YET } }];
    case "<=":
      return [end === undefined ? { sign: "<=", version: lowest } : { sign: "<", version: end }];
    default:
      return end === undefined ? [{ sign: "=", version: lowest }] : [from, { sign: "<", version: end }];
  }
}

/** Which of the three numbers `^` lets change no further: the first that is not 0. */
function caretStep(numbers: readonly number[], known: number): number {
  const first = numbers.findIndex((number) => number !== 0);
  return first < 0 || first >= known ? known - 1 : first;
}

function next(numbers: readonly [number, number, number], step: number): Version {
  const [major, minor, patch] = numbers;
  const above: [number, number, number] = step === 0
    ? [major + 1, 0, 0]
    : step === 1
    ? [major, minor + 1, 0]
    : [major, minor, patch + 1];
  return { numbers: above, pre: NOT_YET };
}

function holds(version: Version, { sign, version: other }: Comparator): boolean {
  const order = compare(version, other);
  switch (sign) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "=":
      return order === 0;
  }
}

/** Section 11: a version with a suffix comes before the one without; numbers come before words. */
function compare(a: Version, b: Version): number {
  for (let at = 0; at < 3; at++) if (a.numbers[at] !== b.numbers[at]) return a.numbers[at] - b.numbers[at];
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let at = 0; at < Math.min(a.pre.length, b.pre.length); at++) {
    const [left, right] = [a.pre[at], b.pre[at]];
    if (left === right) continue;
    const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (leftIsNumber && rightIsNumber) return Number(left) - Number(right);
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return a.pre.length - b.pre.length;
}
