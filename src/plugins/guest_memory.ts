import { GuestFault } from "./call_state.ts";

/** Whoever has a plugin's memory. */
interface WithMemory {
  memory(): Uint8Array<ArrayBuffer>;
}

/** Part of the plugin's memory as it is now. Where nothing is named, the pointer may be any: some languages have no other. */
export function view(guest: WithMemory, pointer: number, length: number): Uint8Array<ArrayBuffer> {
  const memory = guest.memory(), bytes = length >>> 0, from = bytes === 0 ? 0 : pointer >>> 0;
  if (from + bytes > memory.length) {
    throw new GuestFault("abi", `it named bytes ${from} to ${from + bytes} of a memory of ${memory.length}`);
  }
  return memory.subarray(from, from + bytes);
}

/** Copies all of `data` or, where there is not enough room, nothing; returns its length. */
export function copyWhole(guest: WithMemory, data: Uint8Array, pointer: number, capacity: number): number {
  if (data.length <= capacity >>> 0) view(guest, pointer, data.length).set(data);
  return data.length;
}
