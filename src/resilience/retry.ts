import { AxiomError, isKind, throwIfAborted } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { randomFraction } from "./random_fraction.ts";

export interface RetryPolicy {
  /** Calls in all, the first one included; at least 1. */
  attemptsMax: number;
  /** Upper end of the first delay. */
  delayMs: number;
  /** Upper end of any delay. */
  delayMsMax: number;
  /** No attempt starts later than this after the first. */
  deadlineMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attemptsMax: LIMITS.retryAttemptsMax,
  delayMs: LIMITS.retryDelayMs,
  delayMsMax: LIMITS.retryDelayMsMax,
  deadlineMs: LIMITS.retryDeadlineMs,
};

export interface RetryEnvironment {
  clock: Clock;
  random: Random;
  signal?: AbortSignal;
  /** Called before each wait. */
  onRetry?: (retry: { attempt: number; delayMs: number; error: AxiomError }) => void;
}

/**
 * Calls `operation` until it succeeds, while it fails with a retriable {@linkcode AxiomError}. Exponential back-off with
 * full jitter: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. Anything else that is thrown, and
 * `interrupted`, passes through at once. The last error keeps its kind and says how often was tried.
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  { clock, random, signal, onRetry }: RetryEnvironment,
): Promise<T> {
  const startMs = clock.monotonicMs();
  for (let attempt = 1;; attempt++) {
    throwIfAborted(signal);
    try {
      return await operation(attempt);
    } catch (error) {
      if (!(error instanceof AxiomError) || !error.retriable || isKind(error, "interrupted")) throw error;
      const delayMs = randomFraction(random) * Math.min(policy.delayMsMax, policy.delayMs * 2 ** (attempt - 1));
      const spentMs = clock.monotonicMs() - startMs;
      if (attempt >= policy.attemptsMax || spentMs + delayMs > policy.deadlineMs) {
        throw exhausted(error, attempt, spentMs);
      }
      onRetry?.({ attempt, delayMs, error });
      await pause(clock, delayMs, signal);
    }
  }
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await clock.sleep(delayMs, signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

function exhausted(error: AxiomError, attempts: number, spentMs: number): AxiomError {
  if (attempts === 1) return error;
  return new AxiomError(
    error.kind,
    `${error.message} (${attempts} attempts in ${(spentMs / 1000).toFixed(1)} s)`,
    { hint: error.hint, cause: error, retriable: error.retriable },
  );
}
