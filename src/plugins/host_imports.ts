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
 * ```
 */
import { CALL_MODULE, HOST_MODULE, IO_MODULE, LOG_MODULE, RENAMED } from "./abi.ts";
import { type CallState, GuestFault } from "./call_state.ts";
import type { HostFunction, HostFunctions } from "./engine.ts";
import { wasiStub } from "./wasi_stub.ts";

/** What host functions work on: whichever call runs. */
export interface Guest {
  readonly call: CallState;
  memory(): Uint8Array<ArrayBuffer>;
  isCancelled(): boolean;
}

/** A function for every import of `module` that is not the SDK's own. */
export function hostImports(module: WebAssembly.Module, granted: readonly string[], guest: Guest): HostFunctions {
  const known: HostFunctions = { ...always(guest), [RENAMED.wasiModule.to]: wasiStub(guest) };
  if (granted.includes(LOG_MODULE)) known[LOG_MODULE] = logImports(guest);
  const functions: HostFunctions = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    if (!HOST_MODULE.test(from) && from !== RENAMED.wasiModule.to && name !== RENAMED.httpImport.to) continue;
    functions[from] ??= {};
    functions[from][name] = known[from]?.[name] ?? refused(from, name, from in known);
  }
  return functions;
}

function refused(module: string, name: string, isKnown: boolean): HostFunction {
  return () => {
    throw isKnown
      ? new GuestFault("abi", `it called ${name} of ${module}, which has no such function`)
      : new GuestFault("capability_denied", `it called ${name} of ${module}, which was not granted`);
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
        const { header } = guest.call;
        if (header.length <= capacity >>> 0) view(guest, pointer, header.length).set(header);
        return header.length;
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

function logImports(guest: Guest): Record<string, HostFunction> {
  return {
    log(level: number, pointer: number, length: number) {
      guest.call.addLog(level, view(guest, pointer, length));
      return 0;
    },
  };
}

/** Part of the plugin's memory as it is now. */
export function view(guest: Guest, pointer: number, length: number): Uint8Array<ArrayBuffer> {
  const memory = guest.memory(), from = pointer >>> 0, bytes = length >>> 0;
  if (from + bytes > memory.length) {
    throw new GuestFault("abi", `it named bytes ${from} to ${from + bytes} of a memory of ${memory.length}`);
  }
  return memory.subarray(from, from + bytes);
}
