import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fromBase64, fromHex, utf8 } from "../../src/base/bytes.ts";
import { decodeKeyring } from "../../src/model/keyring.ts";
import { slotId } from "../../src/model/key_slot.ts";
import { openObject } from "../../src/repository/envelope_sealer.ts";
import { RepositoryKeys } from "../../src/repository/keys.ts";
import { openKeyring } from "../../src/repository/keyring_store.ts";
import { openKeys } from "../../src/repository/open_keys.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { type KeyVectors, makeVectors } from "./keys_vectors.ts";
import { hex, hkdf, label, NONE, readConfig, readEnvelope, readSlot } from "./second_reader.ts";

const VECTORS: KeyVectors = JSON.parse(await Deno.readTextFile(new URL("keys.json", import.meta.url)));
const { repository_id: REPOSITORY_ID, master: MASTER } = VECTORS;

function secretOf(slot: KeyVectors["slots"][number]): { password: string } | { keyFile: string } {
  return "password" in slot ? { password: slot.password! } : { keyFile: slot.key_file! };
}

Deno.test("the program still writes the committed vectors, byte for byte", async () => {
  deepStrictEqual(JSON.parse(JSON.stringify(await makeVectors())), VECTORS);
});

Deno.test("the program opens the committed vectors", async (t) => {
  const store = memoryStore();
  for (const { object_key, object } of [...VECTORS.slots, VECTORS.config]) await store.put(object_key, utf8(object));
  await store.put(VECTORS.keyring.object_key, fromBase64(VECTORS.keyring.object_base64));
  for (const slot of VECTORS.slots) {
    await t.step(slot.object_key, async () => {
      const secret = secretOf(slot);
      const open = await openKeys(
        store,
        "password" in secret
          ? { kind: "password", password: secret.password }
          : { kind: "key_file", bytes: fromHex(secret.keyFile) },
        { slotHint: slotId(slot.object_key) },
      );
      deepStrictEqual([open.slotId, open.configGeneration, open.keyringGeneration], [slotId(slot.object_key), 7, 2]);
      deepStrictEqual(open.config.a_later_member, { list: [1, "two", null] });
      const { object_key, object_base64, payload } = VECTORS.envelope;
      deepStrictEqual(await openObject(open.keys, "snapshot", object_key, fromBase64(object_base64)), utf8(payload));
    });
  }
});

Deno.test("a reader that shares no code with the program opens the same vectors", async (t) => {
  for (const slot of VECTORS.slots) {
    await t.step(slot.object_key, async () => {
      const read = await readSlot(slot.object_key, slot.object, secretOf(slot));
      strictEqual(read.output.toString("hex"), slot.kdf_output);
      strictEqual(read.commitment.toString("hex"), slot.commitment);
      strictEqual(read.wrappingKey.toString("hex"), slot.wrapping_key);
      strictEqual(read.master.toString("hex"), MASTER);
    });
  }
  await t.step("config", () => {
    const config = readConfig(VECTORS.config.object_key, VECTORS.config.object, hex(MASTER));
    strictEqual(config.repository_id, REPOSITORY_ID);
  });
  const id = hex(REPOSITORY_ID);
  const keyring = readEnvelope(
    VECTORS.keyring.object_key,
    Buffer.from(VECTORS.keyring.object_base64, "base64"),
    () => hex(MASTER),
    label("axiom/1/keyring", id),
  );
  strictEqual(keyring, VECTORS.keyring.payload);
  const { roots, id_root: idRoot } = JSON.parse(keyring);
  const root = (epoch: number) => hex(roots.find((entry: { epoch: number }) => entry.epoch === epoch).key);
  await t.step("envelope", () => {
    const { object_key, object_base64, payload } = VECTORS.envelope;
    const info = label("axiom/1/obj/", Uint8Array.of(4), id);
    strictEqual(readEnvelope(object_key, Buffer.from(object_base64, "base64"), root, info), payload);
  });
  await t.step("derived keys", () => {
    const salt = hex(VECTORS.salt);
    const of = (epoch: number, info: Buffer, length = 32) => hkdf(root(epoch), salt, info, length).toString("hex");
    const fixed = (text: string) => hkdf(hex(idRoot), NONE, label(text), 32).toString("hex");
    deepStrictEqual({
      object_index: of(2, label("axiom/1/obj/", Uint8Array.of(3), id)),
      pack_data_aes_256_gcm_1: of(2, label("axiom/1/pack/data/aes-256-gcm-1/", id)),
      pack_tree_aes_256_gcm_1: of(2, label("axiom/1/pack/tree/aes-256-gcm-1/", id)),
      pack_data_a_cipher_of_64_bytes: of(1, label("axiom/1/pack/data/a-cipher-of-64-bytes/", id), 64),
      table: of(2, label("axiom/1/table/", id)),
      plain_mac: of(2, label("axiom/1/plain-mac", id)),
      chunk_id_data: fixed("axiom/1/id/data"),
      chunk_id_tree: fixed("axiom/1/id/tree"),
      chunk_id_plain: fixed("axiom/1/id/plain"),
      tree_split: fixed("axiom/1/tree-split"),
    }, VECTORS.derived);
  });
});

Deno.test("the vectors' keyring is sealed under its master only", async () => {
  const { object_key, object_base64, payload } = VECTORS.keyring;
  const stored = fromBase64(object_base64);
  const master = { generation: 1, key: fromHex(MASTER) };
  const keyring = await openKeyring(stored, master, REPOSITORY_ID, object_key);
  deepStrictEqual(keyring, decodeKeyring(utf8(payload), object_key));
  strictEqual(new RepositoryKeys(REPOSITORY_ID, keyring).epoch, 2);
  const other = { generation: 1, key: new Uint8Array(32) };
  ok(await openKeyring(stored, other, REPOSITORY_ID, object_key).then(() => false, () => true));
});
