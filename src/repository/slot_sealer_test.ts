import { deepStrictEqual, match, notStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { seededRandom } from "../../tests/fixtures/fixed.ts";
import { type Bytes, concat, fromHex, fromUtf8, toHex, utf8 } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";
import { type Master, slotKey } from "../model/key_slot.ts";
import { coveredBytes, encodeTextObject } from "../model/text_object.ts";
import { hkdf, sha256 } from "./hkdf.ts";
import { runKdf } from "./kdf.ts";
import type { Secret } from "./secret.ts";
import { parseSlot } from "./slot_reader.ts";
import { isGenuineSlot, openSlot, sealSlot } from "./slot_sealer.ts";

const ID = "0123456789abcdef0123456789abcdef";
const KEY = slotKey(ID);
const random = seededRandom("slots");
const MASTER: Master = { generation: 1, key: random(32) };
const KEY_FILE: Secret = { kind: "key_file", bytes: random(64) };
const FAST: KdfParameters = { algorithm: "hkdf-sha256" };

function seal(secret: Secret = KEY_FILE, kdf = FAST, id = ID): Promise<Bytes> {
  const repositoryId = "ab".repeat(16);
  return sealSlot({ id, repositoryId, master: MASTER, secret, kdf, label: "läptop", created: "1" }, random);
}

function jsonOf(stored: Bytes): Bytes {
  return stored.slice(0, stored.indexOf(0x0a));
}

/** As an intruder would who changed the JSON: with a check sum that is right. */
function withCheckSum(json: Uint8Array, key = KEY): Bytes {
  return encodeTextObject(json, sha256(coveredBytes(key, json)));
}

Deno.test("openSlot() gives back the master for each kind of secret, and nothing to another", async (t) => {
  const password = (text: string): Secret => ({ kind: "password", password: text });
  const cases: { name: string; secret: Secret; wrong: Secret; kdf: KdfParameters }[] = [
    {
      name: "argon2id",
      secret: password("Grüße"),
      wrong: password("Grüsse"),
      kdf: { algorithm: "argon2id", memory_kib: 1024, passes: 1, lanes: 1 },
    },
    {
      name: "pbkdf2",
      secret: password("Grüße"),
      wrong: password("Grüße "),
      kdf: { algorithm: "pbkdf2-hmac-sha256", iterations: 1000 },
    },
    { name: "key file", secret: KEY_FILE, wrong: { kind: "key_file", bytes: random(64) }, kdf: FAST },
  ];
  for (const { name, secret, wrong, kdf } of cases) {
    await t.step(name, async () => {
      const slot = parseSlot(await seal(secret, kdf), KEY);
      deepStrictEqual(await openSlot(slot, ID, secret), MASTER);
      strictEqual(await openSlot(slot, ID, wrong), undefined);
    });
  }
  await t.step("a password in NFC opens what one in NFD sealed", async () => {
    const kdf: KdfParameters = { algorithm: "pbkdf2-hmac-sha256", iterations: 1000 };
    const slot = parseSlot(await seal(password("Grüße".normalize("NFD")), kdf), KEY);
    deepStrictEqual(await openSlot(slot, ID, password("Grüße".normalize("NFC"))), MASTER);
  });
});

Deno.test("sealSlot() draws salt and nonce anew and tells nothing of the master", async () => {
  const one = parseSlot(await seal(), KEY), two = parseSlot(await seal(), KEY);
  for (const member of ["salt", "nonce", "commitment", "wrapped_master", "public_key"] as const) {
    notStrictEqual(one[member], two[member]);
  }
  ok(!JSON.stringify(one).includes(toHex(MASTER.key)));
});

Deno.test("parseSlot() refuses every flipped bit and every torn slot (25, 43)", async () => {
  const stored = await seal();
  parseSlot(stored, KEY);
  const refused = (data: Bytes) => {
    try {
      parseSlot(data, KEY);
      return false;
    } catch (error) {
      return error instanceof AxiomError;
    }
  };
  for (let bit = 0; bit < 8 * stored.length; bit++) {
    const copy = stored.slice();
    copy[bit >> 3] ^= 1 << (bit & 7);
    ok(refused(copy), `bit ${bit}`);
  }
  for (let length = 0; length < stored.length; length++) ok(refused(stored.slice(0, length)), `${length} bytes`);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (data) => refused(data as Bytes)));
});

Deno.test("openSlot() refuses every changed bit under a check sum that was made anew", async () => {
  const stored = await seal();
  const json = jsonOf(stored);
  let parsed = 0;
  for (let bit = 0; bit < 8 * json.length; bit++) {
    const copy = json.slice();
    copy[bit >> 3] ^= 1 << (bit & 7);
    let slot;
    try {
      slot = parseSlot(withCheckSum(copy), KEY);
    } catch (error) {
      ok(error instanceof AxiomError, `bit ${bit}: ${error}`);
      continue;
    }
    parsed++;
    try {
      strictEqual(await openSlot(slot, ID, KEY_FILE), undefined, `bit ${bit} was accepted`);
    } catch (error) {
      ok(isKind(error, "data_damaged"), `bit ${bit}: ${error}`);
    }
    ok(!isGenuineSlot(slot, ID, MASTER), `bit ${bit} passed the MAC`);
  }
  ok(parsed > 500, `only ${parsed} changes came as far as the keys`);
});

Deno.test("a slot under another id does not open (27)", async () => {
  const stored = await seal(), other = "f".repeat(32);
  throws(() => parseSlot(stored, slotKey(other)), (error) => isKind(error, "data_damaged"));
  const moved = parseSlot(withCheckSum(jsonOf(stored), slotKey(other)), slotKey(other));
  await rejects(openSlot(moved, other, KEY_FILE), (error) => {
    return isKind(error, "data_damaged") && /the secret fits, but it was changed/.test(error.message);
  });
});

Deno.test("an added member is bound like the others", async () => {
  const json = fromUtf8(jsonOf(await seal())).replace('"mac"', '"later":true,"mac"');
  const slot = parseSlot(withCheckSum(utf8(json)), KEY);
  strictEqual(slot.later, true);
  await rejects(openSlot(slot, ID, KEY_FILE), (error) => isKind(error, "data_damaged"));
});

Deno.test("isGenuineSlot() knows its own master only", async () => {
  const slot = parseSlot(await seal(), KEY);
  ok(isGenuineSlot(slot, ID, MASTER));
  ok(!isGenuineSlot(slot, ID, { ...MASTER, generation: 2 }));
  ok(!isGenuineSlot(slot, ID, { ...MASTER, key: new Uint8Array(32) }));
});

Deno.test("a slot's public key belongs to a private key that its secret gives", async () => {
  const slot = parseSlot(await seal(), KEY);
  match(slot.public_key, /[1-9a-f]/);
  const output = await runKdf(FAST, (KEY_FILE as { bytes: Bytes }).bytes, fromHex(slot.salt));
  const scalar = hkdf(output, new Uint8Array(0), "axiom/1/slot/x25519", [], 32);
  const der = concat([fromHex("302e020100300506032b656e04220420"), scalar]);
  const mine = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  const theirs = generateKeyPairSync("x25519");
  const x = Buffer.from(slot.public_key, "hex").toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  const sealed = diffieHellman({ privateKey: theirs.privateKey, publicKey });
  const opened = diffieHellman({ privateKey: mine, publicKey: theirs.publicKey });
  strictEqual(createHash("sha256").update(sealed).digest("hex"), createHash("sha256").update(opened).digest("hex"));
});
