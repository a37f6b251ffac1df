import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { type Bytes, utf8 } from "../base/bytes.ts";
import type { AxiomEvent } from "../base/events.ts";
import { systemRandom } from "../base/random.ts";
import type { StateFiles } from "../platform/state_files.ts";
import { clientId } from "./client_id.ts";

function state(files: Map<string, Bytes>, writable = true): StateFiles {
  return {
    folder: "/state",
    read: (name) => Promise.resolve(files.get(name)),
    write: (name, data) =>
      writable ? Promise.resolve(void files.set(name, data)) : Promise.reject(new Error("Read-only file system")),
    remove: () => Promise.resolve(),
  };
}

Deno.test("clientId() is random once and kept from then on", async () => {
  const events: AxiomEvent[] = [];
  const files = new Map<string, Bytes>();
  const get = (from: StateFiles | undefined) => clientId(from, systemRandom, (event) => events.push(event));
  const id = await get(state(files));
  match(id, /^[0-9a-f]{32}$/);
  equal(await get(state(files)), id);
  files.set("client_id", utf8("torn"));
  const healed = await get(state(files));
  notEqual(healed, id);
  equal(await get(state(files)), healed);
  equal(events.length, 0);
  match(await get(state(new Map(), false)), /^[0-9a-f]{32}$/);
  match(await get(undefined), /^[0-9a-f]{32}$/);
  deepEqual(events.map((event) => event.type === "warning" && event.code), ["client_id", "client_id"]);
});
