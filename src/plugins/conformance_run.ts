/** What plugins for processing and notification must do. Stand-ins answer for the network, notes, files and repository. */
import { LIMITS } from "../base/limits.ts";
import { formatSize } from "../base/sizes.ts";
import { type Check, type CheckContext, NotTried, RuleBroken } from "./conformance.ts";
import { contextsOf, LATER, longest, SENSELESS } from "./conformance_contexts.ts";
import { type Network, StandIns } from "./conformance_stand_ins.ts";
import type { InstancePool } from "./instance_pool.ts";
import { openPlugin } from "./open_plugin.ts";
import { PluginFailure } from "./plugin_failure.ts";
import { type RunCategory, type RunContext, type RunReport, runWith } from "./wasm_run.ts";

const WARM_CALLS = 20, MORE_CALLS = 100;
/** What may make one run differ from another. */
const VARYING = ["clock", "random", "kv", "net.http", "repo", "files"];

export function runChecks(category: RunCategory): Check[] {
  const contexts = contextsOf(category), [{ context: good }] = contexts;
  const property = (name: string, run: Check["run"], isBasic?: true): Check => ({
    ...{ group: "properties" as const, name, run },
    ...(isBasic && { isBasic }),
  });
  const answers = contexts.map(({ name, context }, i) =>
    property(`answers ${name}`, (on) => tried(on, (run) => answer(run, context)), i === 0 || undefined)
  );
  return [
    ...answers,
    property("passes over what it does not know", (on) => tried(on, (run) => answer(run, LATER))),
    ...SENSELESS.map(({ name, context }) =>
      property(`lives on after ${name}`, (on) => tried(on, (run) => livesOn(run, context, good)))
    ),
    property("takes the longest context", (on) => tried(on, takesTheLongest)),
    property("says the same in a fresh instance", (on) => isRepeatable(on, good)),
    ...(category === "notification" ? [property("says where nobody was told", (on) => saysSo(on, contexts))] : []),
    property(
      "takes no more memory from call to call",
      (on) => tried(on, (run, pool) => keepsItsMemory(run, pool, good)),
    ),
    { group: "abuse", name: "lets go where nobody waits", run: (on) => letsGo(on, good) },
    { group: "speed", name: "one run", run: (on) => tried(on, (run) => speed(on, run, good)) },
  ];
}

type Run = (context: RunContext, signal?: AbortSignal) => Promise<RunReport>;

/** With one fresh instance that may do all that it asks for. */
async function tried<T>(
  { plugin, clock }: CheckContext,
  use: (run: Run, pool: InstancePool, standIns: StandIns) => Promise<T>,
): Promise<T> {
  const { manifest, sha256 } = plugin, { capabilities, pluginId, version } = manifest;
  const services = new StandIns();
  const pool = openPlugin(plugin, { granted: capabilities, configuration: {}, instancesMax: 1, clock, services });
  const run: Run = (context, signal) =>
    runWith({ pluginId, version, sha256 }, context, (call) => pool.call(call, { signal }));
  try {
    const isCallable = WebAssembly.Module.exports(await pool.compile()).some(({ name }) => name === "execute");
    if (!isCallable) throw new NotTried("it has no export execute, and is called by those that it has");
    return await use(run, pool, services);
  } finally {
    await pool.close();
  }
}

async function answer(run: Run, context: RunContext): Promise<string> {
  return shown(await run(context));
}

function shown({ metrics, artifacts }: RunReport): string {
  const made = [...Object.entries(metrics).map(([name, value]) => `${name} ${value}`), ...artifacts];
  return ["SUCCESS", ...made].join(", ").slice(0, 200);
}

/** It may refuse, but not fall. */
async function livesOn(run: Run, context: RunContext, good: RunContext): Promise<string> {
  const said = await run(context).then(shown, (error) => {
    if (error instanceof PluginFailure && !error.isHostFault && !error.wasStopped) return error.failure;
    throw error;
  });
  await run(good);
  return `answers ${said}, and then a good one`;
}

async function takesTheLongest(run: Run): Promise<string> {
  await run(longest(LIMITS.pluginContextBytesMax));
  return `${formatSize(LIMITS.pluginContextBytesMax)}`;
}

async function isRepeatable(on: CheckContext, good: RunContext): Promise<string> {
  const asked = on.plugin.manifest.capabilities.map(({ name }) => name).filter((name) => VARYING.includes(name));
  if (asked.length > 0) return `not compared: it asks for ${asked.join(", ")}, which may make a difference`;
  const alone = await tried(on, (run) => run(good));
  const later = await tried(on, async (run) => {
    for (const { context } of SENSELESS) await run(context).catch(() => {});
    await run(LATER);
    return await run(good);
  });
  if (JSON.stringify(alone) === JSON.stringify(later)) return "the same answers";
  throw new RuleBroken(`it answers ${shown(alone)}, but after other calls ${shown(later)}`);
}

async function saysSo(on: CheckContext, contexts: ReturnType<typeof contextsOf>): Promise<string> {
  let requests = 0;
  for (const network of [503, 404, "down"] satisfies Network[]) {
    for (const { name, context } of contexts) {
      await tried(on, async (run, _pool, standIns) => {
        standIns.network = network;
        const failed = await run(context).then(() => false, (error) => {
          if (error instanceof PluginFailure && !error.isHostFault && !error.wasStopped) return true;
          throw error;
        });
        requests += standIns.requests;
        if (failed || standIns.requests === 0) return;
        const what = network === "down" ? "nobody answered" : `the server answered ${network}`;
        throw new RuleBroken(`it says SUCCESS of ${name} that it told a server, and ${what}`);
      });
    }
  }
  return requests === 0 ? "it sends nothing" : "it fails where the server does";
}

async function keepsItsMemory(run: Run, pool: InstancePool, good: RunContext): Promise<string> {
  const memoryAfter = async (calls: number) => {
    for (let i = 0; i < calls; i++) await run(good);
    return (await pool.call({ verb: "validate" })).memoryBytes;
  };
  const warm = await memoryAfter(WARM_CALLS), later = await memoryAfter(MORE_CALLS);
  if (later === warm) return `${formatSize(warm)} after ${WARM_CALLS} calls and after ${WARM_CALLS + MORE_CALLS}`;
  throw new RuleBroken(`it had ${formatSize(warm)} after ${WARM_CALLS} calls and ${formatSize(later)} after more`);
}

/** As after an interruption, while a server keeps it waiting. */
async function letsGo(on: CheckContext, good: RunContext): Promise<string> {
  return await tried(on, async (run, pool, standIns) => {
    await pool.call({ verb: "validate" }, { signal: on.signal });
    standIns.network = "silent";
    const leaving = new AbortController();
    const call = run(good, leaving.signal).then(() => "it waits for nobody", (error) => error);
    await Promise.race([call, standIns.asked]);
    const from = on.clock.monotonicMs();
    leaving.abort();
    const end = await call, ms = Math.ceil(on.clock.monotonicMs() - from);
    if (typeof end !== "string" && !(end instanceof PluginFailure && end.failure === "cancelled")) throw end;
    standIns.network = 204;
    await run(good);
    return typeof end === "string" ? end : `the call ended after ${ms} ms, and the next one is answered`;
  });
}

async function speed({ clock }: CheckContext, run: Run, good: RunContext): Promise<string> {
  await run(good);
  const from = clock.monotonicMs();
  for (let i = 0; i < WARM_CALLS; i++) await run(good);
  return `${((clock.monotonicMs() - from) / WARM_CALLS).toFixed(2)} ms`;
}
