import { TOOL_VERSION } from "../base/version.ts";
import { BUILT_IN, type Cipher, type Codec } from "../stages/codec.ts";
import type { StageRegistry } from "../stages/registry.ts";
import type { Category } from "./manifest.ts";
import type { PluginSource } from "./plugin_source.ts";

const WORDS: Readonly<Record<string, string>> = {
  compression_zstd: "Zstandard, levels 1 to 22",
  compression_none: "Stores frames as they are",
  encryption_aes: "AES-256 in the modes GCM, CBC and CTR",
  plain_mac: "Leaves content readable, and refuses what was changed",
};

const OTHERS: readonly { pluginId: string; category: Category; description: string }[] = [
  { pluginId: "backup_full", category: "strategy", description: "Compares with nothing: every file is read" },
  { pluginId: "backup_incremental", category: "strategy", description: "Compares with the last snapshot" },
  { pluginId: "backup_differential", category: "strategy", description: "Compares with the last full snapshot" },
  { pluginId: "storage_local", category: "storage", description: "Keeps a repository in a folder" },
];

/** What this program brings along, as plugins. */
export function builtInPlugins({ codecs, ciphers }: StageRegistry): PluginSource[] {
  const ids = [...new Set(ciphers.all.map(({ pluginId }) => pluginId))];
  return [
    ...codecs.all.map((codec) => sourceOf("compression", codec.pluginId, codec.version, [codec], [])),
    ...ids.map((id) => {
      const own = ciphers.all.filter(({ pluginId }) => pluginId === id);
      return sourceOf("encryption", id, own[0].version, [], own);
    }),
    ...OTHERS.map(({ pluginId, category, description }) => ({
      plugin: { pluginId, version: TOOL_VERSION, sha256: BUILT_IN },
      category,
      description,
      formats: [],
      granted: [],
      open: () => ({ pool: undefined, ciphers: [] }),
    })),
  ];
}

function sourceOf(
  category: Category,
  pluginId: string,
  version: string,
  [codec]: readonly Codec[],
  ciphers: readonly Cipher[],
): PluginSource {
  return {
    plugin: { pluginId, version, sha256: BUILT_IN },
    category,
    description: WORDS[pluginId],
    formats: [...(codec === undefined ? [] : [codec.formatId]), ...ciphers.map(({ formatId }) => formatId)],
    granted: [],
    open: () => ({ pool: undefined, ...(codec === undefined ? {} : { codec }), ciphers }),
  };
}
