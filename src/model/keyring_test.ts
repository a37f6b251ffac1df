import { deepStrictEqual as deepEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../base/bytes.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { decodeKeyring, encodeKeyring, type Keyring } from "./keyring.ts";

const KEY = "keyring/0000000001";
const HEX = "5a".repeat(32);
const KEYRING: Keyring = {
  version: 1,
  master_generation: 1,
  roots: [{ epoch: 1, key: HEX, created: "1" }, { epoch: 4, key: HEX, created: "2", later: true }],
  id_root: HEX,
  chunker_keys: { data: HEX, plain: HEX, later: HEX },
  audit_key: HEX,
  later: { x: 1 },
};

const decode = (value: unknown) => decodeKeyring(utf8(JSON.stringify(value)), KEY);

Deno.test("encodeKeyring() and decodeKeyring() are inverse, and members of later versions survive", () => {
  deepEqual(decodeKeyring(encodeKeyring(KEYRING), KEY), KEYRING);
});

Deno.test("decodeKeyring() and encodeKeyring() refuse what cannot be", async (t) => {
  const root = (epoch: unknown) => ({ epoch, key: HEX, created: "1" });
  const cases: [string, Record<string, unknown>][] = [
    ["no roots", { roots: [] }],
    ["roots that are no list", { roots: { 1: HEX } }],
    ["epoch 0", { roots: [root(0)] }],
    ["epochs out of order", { roots: [root(2), root(1)] }],
    ["an epoch twice", { roots: [root(1), root(1)] }],
    ["an epoch beyond the limit", { roots: [root(65536)] }],
    ["an epoch that is a text", { roots: [root("1")] }],
    ["a root without key", { roots: [{ epoch: 1, created: "1" }] }],
    ["a short key", { id_root: "00" }],
    ["no audit key", { audit_key: undefined }],
    ["no chunker key for plain", { chunker_keys: { data: HEX } }],
    ["generation 0", { master_generation: 0 }],
    ["version 0", { version: 0 }],
  ];
  for (const [name, members] of cases) {
    await t.step(name, () => {
      throws(() => decode({ ...KEYRING, ...members }), (error) => isKind(error, "data_damaged"));
      throws(() => encodeKeyring({ ...KEYRING, ...members } as Keyring), RangeError);
    });
  }
  await t.step("a later version", () => {
    throws(() => decode({ ...KEYRING, version: 2 }), (error) => isKind(error, "repository_unsupported"));
  });
});

Deno.test("decodeKeyring() throws nothing but AxiomError", () => {
  const any = fc.oneof(
    fc.uint8Array(),
    fc.json().map(utf8),
    fc.tuple(fc.constantFrom(...Object.keys(KEYRING)), fc.jsonValue())
      .map(([member, value]) => utf8(JSON.stringify({ ...KEYRING, [member]: value }))),
  );
  fc.assert(fc.property(any, (payload) => {
    try {
      decodeKeyring(payload, KEY);
    } catch (error) {
      ok(error instanceof AxiomError, String(error));
    }
  }));
});
