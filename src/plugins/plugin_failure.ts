import { AxiomError } from "../base/errors.ts";
import { BUILT_IN } from "../stages/codec.ts";
import { type ErrorClass, HOST_FAULTS, type HostFault } from "./abi.ts";
import type { LogLine } from "./sandbox_protocol.ts";

/** Which plugin it was, as messages name it. */
export interface PluginIdentity {
  readonly pluginId: string;
  readonly version: string;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
}

export function nameOfPlugin({ pluginId, version, sha256 }: PluginIdentity): string {
  return `${pluginId} ${version} (${sha256 === BUILT_IN ? sha256 : `sha256 ${sha256.slice(0, 12)}`})`;
}

const HINTS: Partial<Record<ErrorClass | HostFault, string>> = {
  memory: "Raise limits.memory_pages in its manifest, or choose a lower level",
  deadline: "Raise limits.call_ms in its manifest if it is only slow",
  capability_denied: "A plugin may call what its manifest declares, its category allows and you granted",
};

/** A call into a plugin that did not end well. */
export class PluginFailure extends AxiomError {
  readonly isHostFault: boolean;

  /** @param doing Such as `run encode of` */
  constructor(
    readonly plugin: PluginIdentity,
    readonly failure: ErrorClass | HostFault,
    doing: string,
    why: string,
    readonly log: readonly LogLine[] = [],
    /** The host ended the call in its middle. */
    readonly wasStopped = true,
  ) {
    super("plugin_failed", `Cannot ${doing} ${nameOfPlugin(plugin)}: ${failure}: ${why}`, {
      hint: HINTS[failure] ?? `Try it alone with \`axiom plugin test <file>\``,
      retriable: failure === "transient",
    });
    this.isHostFault = (HOST_FAULTS as readonly string[]).includes(failure);
  }
}
