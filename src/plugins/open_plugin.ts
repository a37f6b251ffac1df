import type { Clock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { AdmittedPlugin } from "./admission.ts";
import { beyondGrant, type Capability, CEILINGS, isAsked, moduleOfCapability } from "./capabilities.ts";
import type { CapabilityService, HostServices } from "./capability_service.ts";
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
  /** What grants stand for; without it those that need somebody outside of the sandbox are refused. */
  readonly services?: HostServices;
  readonly onFailure?: PoolSettings["onFailure"];
  readonly onNotes?: PoolSettings["onNotes"];
  /** Instead of what admission allowed. */
  readonly callMs?: number;
  /** Compiled before from the same code. */
  readonly module?: WebAssembly.Module;
}

/** What a plugin may use: declared, within its category's ceiling, and granted where that is needed. */
function allowed(manifest: PluginManifest, granted: readonly Capability[]): Capability[] {
  return manifest.capabilities
    .filter(({ name }) => CEILINGS[manifest.category].includes(name))
    .filter((capability) => beyondGrant([capability], granted).length === 0)
    .map((capability) => {
      const held = granted.find(({ name }) => name === capability.name);
      const { hosts = held?.hosts, folders = held?.folders } = capability;
      return { ...capability, hosts, folders, private: held?.private };
    });
}

/** Nothing of it runs before the first call. Throws `config_invalid`. */
export function openPlugin({ manifest, sha256, code, limits }: AdmittedPlugin, settings: OpenSettings): InstancePool {
  const { granted, callMs = limits.callMs, services: host, ...others } = settings;
  const plugin = { pluginId: manifest.pluginId, version: manifest.version, sha256 };
  const services = new Map<string, CapabilityService>(), linked: string[] = [];
  for (const capability of allowed(manifest, granted)) {
    const module = moduleOfCapability(capability.name);
    const service = isAsked(capability.name) ? host?.open(capability.name, plugin, capability) : undefined;
    if (service !== undefined) services.set(module, service);
    if (service !== undefined || !isAsked(capability.name)) linked.push(module);
  }
  return new InstancePool({
    ...others,
    configuration: completeConfiguration(manifest, others.configuration),
    plugin,
    code,
    granted: linked,
    services,
    memoryPages: limits.memoryPages,
    callMs,
    loadMs: LIMITS.pluginLoadMs,
    cancelMs: LIMITS.pluginCancelMs,
    threadEndMs: LIMITS.pluginThreadEndMs,
    idleMs: LIMITS.pluginIdleMs,
  });
}
