import { messageOf } from "../base/errors.ts";
import type { Bytes } from "../base/bytes.ts";
import { ERROR_CLASSES, type ErrorClass, type Operation } from "./abi.ts";
import { type HostServices, ServiceRefusal } from "./capability_service.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import type { InstancePool } from "./instance_pool.ts";
import { PluginFailure } from "./plugin_failure.ts";

/** An operation with what AXIOM gives it. */
export interface Asked {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly input?: Bytes;
}

const MIB = 1 << 20;

/** The class of the error that it answers; undefined where it answers 0. Throws what the host made of it. */
export async function classOf(pool: InstancePool, asked: Asked, signal?: AbortSignal): Promise<ErrorClass | undefined> {
  try {
    await pool.call({ verb: "execute", ...asked, outputBytesMax: MIB }, { signal });
    return undefined;
  } catch (error) {
    if (!(error instanceof PluginFailure) || error.wasStopped) throw error;
    return (ERROR_CLASSES as readonly string[]).includes(error.failure) ? error.failure as ErrorClass : undefined;
  }
}

/**
 * What passes from a network that breaks off to whoever decides on another try.
 *
 * @param askedOf What cannot be answered without the network
 */
export function networkCheck(askedOf: (context: CheckContext) => Promise<Asked[]>): Check {
  return {
    group: "properties",
    name: "says of a network that breaks off that it may come back",
    async run(context) {
      const { plugin, fresh, given, signal } = context;
      if (!plugin.manifest.capabilities.some(({ name }) => name === "net.http")) return "it uses no network";
      const asked = await askedOf(context);
      const answers = await fresh(
        (pool) => Promise.all(asked.map(async (each) => [each.operation, await classOf(pool, each, signal)] as const)),
        without(given.services),
      );
      const wrong = answers.find(([, answer]) => answer !== "transient");
      if (wrong === undefined) return `transient, of ${asked.map(({ operation }) => operation).join(", ")}`;
      throw new RuleBroken(`it answers ${wrong[1] ?? "0"} to ${wrong[0]}, as if there had been an answer`);
    },
  };
}

/** A network of which every connection breaks. */
function without(services: HostServices | undefined): HostServices {
  const answer = () => Promise.reject(new ServiceRefusal("transient", "the connection was closed"));
  return {
    open: (name, ...more) => name === "net.http" ? { bodyBytesMax: 100 * MIB, answer } : services?.open(name, ...more),
  };
}

/** For a call that takes a while. */
export function leavingCheck(asked: (context: CheckContext) => Promise<Asked>): Check {
  return {
    group: "abuse",
    name: "lets go of a caller that leaves",
    async run(context) {
      const call = await asked(context);
      return await context.fresh(async (pool) => {
        await pool.call({ verb: "validate" }, { signal: context.signal });
        const leaving = new AbortController();
        const left = classOf(pool, call, leaving.signal).then(() => "it ended first", messageOf);
        leaving.abort();
        const how = await left;
        await pool.call({ verb: "validate" }, { signal: context.signal });
        return `${how}, and the next call is answered`;
      });
    },
  };
}
