import type { Bytes } from "./bytes.ts";
import { toHex } from "./bytes.ts";

/** Fills and returns `length` random bytes; the system's own in production, a seeded one in tests. */
export type Random = (length: number) => Bytes;

const PART = 65536;

export const systemRandom: Random = (length) => {
  const data = new Uint8Array(length);
  systemRandomInto(data);
  return data;
};

export function systemRandomInto(data: Uint8Array<ArrayBuffer>): void {
  for (let at = 0; at < data.length; at += PART) crypto.getRandomValues(data.subarray(at, at + PART));
}

/** 16 random bytes as 32 hexadecimal digits. */
export function randomId(random: Random): string {
  return toHex(random(16));
}
