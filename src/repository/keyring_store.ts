/**
 * Generations of the keyring. The envelope's key is HKDF(master, salt of the object, "axiom/1/keyring" | repository id 16),
 * its epoch the generation of the master. The newest generation that opens counts.
 */
import { type Bytes, equalBytes, fromHex } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { envelopeBytes } from "../model/envelope.ts";
import { decodeKeyring, encodeKeyring, type Keyring } from "../model/keyring.ts";
import type { Master } from "../model/key_slot.ts";
import { PREFIX } from "../model/object_keys.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { type EnvelopeKey, openEnvelope, sealEnvelope } from "./envelope_sealer.ts";
import { generationKey, listGenerations } from "./generations.ts";
import { hkdf } from "./hkdf.ts";

function keyringKey(master: Master, repositoryId: string): EnvelopeKey {
  const id = fromHex(repositoryId);
  return (generation, salt) =>
    generation === master.generation ? hkdf(master.key, salt, "axiom/1/keyring", [id], 32) : undefined;
}

export async function sealKeyring(
  keyring: Keyring,
  master: Master,
  repositoryId: string,
  objectKey: string,
  random: Random,
): Promise<Bytes> {
  if (keyring.master_generation !== master.generation) throw new RangeError("The keyring is of another master");
  const keyOf = keyringKey(master, repositoryId);
  return await sealEnvelope(keyOf, "keyring", master.generation, objectKey, encodeKeyring(keyring), random);
}

/** Throws `data_damaged` if any bit differs, `repository_unsupported` for a later version. */
export async function openKeyring(
  stored: Bytes,
  master: Master,
  repositoryId: string,
  objectKey: string,
): Promise<Keyring> {
  const payload = await openEnvelope(keyringKey(master, repositoryId), "keyring", objectKey, stored);
  const keyring = decodeKeyring(payload, objectKey);
  if (keyring.master_generation !== master.generation) {
    throw new AxiomError("data_damaged", `Cannot read ${objectKey}: it names master ${keyring.master_generation}`);
  }
  return keyring;
}

/** The newest keyring that opens; newer ones that do not are added to `warnings`. Throws `data_damaged` if none does. */
export async function readKeyring(
  store: ObjectStore,
  master: Master,
  repositoryId: string,
  warnings: string[],
  signal?: AbortSignal,
): Promise<{ keyring: Keyring; generation: number }> {
  const problems: AxiomError[] = [];
  for (const { generation, objectKey, sizeBytes } of await listGenerations(store, PREFIX.keyring, signal)) {
    try {
      if (sizeBytes > envelopeBytes(LIMITS.objectPlainBytesMax)) {
        throw new AxiomError("data_damaged", `Cannot read ${objectKey}: it has ${sizeBytes} bytes`);
      }
      const keyring = await openKeyring(await store.get(objectKey, "all", signal), master, repositoryId, objectKey);
      warnings.push(...problems.map((problem) => `Skipped a keyring: ${problem.message}`));
      return { keyring, generation };
    } catch (error) {
      // A later version's keyring opened under the master: to go on with an older one would lose epochs.
      if (!(error instanceof AxiomError) || error.kind === "interrupted" || error.kind === "repository_unsupported") {
        throw error;
      }
      problems.push(error);
    }
  }
  const why = problems.length === 0 ? "there is none" : problems.map(messageOf).join("; ");
  throw new AxiomError("data_damaged", `Cannot open the repository ${store.location}: no keyring opens: ${why}`, {
    hint: "Put back the folder keyring/ from a copy; without it nothing can be decrypted",
    cause: problems[0],
  });
}

/** Puts a generation of the keyring and reads it back. Fails as `writeConfig` does. */
export async function writeKeyring(
  store: ObjectStore,
  master: Master,
  repositoryId: string,
  keyring: Keyring,
  generation: number,
  random: Random,
  signal?: AbortSignal,
): Promise<void> {
  const objectKey = generationKey(PREFIX.keyring, generation);
  await store.put(objectKey, await sealKeyring(keyring, master, repositoryId, objectKey, random), signal);
  const again = await openKeyring(await store.get(objectKey, "all", signal), master, repositoryId, objectKey);
  if (!equalBytes(encodeKeyring(again), encodeKeyring(keyring))) {
    throw new AxiomError("data_damaged", `Cannot trust ${store.location}: ${objectKey} reads back as something else`);
  }
}
