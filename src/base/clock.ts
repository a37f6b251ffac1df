/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Wall-clock time in nanoseconds since 1970, decimal; precise to about a microsecond. */
  nowNs(): string;
  /** Milliseconds since an arbitrary moment; never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowNs: () => (BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n).toString(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};
