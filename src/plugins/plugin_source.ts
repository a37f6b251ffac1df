import type { Clock } from "../base/clock.ts";
import type { Cipher, Codec } from "../stages/codec.ts";
import type { DecoderModule } from "../stages/decoder_host.ts";
import type { AdmittedPlugin } from "./admission.ts";
import type { Capability } from "./capabilities.ts";
import type { InstancePool, PoolSettings } from "./instance_pool.ts";
import type { HostServices } from "./capability_service.ts";
import type { Category } from "./manifest.ts";
import { openPlugin } from "./open_plugin.ts";
import type { PluginIdentity } from "./plugin_failure.ts";
import { wasmCipher } from "./wasm_cipher.ts";
import { wasmCodec } from "./wasm_codec.ts";

/** What a generation is while it serves. */
export interface OpenPlugin {
  /** Undefined for what is built in. */
  readonly pool: InstancePool | undefined;
  /** Of one from a file: takes away what is given to it. */
  readonly codec?: Codec;
  readonly ciphers: readonly Cipher[];
}

/** A plugin that can be put into service, from a file or built in. */
export interface PluginSource {
  readonly plugin: PluginIdentity;
  readonly category: Category;
  readonly description: string;
  /** What it writes, then what else it reads. */
  readonly formats: readonly string[];
  /** What it may do beyond its own memory. */
  readonly granted: readonly Capability[];
  /** Made with the stock Extism kit: its exports are its own affair. */
  readonly isStock?: boolean;
  /** Of a codec or cipher from a file: what a repository has to store. */
  readonly module?: DecoderModule;
  /** Starts no instance before the first call. */
  open(module?: WebAssembly.Module): OpenPlugin;
}

export interface SourceSettings {
  readonly granted: readonly Capability[];
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly instancesMax: number;
  readonly clock: Clock;
  readonly services?: HostServices;
  readonly onNotes?: PoolSettings["onNotes"];
  readonly file?: DecoderModule;
}

export function wasmSource(admitted: AdmittedPlugin, settings: SourceSettings): PluginSource {
  const { manifest, sha256 } = admitted;
  const { file, ...others } = settings;
  const { pluginId, version, category, description, formatId, readsFormats } = manifest;
  return {
    plugin: { pluginId, version, sha256 },
    category,
    description,
    formats: formatId === undefined ? [] : [formatId, ...readsFormats],
    granted: settings.granted,
    isStock: manifest.abi === "extism",
    ...(category === "compression" || category === "encryption" ? { module: file } : {}),
    open(module) {
      const pool = openPlugin(admitted, { ...others, module });
      return {
        pool,
        ...(category === "compression" ? { codec: wasmCodec(pool, manifest, true) } : {}),
        ciphers: category === "encryption" ? [wasmCipher(pool, manifest)] : [],
      };
    },
  };
}
