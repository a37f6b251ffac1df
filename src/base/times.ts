const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[tT ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s?([zZ]|[+-]\d{2}:\d{2}))?)?$/;

/** What {@linkcode parseTime} accepts, for messages. */
export const TIME_EXPECTED = 'a time such as "2026-11-22 18:30:00" (local) or 2026-11-22T18:30:00Z';

/**
 * Nanoseconds since 1970, decimal, of an RFC 3339 time, or of a local `YYYY-MM-DD[ HH:MM[:SS[.fraction]]]`; hours left out are
 * midnight. Undefined for anything else, also for days and local times that do not exist (30 February, the hour that the
 * clock skips in spring). The hour that the clock repeats in autumn is taken as the engine's `Date` takes it.
 */
export function parseTime(text: string): string | undefined {
  const match = TIME.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const zone = match[8];
  const date = new Date(0);
  if (zone === undefined) {
    date.setFullYear(year, month - 1, day);
    date.setHours(hour, minute, second, 0);
    const seen = [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
    if (![year, month, day, hour, minute].every((part, i) => part === seen[i]) || second > 59) return undefined;
  } else {
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute, second, 0);
    if (date.getUTCMonth() + 1 !== month || date.getUTCDate() !== day) return undefined;
    if (hour > 23 || minute > 59 || second > 59) return undefined;
  }
  const offsetMinutes = zoneMinutes(zone);
  if (offsetMinutes === undefined) return undefined;
  const seconds = BigInt(date.getTime() / 1000 - offsetMinutes * 60);
  return (seconds * 1_000_000_000n + BigInt((match[7] ?? "").padEnd(9, "0"))).toString();
}

function zoneMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === "z" || zone === "Z") return 0;
  const hours = Number(zone.slice(1, 3)), minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone[0] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

/** Splits nanoseconds since 1970 into the `Date` of the whole second below and the nine digits after it. */
function split(timeNs: string): [Date, string] {
  const ns = BigInt(timeNs);
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [new Date(Number((ns - fraction) / 1_000_000n)), fraction.toString().padStart(9, "0")];
}

const two = (value: number) => String(value).padStart(2, "0");
const fourDigitYear = (value: number) => (value < 0 ? "-" : "") + String(Math.abs(value)).padStart(4, "0");

/** RFC 3339 in UTC with nanoseconds: `2026-11-22T17:30:00.000000001Z`. Throws `RangeError` beyond what `Date` holds. */
export function formatRfc3339(timeNs: string): string {
  const [date, fraction] = split(timeNs);
  const year = fourDigitYear(checked(date).getUTCFullYear());
  const day = `${year}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day}T${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}.${fraction}Z`;
}

/** For people, in the local time zone, to the second: `2026-11-22 18:30:00`. Throws `RangeError` beyond what `Date` holds. */
export function formatLocalTime(timeNs: string): string {
  const [date] = split(timeNs);
  const day = `${fourDigitYear(checked(date).getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function checked(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new RangeError("Not a time: beyond the years that can be shown");
  return date;
}
