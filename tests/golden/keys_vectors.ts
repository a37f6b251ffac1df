/** Makes `keys.json`, the test vectors of docs/format.md: `deno run -A tests/golden/keys_vectors.ts`. */
import { type Bytes, fromHex, fromUtf8, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import type { KdfParameters } from "../../src/model/kdf_parameters.ts";
import { encodeKeyring, type Keyring } from "../../src/model/keyring.ts";
import { type Master, slotKey } from "../../src/model/key_slot.ts";
import type { RepositoryConfig } from "../../src/model/repository_config.ts";
import { writeConfig } from "../../src/repository/config_store.ts";
import { sealObject } from "../../src/repository/envelope_sealer.ts";
import { hkdf, NO_SALT } from "../../src/repository/hkdf.ts";
import { runKdf } from "../../src/repository/kdf.ts";
import { RepositoryKeys } from "../../src/repository/keys.ts";
import { sealKeyring } from "../../src/repository/keyring_store.ts";
import { type Secret, secretBytes } from "../../src/repository/secret.ts";
import { parseSlot } from "../../src/repository/slot_reader.ts";
import { sealSlot } from "../../src/repository/slot_sealer.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { seededRandom } from "../fixtures/fixed.ts";

const CREATED = "1750000000123456789";
const CONFIG_KEY = "config/0000000007";
const KEYRING_KEY = "keyring/0000000002";
// Spelled out: vectors do not follow a change of defaults.
const ARGON2ID: KdfParameters = { algorithm: "argon2id", memory_kib: 65536, passes: 3, lanes: 1 };
const PBKDF2: KdfParameters = { algorithm: "pbkdf2-hmac-sha256", iterations: 600_000 };

async function slotVector(secret: Secret, kdf: KdfParameters, label: string, master: Master, repositoryId: string) {
  const random = seededRandom(label);
  const id = toHex(random(16));
  const object = await sealSlot({ id, repositoryId, master, secret, kdf, label, created: CREATED }, random);
  const output = await runKdf(kdf, secretBytes(secret), fromHex(parseSlot(object, slotKey(id)).salt));
  const both = hkdf(output, NO_SALT, "axiom/1/slot", [], 64);
  return {
    ...(secret.kind === "password" ? { password: secret.password } : { key_file: toHex(secret.bytes) }),
    object_key: slotKey(id),
    object: fromUtf8(object),
    kdf_output: toHex(output),
    commitment: toHex(both.subarray(0, 32)),
    wrapping_key: toHex(both.subarray(32)),
    x25519_private_key: toHex(hkdf(output, NO_SALT, "axiom/1/slot/x25519", [], 32)),
  };
}

async function configVector(master: Master, repositoryId: string) {
  const config: RepositoryConfig = {
    format_version: 1,
    repository_id: repositoryId,
    created: CREATED,
    label: "Zürich",
    features: { read: [], write: [], delete: ["a_feature"] },
    chunker: { algorithm: "fastcdc-1", min: 262144, normal: 1048576, max: 4194304 },
    fixed_blocks: { algorithm: "fixed-1" },
    pack_bytes: { min: 16777216, max: 67108864 },
    frame_bytes: { data: 4194304 },
    a_later_member: { list: [1, "two", null] },
  };
  const store = memoryStore();
  await writeConfig(store, master, config, 7);
  return { object_key: CONFIG_KEY, object: fromUtf8(store.snapshot().get(CONFIG_KEY)!) };
}

function derivations(keys: RepositoryKeys, salt: Bytes) {
  const gcm = { formatId: "aes-256-gcm-1", keyBytes: 32 }, long = { formatId: "a-cipher-of-64-bytes", keyBytes: 64 };
  const derived = {
    object_index: keys.objectKey("index", 2, salt),
    pack_data_aes_256_gcm_1: keys.packFrameKey(2, salt, ChunkKind.data, gcm),
    pack_tree_aes_256_gcm_1: keys.packFrameKey(2, salt, ChunkKind.tree, gcm),
    pack_data_a_cipher_of_64_bytes: keys.packFrameKey(1, salt, ChunkKind.data, long),
    table: keys.packTableKey(2, salt),
    plain_mac: keys.plainMacKey(2, salt),
    chunk_id_data: keys.chunkIdKey("data"),
    chunk_id_tree: keys.chunkIdKey("tree"),
    chunk_id_plain: keys.chunkIdKey("plain"),
    tree_split: keys.treeSplitKey(),
  };
  return Object.fromEntries(Object.entries(derived).map(([name, key]) => [name, toHex(key)]));
}

export async function makeVectors() {
  const random = seededRandom("keys");
  const hex = () => toHex(random(32));
  const repositoryId = toHex(random(16));
  const master: Master = { generation: 1, key: random(32) };
  const keyring: Keyring = {
    version: 1,
    master_generation: 1,
    roots: [{ epoch: 1, key: hex(), created: CREATED }, { epoch: 2, key: hex(), created: CREATED }],
    id_root: hex(),
    chunker_keys: { data: hex(), plain: hex() },
    audit_key: hex(),
  };
  const keys = new RepositoryKeys(repositoryId, keyring);
  const keyFile: Secret = { kind: "key_file", bytes: random(40) };
  const password = (text: string): Secret => ({ kind: "password", password: text });
  const snapshot = utf8("the payload of an object");
  const salt = random(32);
  return {
    repository_id: repositoryId,
    master: toHex(master.key),
    slots: [
      await slotVector(password("Schlu\u0308ssel \u00e9"), ARGON2ID, "argon2id", master, repositoryId),
      await slotVector(password("password"), PBKDF2, "pbkdf2", master, repositoryId),
      await slotVector(keyFile, { algorithm: "hkdf-sha256" }, "key file", master, repositoryId),
    ],
    config: await configVector(master, repositoryId),
    keyring: {
      object_key: KEYRING_KEY,
      object_base64: toBase64(await sealKeyring(keyring, master, repositoryId, KEYRING_KEY, random)),
      payload: fromUtf8(encodeKeyring(keyring)),
    },
    envelope: {
      object_key: "snapshots/00112233445566778899aabbccddeeff",
      type: "snapshot",
      object_base64: toBase64(
        await sealObject(keys, "snapshot", "snapshots/00112233445566778899aabbccddeeff", snapshot, random),
      ),
      payload: fromUtf8(snapshot),
    },
    salt: toHex(salt),
    derived: derivations(keys, salt),
  };
}

export type KeyVectors = Awaited<ReturnType<typeof makeVectors>>;

if (import.meta.main) {
  const text = JSON.stringify(await makeVectors(), null, 2);
  await Deno.writeTextFile(new URL("keys.json", import.meta.url), `${text}\n`);
}
