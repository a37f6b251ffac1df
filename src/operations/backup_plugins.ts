import type { SnapshotPlugin } from "../model/snapshot.ts";
import type { PluginIdentity } from "../plugins/plugin_failure.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { BUILT_IN } from "../stages/codec.ts";
import type { BackupSource } from "./backup_source.ts";

/** Plugins that took part in a backup, each generation by itself. */
export interface BackupPlugins {
  /** Each that made a frame, where one of them came from a file. */
  plugins: (SnapshotPlugin & { frames: number })[];
  /** Each of a source of which streams are in the snapshot, and where they stand there. */
  sources: (SnapshotPlugin & { path: string; streams: number })[];
  /** Each that judged entries, and how many of them it left out. */
  filters: (SnapshotPlugin & { entries: number; left_out: number })[];
  /** The one that chose the mode. */
  strategy: SnapshotPlugin | null;
}

export function backupPlugins(
  writer: RepositoryWriter,
  { used = [], filters = [] }: BackupSource,
  strategy: PluginIdentity | undefined,
): BackupPlugins {
  return {
    plugins: framesOf(writer),
    sources: used.map(({ plugin, path, streams }) => ({ ...named(plugin), path, streams })),
    filters: filters.map(({ plugin, entries, leftOut }) => ({ ...named(plugin), entries, left_out: leftOut })),
    strategy: strategy === undefined ? null : named(strategy),
  };
}

function framesOf(writer: RepositoryWriter): BackupPlugins["plugins"] {
  const used = writer.packs.usage.all;
  if (used.every(({ decoder }) => decoder === BUILT_IN)) return [];
  return used.map(({ frames, decoder: sha256, ...origin }) => ({ ...named({ ...origin, sha256 }), frames }));
}

function named({ pluginId, version, sha256 }: PluginIdentity): SnapshotPlugin {
  return { plugin_id: pluginId, version, sha256 };
}

/** As a snapshot lists them. */
export function takingPart({ plugins, sources, filters, strategy }: BackupPlugins): SnapshotPlugin[] {
  return [...plugins, ...sources, ...filters, ...(strategy === null ? [] : [strategy])]
    .filter(({ sha256 }) => sha256 !== BUILT_IN)
    .map(({ plugin_id, version, sha256 }) => ({ plugin_id, version, sha256 }));
}
