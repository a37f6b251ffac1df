import { isKind, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import type { BackupMode } from "../model/snapshot.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import type { BackupStrategy } from "../plugins/wasm_strategy.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import type { SnapshotOptions } from "./backup.ts";
import { inOrder } from "./snapshot_order.ts";

const NS_PER_MS = 1_000_000n;

interface Context {
  strategy?: BackupStrategy;
  onEvent: EventSink;
  signal?: AbortSignal;
}

/**
 * What a strategy chooses, unless a parent is named. Where it fails, the backup is made as it would be without it, and a
 * person is told.
 *
 * @param snapshots Of the same host and paths
 */
export async function chosenMode(
  { mode, parent }: Pick<SnapshotOptions, "mode" | "parent">,
  snapshots: readonly StoredSnapshot[],
  nowNs: string,
  { strategy, onEvent, signal }: Context,
): Promise<{ mode: BackupMode; parent: string | undefined; strategy?: PluginIdentity }> {
  if (strategy === undefined || parent !== undefined) return { mode, parent };
  const known = inOrder([...snapshots], nowNs).reverse().map(({ id, snapshot }) => ({
    ...{ id, timeMs: msOf(snapshot.time), mode: snapshot.mode, parent: snapshot.parent },
  }));
  try {
    const { plugin, ...plan } = await strategy.plan(known, msOf(nowNs), signal);
    return { ...plan, strategy: plugin };
  } catch (error) {
    if (!isKind(error, "plugin_failed")) throw error;
    const message = `${messageOf(error)}; the backup is ${mode}, as without this plugin`;
    onEvent({ type: "warning", code: "strategy", message });
    return { mode, parent };
  }
}

function msOf(ns: string): number {
  return Number(BigInt(ns) / NS_PER_MS);
}
