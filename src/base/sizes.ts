import { KIB } from "./bytes.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const SIZE = /^(\d{1,16}(?:\.\d{1,9})?)\s*(?:(b)|([kmgtp])(ib)?)?$/i;

/** What {@linkcode parseSize} accepts, for messages. */
export const SIZE_EXPECTED = "a size such as 512 KiB, 1.5 GiB or 4096 (bytes)";

/**
 * Bytes of a text such as `1.5 GiB`, `20M` or `4096`, rounded to a whole byte. Units are powers of 1024 in any case of letters;
 * `MB` is refused because half of the world reads it as 1000². Undefined for anything else and beyond 2^53 - 1.
 */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (match === null) return undefined;
  const power = match[3] === undefined ? 0 : "kmgtp".indexOf(match[3].toLowerCase()) + 1;
  if (power === 0 && match[1].includes(".")) return undefined;
  const bytes = Math.round(Number(match[1]) * KIB ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For people: `0 B`, `1.5 GiB`, `130 MiB`; three digits at most, so up to 5 % off. */
export function formatSize(bytes: number): string {
  if (!(bytes >= 0 && bytes < Infinity)) throw new RangeError(`Not a size: ${bytes}`);
  let value = bytes, power = 0;
  while (power < UNITS.length - 1 && Number(rounded(value, power)) >= KIB) {
    value /= KIB;
    power++;
  }
  return `${rounded(value, power)} ${UNITS[power]}`;
}

function rounded(value: number, power: number): string {
  return value.toFixed(power === 0 || value >= 99.95 ? 0 : 1);
}
