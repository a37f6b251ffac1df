/**
 * What a plugin can call, in its sandbox. Pointers are into its own memory; one that leads out of it ends the call.
 *
 * ```text
 * axiom:host/io@1     read(ptr, cap) → bytes that were read, 0 at the end      write(ptr, len) → 0
 *                     left() → bytes of the input that were not read yet
 * axiom:host/call@1   op() → number of the operation, 0 outside of `execute`
 *                     params(ptr, cap) → length of the JSON header, which is copied only where cap is enough
 *                     result(ptr, len) → 0; JSON of at most 1 MiB              cancelled() → 1 once nobody waits any more
 *                     fail(class, ptr, len) → class; what to return
 * axiom:host/log@1    log(level, ptr, len) → 0; 0 error, 1 warning, 2 info, 3 debug
 * axiom:host/clock@1  now() → i64, nanoseconds since 1970                          monotonic() → i64, never goes back
 * axiom:host/random@1 fill(ptr, len) → 0
 * axiom:host/metric@1 report(ptr, len, f64) → 0; the name of a number and the number
 * ```
 *
 * Those of kv, http, repo and files are in `asked_imports.ts`.
 */
import { systemRandomInto } from "../base/random.ts";
import { CALL_MODULE, HOST_MODULE, IO_MODULE, RENAMED } from "./abi.ts";
import { kvImports, requestImports } from "./asked_imports.ts";
import { type CallState, GuestFault } from "./call_state.ts";
import { type CapabilityName, capabilityOfModule } from "./capabilities.ts";
import type { HostFunction, HostFunctions } from "./engine.ts";
import { copyWhole, view } from "./guest_memory.ts";
import type { GuestLine } from "./host_line.ts";
import { wasiStub } from "./wasi_stub.ts";

/** What host functions work on: whichever call runs. */
export interface Guest {
  readonly call: CallState;
  /** To whoever holds what is not in the sandbox; undefined where nothing of that is granted. */
  readonly line: GuestLine | undefined;
  memory(): Uint8Array<ArrayBuffer>;
  isCancelled(): boolean;
}

/** A function for every import of `module` that is not the SDK's own. */
export function hostImports(module: WebAssembly.Module, granted: readonly string[], guest: Guest): HostFunctions {
  const known: HostFunctions = { ...always(guest), [RENAMED.wasiModule.to]: wasiStub(guest) };
  for (const from of granted) known[from] = grantedImports(guest, from);
  const functions: HostFunctions = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (!HOST_MODULE.test(from) && from !== RENAMED.wasiModule.to && name !== RENAMED.httpImport.to) continue;
    functions[from] ??= {};
    functions[from][name] = known[from]?.[name] ?? refused(from, name, from in known);
  }
  return functions;
}

function refused(module: string, name: string, isKnown: boolean): HostFunction {
  const capability = capabilityOfModule(module);
  const denied = capability === undefined ? "which is unknown" : `and ${capability} was not granted`;
  return () => {
    throw isKnown
      ? new GuestFault("abi", `it called ${name} of ${module}, which has no such function`)
      : new GuestFault("capability_denied", `it called ${name} of ${module}, ${denied}`);
  };
}

function always(guest: Guest): HostFunctions {
  return {
    [IO_MODULE]: {
      read(pointer: number, capacity: number) {
        const part = guest.call.read(view(guest, pointer, capacity).length);
        view(guest, pointer, part.length).set(part);
        return part.length;
      },
      write(pointer: number, length: number) {
        guest.call.write(view(guest, pointer, length));
        return 0;
      },
      left: () => guest.call.inputLeft,
    },
    [CALL_MODULE]: {
      op: () => guest.call.operation,
      params(pointer: number, capacity: number) {
        return copyWhole(guest, guest.call.header, pointer, capacity);
      },
      result(pointer: number, length: number) {
        guest.call.setResult(view(guest, pointer, length));
        return 0;
      },
      fail(number: number, pointer: number, length: number) {
        guest.call.fail(number, view(guest, pointer, length));
        return number;
      },
      cancelled: () => guest.isCancelled() ? 1 : 0,
    },
  };
}

function grantedImports(guest: Guest, module: string): Record<string, HostFunction> {
  const name = capabilityOfModule(module), { line } = guest;
  const own = name && OWN[name];
  if (own !== undefined) return own(guest);
  if (name === undefined || line === undefined) return {};
  return name === "kv" ? kvImports(guest, line, module) : requestImports(guest, line, module);
}

const NS_PER_MS = 1_000_000;

/** What the worker has without any permission, so that nobody outside has to be asked. */
const OWN: Partial<Record<CapabilityName, (guest: Guest) => Record<string, HostFunction>>> = {
  log: (guest) => ({
    log(level: number, pointer: number, length: number) {
      guest.call.addLog(level, view(guest, pointer, length));
      return 0;
    },
  }),
  clock: () => ({
    now: () => BigInt(Date.now()) * BigInt(NS_PER_MS),
    monotonic: () => BigInt(Math.round(performance.now() * NS_PER_MS)),
  }),
  random: (guest) => ({
    fill(pointer: number, length: number) {
      systemRandomInto(view(guest, pointer, length));
      return 0;
    },
  }),
  metric: (guest) => ({
    report(pointer: number, length: number, value: number) {
      guest.call.addMetric(view(guest, pointer, length), value);
      return 0;
    },
  }),
};
