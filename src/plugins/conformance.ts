/**
 * Tries a plugin by the rules that every plugin is held to. Each check says what it saw; the first one that fails in a group
 * on which others build makes those skipped.
 */
import type { Clock } from "../base/clock.ts";
import { AxiomError, messageOf, throwIfAborted } from "../base/errors.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { AdmittedPlugin } from "./admission.ts";
import { beyondGrant, type CapabilityName, describeCapability } from "./capabilities.ts";
import type { HostServices } from "./capability_service.ts";
import { abuseChecks } from "./conformance_abuse.ts";
import { compressionChecks } from "./conformance_compression.ts";
import { encryptionChecks } from "./conformance_encryption.ts";
import { filterChecks } from "./conformance_filter.ts";
import { lifecycleChecks } from "./conformance_lifecycle.ts";
import { runChecks } from "./conformance_run.ts";
import { sourceChecks } from "./conformance_source.ts";
import { StandIns } from "./conformance_stand_ins.ts";
import { storageChecks } from "./conformance_storage.ts";
import { strategyChecks } from "./conformance_strategy.ts";
import { swapCheck } from "./conformance_swap.ts";
import type { InstancePool } from "./instance_pool.ts";
import { openPlugin, type OpenSettings } from "./open_plugin.ts";
import { PluginFailure } from "./plugin_failure.ts";

export interface ConformanceFinding {
  readonly group: "admission" | "lifecycle" | "properties" | "abuse" | "swap" | "speed";
  readonly name: string;
  readonly state: "ok" | "failed" | "skipped";
  readonly message: string;
}

/** The plugin broke a rule; the message says what was seen. */
export class RuleBroken extends Error {}

/** The check means nothing for this plugin; the message says why. */
export class NotTried extends Error {}

export interface CheckContext {
  readonly plugin: AdmittedPlugin;
  /** Two instances. */
  readonly pool: InstancePool;
  /** What was granted and set for the test. */
  readonly given: Given;
  readonly random: Random;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** Another pool, with fresh instances, for as long as `use` takes. */
  fresh<T>(use: (pool: InstancePool) => Promise<T>, services?: HostServices): Promise<T>;
}

export type Given = Pick<OpenSettings, "granted" | "configuration" | "services">;

export interface Check {
  readonly group: ConformanceFinding["group"];
  readonly name: string;
  /** Where it fails, nothing after it is tried. */
  readonly isBasic?: true;
  /** Returns what was seen; throws {@linkcode RuleBroken} or what a call threw. */
  run(context: CheckContext): Promise<string>;
}

function checksOf({ manifest }: AdmittedPlugin, { granted }: Given): Check[] {
  switch (manifest.category) {
    case "compression":
      return [...lifecycleChecks(), ...compressionChecks(manifest), ...abuseChecks(manifest), swapCheck()];
    case "encryption":
      return [...lifecycleChecks(), ...encryptionChecks(), swapCheck()];
    case "filter":
      return [...lifecycleChecks(), ...filterChecks(), swapCheck()];
    case "strategy":
      return [...lifecycleChecks(), ...strategyChecks(), swapCheck()];
    case "processing":
    case "notification":
      return [...lifecycleChecks(manifest), ...runChecks(manifest.category), swapCheck()];
    case "storage":
    case "source": {
      const [missing] = beyondGrant(manifest.capabilities, granted);
      if (missing !== undefined) {
        const why = `it asks to ${describeCapability(missing)} (${missing.name}), and nobody granted that for the test`;
        return [...lifecycleChecks(), notTried(manifest.category, why), swapCheck()];
      }
      const checks = manifest.category === "storage" ? storageChecks() : sourceChecks();
      return [...lifecycleChecks(), ...checks, swapCheck()];
    }
  }
}

function notTried(category: string, why: string): Check {
  return {
    group: "properties",
    name: `does what a plugin for ${category} has to do`,
    run: () => Promise.reject(new NotTried(why)),
  };
}

export interface TestOptions extends Partial<Given> {
  readonly clock: Clock;
  readonly random?: Random;
  readonly signal?: AbortSignal;
  /** Names of checks; basic ones are always made. */
  readonly only?: readonly string[];
  /** Leaves out speed, many callers and swaps. */
  readonly isQuick?: boolean;
}

const QUICK: readonly Check["group"][] = ["lifecycle", "properties"];

export async function testPlugin(
  plugin: AdmittedPlugin,
  { clock, random = systemRandom, signal, only, isQuick = false, ...more }: TestOptions,
): Promise<ConformanceFinding[]> {
  const given = givenTo(plugin, more);
  const open = (services = given.services) => openPlugin(plugin, { ...given, services, instancesMax: 2, clock });
  const pool = open();
  const fresh: CheckContext["fresh"] = (use, services) => closing(open(services), use);
  const context: CheckContext = { plugin, pool, clock, signal, given, random, fresh };
  const findings: ConformanceFinding[] = [
    { group: "admission", name: "its bytes keep the rules", state: "ok", message: `sha256 ${plugin.sha256}` },
  ];
  return await closing(pool, async () => {
    let stop: string | undefined;
    const isMeant = ({ name, group }: Check) => only?.includes(name) !== false && (!isQuick || QUICK.includes(group));
    for (const check of checksOf(plugin, given).filter((each) => each.isBasic || isMeant(each))) {
      throwIfAborted(signal);
      const { group, name } = check;
      if (stop !== undefined) {
        findings.push({ group, name, state: "skipped", message: stop });
        continue;
      }
      try {
        findings.push({ group, name, state: "ok", message: await check.run(context) });
      } catch (error) {
        if (error instanceof NotTried) {
          findings.push({ group, name, state: "skipped", message: error.message });
          continue;
        }
        if (!isVerdict(error)) throw error;
        findings.push({ group, name, state: "failed", message: messageOf(error) });
        if (check.isBasic) stop = `“${name}” has to work first`;
        if (error instanceof PluginFailure && error.failure === "deadline") stop = "it did not end by itself once";
      }
    }
    return findings;
  });
}

/** What reaches nobody outside of the test is granted without a person: there are stand-ins for it. */
function givenTo({ manifest }: AdmittedPlugin, { granted = [], configuration = {}, services }: Partial<Given>): Given {
  if (manifest.category !== "storage" && manifest.category !== "source") return { granted, configuration, services };
  const standIns = new StandIns();
  const free = manifest.capabilities.filter(({ name }) => FREE.includes(name));
  return {
    granted: [...free, ...granted.filter(({ name }) => !FREE.includes(name))],
    configuration,
    services: {
      open: (name, ...more) => FREE.includes(name) ? standIns.open(name) : services?.open(name, ...more),
    },
  };
}

const FREE: readonly CapabilityName[] = ["clock", "random", "kv", "metric"];

function isVerdict(error: unknown): boolean {
  if (error instanceof RuleBroken) return true;
  return error instanceof AxiomError && error.kind !== "interrupted";
}

async function closing<T>(pool: InstancePool, use: (pool: InstancePool) => Promise<T>): Promise<T> {
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}
