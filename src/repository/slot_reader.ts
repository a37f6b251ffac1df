/** Reads key slots, any of which may be torn, foreign or hostile, without computing anything from them. */
import { type Bytes, equalBytes } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeSlot, type KeySlot, slotId } from "../model/key_slot.ts";
import { PREFIX } from "../model/object_keys.ts";
import { coveredBytes } from "../model/text_object.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { sha256 } from "./hkdf.ts";

export type StoredSlot =
  | { id: string; slot: KeySlot; stored: Bytes; problem?: undefined }
  | { id: string; slot?: undefined; problem: AxiomError };

/** Checks form, bounds and check sum; nothing is computed from it. Throws what `decodeSlot` throws. */
export function parseSlot(stored: Bytes, objectKey: string): KeySlot {
  const { slot, json, check } = decodeSlot(stored, objectKey);
  if (!equalBytes(sha256(coveredBytes(objectKey, json)), check)) {
    throw new AxiomError("data_damaged", `Cannot use the key slot ${objectKey}: its check sum differs`);
  }
  return slot;
}

/** All slots, `hint` first and the newest next; what cannot be used comes last, each with its reason. */
export async function readSlots(store: ObjectStore, hint?: string, signal?: AbortSignal): Promise<StoredSlot[]> {
  const listed: { id: string; key: string; sizeBytes: number }[] = [];
  for await (const { key, sizeBytes } of store.list(PREFIX.keys, signal)) {
    const id = slotId(key);
    if (id === undefined) continue;
    if (listed.length < LIMITS.keySlotObjectsMax) listed.push({ id, key, sizeBytes });
    else if (id === hint) listed[0] = { id, key, sizeBytes };
  }
  const slots: StoredSlot[] = [];
  for (const { id, key, sizeBytes } of listed) slots.push(await readSlot(store, id, key, sizeBytes, signal));
  return slots.sort((a, b) => rank(a) - rank(b) || newerFirst(a, b));

  function rank(entry: StoredSlot): number {
    return entry.slot === undefined ? 2 : entry.id === hint ? 0 : 1;
  }
}

function newerFirst(a: StoredSlot, b: StoredSlot): number {
  const left = BigInt(a.slot?.created ?? 0), right = BigInt(b.slot?.created ?? 0);
  return left === right ? (a.id < b.id ? -1 : 1) : left > right ? -1 : 1;
}

async function readSlot(
  store: ObjectStore,
  id: string,
  objectKey: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<StoredSlot> {
  try {
    if (sizeBytes > LIMITS.keySlotBytesMax) {
      throw new AxiomError("data_damaged", `Cannot read the key slot ${objectKey}: it has ${sizeBytes} bytes`);
    }
    const stored = await store.get(objectKey, "all", signal);
    return { id, slot: parseSlot(stored, objectKey), stored };
  } catch (error) {
    if (!(error instanceof AxiomError) || error.kind === "interrupted") throw error;
    return { id, problem: error };
  }
}
