import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { AdmittedPlugin } from "./admission.ts";
import { beyondGrant, type Capability, CEILINGS, moduleOfCapability } from "./capabilities.ts";
import { InstancePool, type PoolSettings } from "./instance_pool.ts";
import type { PluginManifest } from "./manifest.ts";
import { completeConfiguration } from "./plugin_configuration.ts";

export interface OpenSettings {
  /** What a person agreed to, besides what needs nobody's consent. */
  readonly granted: readonly Capability[];
  /** By the schema of its manifest, which also fills in what is left out. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly instancesMax: number;
  readonly clock: Clock;
  readonly onFailure?: PoolSettings["onFailure"];
  /** Instead of what admission allowed. */
  readonly callMs?: number;
  /** Compiled before from the same code. */
  readonly module?: WebAssembly.Module;
}

/** Import modules that a plugin may use: declared, within its category's ceiling, and granted where that is needed. */
function linkedModules(manifest: PluginManifest, granted: readonly Capability[]): string[] {
  return manifest.capabilities
    .filter(({ name }) => CEILINGS[manifest.category].includes(name))
    .filter((capability) => beyondGrant([capability], granted).length === 0)
    .map(({ name }) => moduleOfCapability(name));
}

/** Nothing of it runs before the first call. Throws `config_invalid`. */
export function openPlugin({ manifest, sha256, code, limits }: AdmittedPlugin, settings: OpenSettings): InstancePool {
  const { granted, callMs = limits.callMs, ...others } = settings;
  return new InstancePool({
    ...others,
    configuration: completeConfiguration(manifest, others.configuration),
    plugin: { pluginId: manifest.pluginId, version: manifest.version, sha256 },
    code,
    granted: linkedModules(manifest, granted),
    memoryPages: limits.memoryPages,
    callMs,
    loadMs: LIMITS.pluginLoadMs,
    cancelMs: LIMITS.pluginCancelMs,
    threadEndMs: LIMITS.pluginThreadEndMs,
    idleMs: LIMITS.pluginIdleMs,
  });
}
