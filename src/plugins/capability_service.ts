/** What answers the imports of one capability, outside of the sandbox. */
import type { Bytes } from "../base/bytes.ts";
import type { Json } from "../base/canonical_json.ts";
import type { ErrorClass } from "./abi.ts";
import type { Capability, CapabilityName } from "./capabilities.ts";
import type { PluginIdentity } from "./plugin_failure.ts";

/** One for all instances of a plugin; each instance has one question at a time. */
export interface CapabilityService {
  /** Of what comes with a request; more is `quota`. */
  readonly bodyBytesMax: number;
  /** Throws {@linkcode ServiceRefusal} for what the plugin is to be told; `signal` is aborted with its call. */
  answer(request: Json, body: Bytes, signal: AbortSignal): ServiceAnswer | Promise<ServiceAnswer>;
  close?(): void | Promise<void>;
}

export interface ServiceAnswer {
  /** At most `LINE_BYTES_MAX` bytes. */
  readonly response: Bytes;
  /** What follows the response. */
  readonly body?: ServiceBody;
}

export interface ServiceBody {
  /** The next bytes, at most so many; none at the end. */
  read(bytesMax: number): Bytes | Promise<Bytes>;
  /** It is not read any further; a no-op at its end. */
  cancel(): void;
}

/** A request that is answered with an error class; the plugin can read the message. */
export class ServiceRefusal extends Error {
  constructor(readonly failure: ErrorClass, message: string) {
    super(message);
  }
}

/** Makes what a grant stands for; undefined where this program has no such thing. */
export interface HostServices {
  open(name: CapabilityName, plugin: PluginIdentity, grant: Capability): CapabilityService | undefined;
}
