import { utf8 } from "../base/bytes.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { PluginFailure, type PluginIdentity } from "./plugin_failure.ts";
import { resultOf } from "./plugin_result.ts";

const MODES = ["full", "incremental", "differential"] as const;

export interface KnownSnapshot {
  readonly id: string;
  readonly timeMs: number;
  readonly mode: typeof MODES[number];
  readonly parent: string | null;
}

export interface BackupPlan {
  /** Whose it is. */
  readonly plugin: PluginIdentity;
  readonly mode: typeof MODES[number];
  /** Undefined for the newest that fits. */
  readonly parent: string | undefined;
}

/** Chooses what a backup is compared with. */
export interface BackupStrategy {
  readonly pluginId: string;
  /**
   * Fails as `AxiomError`.
   *
   * @param snapshots Of the same host and paths, the newest first
   */
  plan(snapshots: readonly KnownSnapshot[], nowMs: number, signal?: AbortSignal): Promise<BackupPlan>;
}

/** What one call of a strategy answered. A plan that cannot be followed is the plugin's fault. */
export async function planWith(
  plugin: PluginIdentity,
  snapshots: readonly KnownSnapshot[],
  nowMs: number,
  call: (call: PluginCall) => Promise<PluginAnswer>,
): Promise<BackupPlan> {
  const sinceFull = snapshots.findIndex(({ mode }) => mode === "full");
  const parameters = {
    now_ms: nowMs,
    snapshots: snapshots.length,
    since_full: sinceFull,
    full_age_ms: sinceFull < 0 ? -1 : nowMs - snapshots[sinceFull].timeMs,
  };
  const input = utf8(JSON.stringify(snapshots.map(({ timeMs, ...others }) => ({ ...others, time_ms: timeMs }))));
  const answer = await call({ verb: "execute", operation: "plan", parameters, input });
  const { mode, parent = null } = resultOf(answer);
  const isParent = parent === null || (mode !== "full" && snapshots.some(({ id }) => id === parent));
  if (MODES.includes(mode) && isParent) return { plugin, mode, parent: parent ?? undefined };
  const why = `it wants ${JSON.stringify({ mode, parent })?.slice(0, 200)}`;
  throw new PluginFailure(plugin, "abi", "follow the plan of", why);
}
