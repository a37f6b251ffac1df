import type { Random } from "../base/random.ts";
import { viewOf } from "../base/bytes.ts";

/** Uniform in [0, 1), with 32 random bits. */
export function randomFraction(random: Random): number {
  return viewOf(random(4)).getUint32(0) / 2 ** 32;
}
