const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const PART = /\s*(\d{1,15}(?:\.\d{1,9})?)\s*(ms|s|min|m|h|d|w)(?![a-z])/iy;

/** What {@linkcode parseDuration} accepts, for messages. */
export const DURATION_EXPECTED = "a duration such as 500ms, 30s, 1h30m, 7d or 2w";

/**
 * Milliseconds of a text such as `90s`, `1h 30min` or `7d`, rounded; units from the largest to the smallest, each once, and
 * `m` is minutes. Undefined for anything else, for a number without unit and beyond 2^53 - 1.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  let total = 0, smallest = Infinity;
  PART.lastIndex = 0;
  while (PART.lastIndex < trimmed.length) {
    const match = PART.exec(trimmed);
    if (match === null) return undefined;
    const unit = UNIT_MS[match[2].toLowerCase()];
    if (unit >= smallest) return undefined;
    smallest = unit;
    total += Number(match[1]) * unit;
  }
  const rounded = Math.round(total);
  return smallest === Infinity || !Number.isSafeInteger(rounded) ? undefined : rounded;
}

/** For people, two units at most: `350 ms`, `2.4 s`, `1 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (!(ms >= 0 && ms < Infinity)) throw new RangeError(`Not a duration: ${ms}`);
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(ms / 60_000);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(ms / 3_600_000);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
