import { createHash } from "node:crypto";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { packKey } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";

/**
 * Whether the stored bytes of a pack are what its name says. Needs no keys, so it tells damage from whatever this client
 * merely cannot read. A pack that is gone, or shorter than `sizeBytes`, is not whole.
 *
 * @param sizeBytes As listed
 */
export async function isPackWhole(
  store: ObjectStore,
  name: string,
  sizeBytes: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (sizeBytes > LIMITS.packBytesMax) return false;
  const hash = createHash("sha256");
  try {
    for (let offset = 0; offset < sizeBytes; offset += LIMITS.rangeBytesMax) {
      const length = Math.min(LIMITS.rangeBytesMax, sizeBytes - offset);
      hash.update(await store.get(packKey(name), { offset, length }, signal));
    }
  } catch (error) {
    if (error instanceof AxiomError && (error.kind === "object_missing" || error.kind === "data_damaged")) return false;
    throw error;
  }
  return hash.digest("hex") === name;
}
