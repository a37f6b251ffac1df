/**
 * One generation of a plugin, and the states that it goes through.
 *
 * ```text
 * discovered → verified → compiled → staged → probed → canary → active → draining → retired
 *      ↓ ↘        ↓ ↘                                     ↓        ↓        ↓ ↑         ↓
 *   rejected     held                                  quarantined ←────────  └─ active ┘
 * ```
 *
 * Whatever stands before `canary` may also be `rejected`. A generation that was replaced may be active again as long as it is
 * kept; one that was quarantined never is.
 */
import type { PluginIdentity } from "./plugin_failure.ts";

export const NEXT_STATES = {
  discovered: ["verified", "held", "rejected"],
  held: ["verified", "rejected", "retired"],
  verified: ["compiled", "held", "rejected"],
  compiled: ["staged", "rejected"],
  staged: ["probed", "rejected"],
  probed: ["canary", "rejected"],
  canary: ["active", "draining", "quarantined"],
  active: ["draining", "quarantined"],
  draining: ["retired", "active", "quarantined"],
  retired: ["active"],
  rejected: [],
  quarantined: [],
} as const satisfies Record<string, readonly string[]>;

export type GenerationState = keyof typeof NEXT_STATES;

export interface Generation {
  /** Counts up from 1 within a plugin; never used again. */
  readonly number: number;
  readonly plugin: PluginIdentity;
  readonly state: GenerationState;
  /** When it came into this state; monotonic milliseconds. */
  readonly sinceMs: number;
  /** Calls that ended well. */
  readonly calls: number;
  /** When the host had to end a call or to refuse an answer, of the last ten minutes. */
  readonly faultsMs: readonly number[];
  /** Why it is held, rejected or quarantined. */
  readonly reason?: string;
}

/** May come back: it served, and its module is still there. */
export function canReturn({ state }: Generation): boolean {
  return state === "draining" || state === "retired";
}

/** Nothing runs in it and nothing will. */
export function isGone({ state }: Generation): boolean {
  return state === "rejected" || state === "quarantined";
}

export function isServing({ state }: Generation): boolean {
  return state === "canary" || state === "active";
}
