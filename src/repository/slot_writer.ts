import { equalBytes, equalSecrets } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { type Random, randomId } from "../base/random.ts";
import { labelFault } from "../model/fields.ts";
import { DEFAULT_KDF, kdfFault, type KdfParameters, weakKdfFault } from "../model/kdf_parameters.ts";
import { slotKey } from "../model/key_slot.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { type Secret, secretBytes, takesSecret } from "./secret.ts";
import { parseSlot } from "./slot_reader.ts";
import { type NewSlot, openSlot, sealSlot } from "./slot_sealer.ts";

/** The KDF of a new slot. Throws `usage` for one that does not go with the secret, is too weak, or dearer than readers allow. */
export function kdfForSecret(secret: Secret, kdf?: KdfParameters): KdfParameters {
  secretBytes(secret);
  const chosen = kdf ?? DEFAULT_KDF[secret.kind === "key_file" ? "hkdf-sha256" : "argon2id"];
  const refuse = (why: string) => new AxiomError("usage", `Cannot make a key slot: ${why}`);
  const why = kdfFault(chosen)?.why ?? weakKdfFault(chosen);
  if (why !== undefined) throw refuse(why);
  if (!takesSecret(chosen, secret)) {
    throw refuse(secret.kind === "key_file" ? "a key file needs no KDF" : "a password needs a KDF that is slow");
  }
  return chosen;
}

/**
 * Puts a slot under a new random id, reads it back and opens it with the secret, KDF and all, before it returns the id.
 * A slot that does not prove itself is taken away again. Throws `usage`, `data_damaged` and what the store throws.
 */
export async function putSlot(
  store: ObjectStore,
  request: Omit<NewSlot, "id">,
  random: Random,
  signal?: AbortSignal,
): Promise<string> {
  const fault = labelFault(request.label);
  if (fault !== undefined) throw new AxiomError("usage", `Cannot make a key slot: ${fault}`);
  const id = randomId(random);
  const objectKey = slotKey(id);
  const sealed = await sealSlot({ ...request, id }, random, signal);
  await store.put(objectKey, sealed, signal);
  try {
    const stored = await store.get(objectKey, "all", signal);
    const master = equalBytes(stored, sealed)
      ? await openSlot(parseSlot(stored, objectKey), id, request.secret, signal)
      : undefined;
    if (master === undefined || !equalSecrets(master.key, request.master.key)) {
      throw new AxiomError(
        "data_damaged",
        `Cannot trust ${store.location}: ${objectKey} reads back as something else`,
        {
          hint: "Test this machine's memory and the store",
        },
      );
    }
    return id;
  } catch (error) {
    await store.remove(objectKey).catch(() => {}); // the first error says more
    throw error;
  }
}
