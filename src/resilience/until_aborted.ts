import { throwIfAborted } from "../base/errors.ts";

/**
 * What `work` comes to, or `interrupted` as soon as `signal` is aborted: for work that waits for somebody who cannot be
 * interrupted, such as a worker in the middle of a large file. It then goes on unheard, until it is ended by other means.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => {
    try {
      throwIfAborted(signal);
    } catch (error) {
      aborted.reject(error);
    }
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
