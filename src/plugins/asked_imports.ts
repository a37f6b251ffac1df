/**
 * Imports whose answers come from outside of the sandbox: the plugin stands still until they are there.
 *
 * ```text
 * send(ptr, len, body, body_len) → 0 once there is a response, else an error class      (http@1)
 * send(ptr, len) → the same                                                             (repo@1, files@1)
 * response(ptr, cap) → length of the response, JSON, which is copied only where cap is enough
 * read(ptr, cap) → bytes of what follows it that were read, 0 at its end
 * kv@1   get(key, len, ptr, cap) → length of the value, copied only where cap is enough; -1 where there is none
 *        set(key, len, ptr, len) → 0, or 8 where there is no room      delete(key, len) → 0      keys(ptr, cap) → as response
 * ```
 */
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { ERROR_CLASSES } from "./abi.ts";
import { errorClassOf, GuestFault, textOf } from "./call_state.ts";
import type { HostFunction } from "./engine.ts";
import type { Guest } from "./host_imports.ts";
import { type GuestLine, LINE_BYTES_MAX, type LineAnswer } from "./host_line.ts";
import { copyWhole, view } from "./guest_memory.ts";

const NOT_FOUND = ERROR_CLASSES.indexOf("not_found"), QUOTA = ERROR_CLASSES.indexOf("quota");
const DENIED = ERROR_CLASSES.indexOf("capability_denied");

/** Of http, repo and files. */
export function requestImports(guest: Guest, line: GuestLine, module: string): Record<string, HostFunction> {
  return {
    send(pointer: number, length: number, body = 0, bodyLength = 0) {
      const { value, data } = send(line, module, textOf(view(guest, pointer, length)), view(guest, body, bodyLength));
      if (value === DENIED) throw new GuestFault("capability_denied", fromUtf8(data));
      const response = value === 0 ? data : utf8(JSON.stringify({ message: fromUtf8(data) }));
      guest.call.responses.set(module, response);
      return value;
    },
    response: (pointer: number, capacity: number) =>
      copyWhole(guest, guest.call.responses.get(module) ?? utf8("{}"), pointer, capacity),
    read(pointer: number, capacity: number) {
      const room = view(guest, pointer, capacity).length;
      if (room === 0) return 0;
      const data = dataOf(line.ask(module, { step: "read", length: Math.min(room, LINE_BYTES_MAX) }));
      view(guest, pointer, data.length).set(data);
      return data.length;
    },
  };
}

export function kvImports(guest: Guest, line: GuestLine, module: string): Record<string, HostFunction> {
  const request = (op: string, pointer: number, length: number) =>
    JSON.stringify({ op, key: textOf(view(guest, pointer, length)) });
  return {
    get(key: number, keyLength: number, pointer: number, capacity: number) {
      const answer = send(line, module, request("get", key, keyLength));
      return answer.value === NOT_FOUND ? -1 : copyWhole(guest, dataOf(answer), pointer, capacity);
    },
    set(key: number, keyLength: number, pointer: number, length: number) {
      const answer = send(line, module, request("set", key, keyLength), view(guest, pointer, length));
      if (answer.value !== QUOTA) dataOf(answer);
      return answer.value;
    },
    delete(key: number, keyLength: number) {
      dataOf(send(line, module, request("delete", key, keyLength)));
      return 0;
    },
    keys: (pointer: number, capacity: number) =>
      copyWhole(guest, dataOf(send(line, module, '{"op":"keys"}')), pointer, capacity),
  };
}

function send(line: GuestLine, module: string, request: string, body = new Uint8Array(0)): LineAnswer {
  for (let at = 0; at < body.length; at += LINE_BYTES_MAX) {
    const part = body.subarray(at, at + LINE_BYTES_MAX);
    const taken = line.ask(module, { step: "body", length: part.length, total: body.length }, part);
    if (taken.value !== 0) return taken;
  }
  return line.ask(module, { step: "send", request });
}

/** What the plugin cannot be told by a number ends its call. */
function dataOf({ value, data }: LineAnswer): Uint8Array {
  if (value === 0) return data;
  throw new GuestFault(errorClassOf(value), fromUtf8(data.slice()));
}
