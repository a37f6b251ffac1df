import {
  deepStrictEqual as deepEqual,
  notDeepStrictEqual as notDeepEqual,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import { AxiomError, type ErrorKind, isKind } from "../base/errors.ts";
import { DEFAULT_KDF, describeKdf, type KdfParameters, weakKdfFault } from "./kdf_parameters.ts";
import { decodeSlot, encodeSlot, type KeySlot, slotAad, slotId, slotKey, slotMacInput } from "./key_slot.ts";
import { encodeTextObject } from "./text_object.ts";
import { encodeJson, type Json } from "../base/canonical_json.ts";

const ID = "0123456789abcdef0123456789abcdef";
const SLOT: KeySlot = {
  version: 1,
  repository_id: ID,
  created: "1750000000000000000",
  label: "laptop",
  kdf: { ...DEFAULT_KDF.argon2id },
  salt: "11".repeat(32),
  commitment: "22".repeat(32),
  public_key: "00".repeat(32),
  master_generation: 1,
  nonce: "33".repeat(12),
  wrapped_master: "44".repeat(48),
  mac: "55".repeat(32),
};

const store = (slot: unknown) => encodeTextObject(encodeJson(slot as Json), new Uint8Array(32));
const decode = (slot: unknown) => decodeSlot(store(slot), slotKey(ID)).slot;

Deno.test("encodeSlot() and decodeSlot() are inverse for each KDF, and later members survive", () => {
  for (const kdf of Object.values(DEFAULT_KDF)) {
    const slot: KeySlot = { ...SLOT, kdf, later: ["x"] };
    deepEqual(decode(slot), slot);
    deepEqual(encodeSlot(decode(slot)), encodeSlot(slot));
  }
});

Deno.test("decodeSlot() refuses hostile KDF costs before anything is computed (25, 40)", async (t) => {
  const argon2 = DEFAULT_KDF.argon2id, pbkdf2 = DEFAULT_KDF["pbkdf2-hmac-sha256"];
  const cases: { name: string; kdf: unknown; kind: ErrorKind }[] = [
    { name: "1 TiB of memory", kdf: { ...argon2, memory_kib: 2 ** 30 }, kind: "limit_exceeded" },
    { name: "1 GiB and 1 KiB", kdf: { ...argon2, memory_kib: 2 ** 20 + 1 }, kind: "limit_exceeded" },
    { name: "17 passes", kdf: { ...argon2, passes: 17 }, kind: "limit_exceeded" },
    { name: "17 lanes", kdf: { ...argon2, lanes: 17 }, kind: "limit_exceeded" },
    { name: "too little memory for its lanes", kdf: { ...argon2, memory_kib: 7 }, kind: "limit_exceeded" },
    { name: "no passes", kdf: { ...argon2, passes: 0 }, kind: "data_damaged" },
    { name: "negative memory", kdf: { ...argon2, memory_kib: -65536 }, kind: "data_damaged" },
    { name: "memory as text", kdf: { ...argon2, memory_kib: "65536" }, kind: "data_damaged" },
    { name: "10,000,001 iterations", kdf: { ...pbkdf2, iterations: 10_000_001 }, kind: "limit_exceeded" },
    { name: "a parameter more", kdf: { ...pbkdf2, pepper: 1 }, kind: "repository_unsupported" },
    { name: "a parameter less", kdf: { algorithm: "argon2id", passes: 3, lanes: 1 }, kind: "repository_unsupported" },
    { name: "an unknown KDF", kdf: { algorithm: "scrypt", n: 1 }, kind: "repository_unsupported" },
    { name: "a name of Object", kdf: { algorithm: "constructor" }, kind: "repository_unsupported" },
    { name: "no name", kdf: { algorithm: 1 }, kind: "data_damaged" },
    { name: "a control sequence", kdf: { algorithm: "\u001b[2J" }, kind: "data_damaged" },
    { name: "none", kdf: null, kind: "data_damaged" },
  ];
  for (const { name, kdf, kind } of cases) {
    await t.step(name, () => {
      throws(() => decode({ ...SLOT, kdf }), (error) => isKind(error, kind));
      throws(() => encodeSlot({ ...SLOT, kdf } as KeySlot), RangeError);
    });
  }
});

Deno.test("decodeSlot() accepts costs at their caps", () => {
  for (
    const kdf of [
      { algorithm: "argon2id", memory_kib: 2 ** 20, passes: 16, lanes: 16 },
      { algorithm: "pbkdf2-hmac-sha256", iterations: 10_000_000 },
    ]
  ) deepEqual(decode({ ...SLOT, kdf }).kdf, kdf);
});

Deno.test("decodeSlot() refuses members of another form", async (t) => {
  const cases: [string, Record<string, unknown>][] = [
    ["capital digits", { salt: "AA".repeat(32) }],
    ["a short salt", { salt: "11".repeat(31) }],
    ["a long wrapped master", { wrapped_master: "44".repeat(49) }],
    ["a commitment that is missing", { commitment: undefined }],
    ["a public key that is a number", { public_key: 0 }],
    ["generation 0", { master_generation: 0 }],
    ["a generation beyond u32", { master_generation: 2 ** 32 }],
    ["a time that is no number", { created: "yesterday" }],
    ["a label of two lines", { label: "a\nb" }],
    ["no label", { label: undefined }],
  ];
  for (const [name, members] of cases) {
    await t.step(name, () => throws(() => decode({ ...SLOT, ...members }), (error) => isKind(error, "data_damaged")));
  }
  await t.step("17 KiB", () => {
    throws(() => decode({ ...SLOT, later: "x".repeat(17 * 1024) }), (error) => isKind(error, "data_damaged"));
  });
});

Deno.test("decodeSlot() throws nothing but AxiomError for any JSON", () => {
  fc.assert(fc.property(fc.constantFrom(...Object.keys(SLOT)), fc.jsonValue(), (member, value) => {
    let stored: Uint8Array;
    try {
      stored = store({ ...SLOT, [member]: value });
    } catch {
      return; // fractions have no canonical form
    }
    try {
      decodeSlot(stored, slotKey(ID));
    } catch (error) {
      ok(error instanceof AxiomError, String(error));
    }
  }));
});

Deno.test("slotAad() binds every member but the two that follow from it, and the object's key", () => {
  const aad = slotAad(SLOT, slotKey(ID));
  deepEqual(slotAad({ ...SLOT, mac: "", wrapped_master: "" }, slotKey(ID)), aad);
  notDeepEqual(slotMacInput({ ...SLOT, wrapped_master: "" }, slotKey(ID)), slotMacInput(SLOT, slotKey(ID)));
  deepEqual(slotMacInput({ ...SLOT, mac: "" }, slotKey(ID)), slotMacInput(SLOT, slotKey(ID)));
  notDeepEqual(slotAad(SLOT, slotKey("f".repeat(32))), aad);
  for (const member of Object.keys(SLOT).filter((name) => name !== "mac" && name !== "wrapped_master")) {
    notDeepEqual(slotAad({ ...SLOT, [member]: "x" }, slotKey(ID)), aad, member);
  }
  notDeepEqual(slotAad({ ...SLOT, later: 1 }, slotKey(ID)), aad);
});

Deno.test("slotId() accepts exactly what slotKey() makes", () => {
  equal(slotId(slotKey(ID)), ID);
  for (const key of ["keys/", `keys/${ID}0`, `keys/${ID.toUpperCase()}`, `keys/${ID}.tmp`, ID]) {
    equal(slotId(key), undefined);
  }
});

Deno.test("weakKdfFault() refuses what is cheaper than recommended, for new slots only", async (t) => {
  const cases: { kdf: KdfParameters; weak: boolean; text: string }[] = [
    { kdf: DEFAULT_KDF.argon2id, weak: false, text: "argon2id, 64 MiB, 3 passes, 1 lane" },
    { kdf: { ...DEFAULT_KDF.argon2id, memory_kib: 8192 }, weak: true, text: "argon2id, 8 MiB, 3 passes, 1 lane" },
    {
      kdf: { algorithm: "pbkdf2-hmac-sha256", iterations: 599_999 },
      weak: true,
      text: "pbkdf2-hmac-sha256, 599999 iterations",
    },
    {
      kdf: DEFAULT_KDF["pbkdf2-hmac-sha256"],
      weak: false,
      text: "pbkdf2-hmac-sha256, 600000 iterations",
    },
    { kdf: DEFAULT_KDF["hkdf-sha256"], weak: false, text: "hkdf-sha256 of a key file" },
  ];
  for (const { kdf, weak, text } of cases) {
    await t.step(text, () => {
      equal(weakKdfFault(kdf) !== undefined, weak);
      equal(describeKdf(kdf), text);
      deepEqual(decode({ ...SLOT, kdf }).kdf, kdf);
    });
  }
});
