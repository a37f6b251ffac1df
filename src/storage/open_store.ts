import type { Clock } from "../base/clock.ts";
import type { EventSink } from "../base/events.ts";
import type { Random } from "../base/random.ts";
import { DEFAULT_RETRY } from "../resilience/retry.ts";
import { openLocalStore } from "./local.ts";
import type { ProbeReport } from "./local_probe.ts";
import { parseLocation } from "./location.ts";
import type { ObjectStore } from "./object_store.ts";
import { retryingStore } from "./retrying.ts";
import { type Throttle, throttledStore } from "./throttled.ts";

export interface StoreSettings {
  /** Makes the place where it is missing; else that is `repository_missing`. */
  make?: boolean;
  throttle?: Throttle;
  clock: Clock;
  random: Random;
  onEvent: EventSink;
  /** Gets the path of what a listing meets and is no object. */
  onForeign?: (path: string) => void;
}

export interface OpenedStore {
  store: ObjectStore;
  /** Tries what the place of the store can do; absent for a kind of store that needs no trial. */
  probe?(): Promise<ProbeReport>;
}

/**
 * Opens whatever `location` names, with retries and the throttle around it. Throws `usage` for a location that cannot be
 * one, `repository_missing`, and what the store throws.
 */
export async function openStore(location: string, settings: StoreSettings): Promise<OpenedStore> {
  const { clock, random, onEvent, throttle = {} } = settings;
  const { path } = parseLocation(location);
  const local = await openLocalStore(path, { make: settings.make, onForeign: settings.onForeign, clock, random });
  const retrying = retryingStore(local, DEFAULT_RETRY, {
    clock,
    random,
    onRetry: ({ attempt, delayMs, error }) => {
      const message = `${error.message}; trying again in ${(delayMs / 1000).toFixed(1)} s (attempt ${attempt + 1})`;
      onEvent({ type: "verbose", message });
    },
  });
  const { uploadKibPerSecond, downloadKibPerSecond } = throttle;
  const isUnlimited = uploadKibPerSecond === undefined && downloadKibPerSecond === undefined;
  const store = isUnlimited ? retrying : throttledStore(retrying, throttle, clock);
  return { store, probe: () => local.probe() };
}
