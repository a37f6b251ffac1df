const NS_PER_SECOND = 1_000_000_000n;
const SECONDS_MAX = 2n ** 63n - 1n;

/** Nanoseconds since 1970 as decimal. @param low, high The halves of a signed 64-bit number of seconds */
export function decimalNs(low: number, high: number, nanoseconds: number): string {
  if (high !== 0) return (((BigInt(high) << 32n) | BigInt(low >>> 0)) * NS_PER_SECOND + BigInt(nanoseconds)).toString();
  return low === 0 ? String(nanoseconds) : low + String(1_000_000_000 + nanoseconds).slice(1);
}

/** A `timespec`: `nanoseconds` counts up from `seconds`, also before 1970. Undefined if no system can hold the time. */
export function timespecOf(ns: string): { seconds: bigint; nanoseconds: bigint } | undefined {
  if (!/^-?\d{1,40}$/.test(ns)) return undefined;
  const total = BigInt(ns);
  let seconds = total / NS_PER_SECOND, nanoseconds = total % NS_PER_SECOND;
  if (nanoseconds < 0n) {
    seconds -= 1n;
    nanoseconds += NS_PER_SECOND;
  }
  return seconds > SECONDS_MAX || seconds < -SECONDS_MAX ? undefined : { seconds, nanoseconds };
}
