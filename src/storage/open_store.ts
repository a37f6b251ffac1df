import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { Random } from "../base/random.ts";
import { DEFAULT_RETRY } from "../resilience/retry.ts";
import { openLocalStore } from "./local.ts";
import type { ProbeReport } from "./local_probe.ts";
import { displayLocation, type Location, parseLocation, type PluginLocation } from "./location.ts";
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
  /** Opens a store of a plugin. */
  openPlugin?: (place: PluginLocation, settings: Pick<StoreSettings, "onForeign">) => Promise<ObjectStore>;
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
  const place = parseLocation(location);
  const { store: inner, probe } = await openPlace(place, location, settings);
  const retrying = retryingStore(inner, DEFAULT_RETRY, {
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
  return { store, probe };
}

async function openPlace(place: Location, text: string, settings: StoreSettings): Promise<OpenedStore> {
  const { make, onForeign, clock, random, openPlugin } = settings;
  if (place.kind === "local") {
    const local = await openLocalStore(place.path, { make, onForeign, clock, random });
    return { store: local, probe: () => local.probe() };
  }
  if (openPlugin !== undefined) return { store: await openPlugin(place, { onForeign }) };
  throw new AxiomError("usage", `Cannot use ${displayLocation(text)} as a repository: no plugins are at hand`);
}
