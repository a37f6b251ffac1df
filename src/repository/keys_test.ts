import { deepStrictEqual, doesNotMatch, ok, strictEqual, throws } from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type Bytes, concat, fromHex, toHex, utf8 } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Keyring } from "../model/keyring.ts";
import { hkdf } from "./hkdf.ts";
import { RepositoryKeys } from "./keys.ts";

const ID = "00112233445566778899aabbccddeeff";
const SALT = new Uint8Array(32).fill(9);
const KEYRING: Keyring = {
  version: 1,
  master_generation: 1,
  roots: [{ epoch: 1, key: "01".repeat(32), created: "0" }, { epoch: 3, key: "02".repeat(32), created: "0" }],
  id_root: "03".repeat(32),
  chunker_keys: { data: "04".repeat(32), plain: "05".repeat(32) },
  audit_key: "06".repeat(32),
};
const GCM = { formatId: "aes-256-gcm-1", keyBytes: 32 };
const CTR = { formatId: "aes-256-ctr-hmac-1", keyBytes: 64 };

/** RFC 5869 written out. */
function plainHkdf(key: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Bytes {
  const hmac = (k: Uint8Array, data: Uint8Array) => new Uint8Array(createHmac("sha256", k).update(data).digest());
  const pseudorandom = hmac(salt.length === 0 ? new Uint8Array(32) : salt, key);
  let block: Bytes = new Uint8Array(0), output: Bytes = new Uint8Array(0);
  for (let i = 1; output.length < length; i++) {
    block = hmac(pseudorandom, concat([block, info, Uint8Array.of(i)]));
    output = concat([output, block]);
  }
  return output.slice(0, length);
}

Deno.test("hkdf() computes test cases 1 and 3 of RFC 5869, appendix A", () => {
  const ikm = fromHex("0b".repeat(22));
  const info = fromHex("f0f1f2f3f4f5f6f7f8f9");
  const one = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
  const three = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
  strictEqual(toHex(hkdf(ikm, fromHex("000102030405060708090a0b0c"), "", [info], 42)), one);
  strictEqual(toHex(hkdf(ikm, new Uint8Array(0), "", [], 42)), three);
});

Deno.test("RepositoryKeys derives what the format's document says", async (t) => {
  const keys = new RepositoryKeys(ID, KEYRING);
  const root = fromHex("01".repeat(32)), idRoot = fromHex("03".repeat(32)), none = new Uint8Array(0);
  const info = (label: string) => concat([utf8(label), fromHex(ID)]);
  const cases: [string, Bytes, Bytes][] = [
    [
      "object",
      keys.objectKey("index", 1, SALT),
      plainHkdf(root, SALT, concat([utf8("axiom/1/obj/"), Uint8Array.of(3), fromHex(ID)]), 32),
    ],
    [
      "frame, GCM",
      keys.packFrameKey(1, SALT, ChunkKind.data, GCM),
      plainHkdf(root, SALT, info("axiom/1/pack/data/aes-256-gcm-1/"), 32),
    ],
    [
      "frame, CTR",
      keys.packFrameKey(1, SALT, ChunkKind.tree, CTR),
      plainHkdf(root, SALT, info("axiom/1/pack/tree/aes-256-ctr-hmac-1/"), 64),
    ],
    ["table", keys.packTableKey(1, SALT), plainHkdf(root, SALT, info("axiom/1/table/"), 32)],
    ["plain MAC", keys.plainMacKey(1, SALT), plainHkdf(root, SALT, info("axiom/1/plain-mac"), 32)],
    ["chunk ids", keys.chunkIdKey("tree"), plainHkdf(idRoot, none, utf8("axiom/1/id/tree"), 32)],
    ["tree split", keys.treeSplitKey(), plainHkdf(idRoot, none, utf8("axiom/1/tree-split"), 32)],
    ["chunker", keys.chunkerKey("plain"), fromHex("05".repeat(32))],
  ];
  for (const [name, actual, expected] of cases) await t.step(name, () => deepStrictEqual(actual, expected));
});

Deno.test("RepositoryKeys gives every purpose a key of its own", () => {
  const keys = new RepositoryKeys(ID, KEYRING), other = new RepositoryKeys("ff".repeat(16), KEYRING);
  const otherSalt = new Uint8Array(32).fill(8);
  const all = [
    keys.objectKey("index", 1, SALT),
    keys.objectKey("snapshot", 1, SALT),
    keys.objectKey("index", 3, SALT),
    keys.objectKey("index", 1, otherSalt),
    other.objectKey("index", 1, SALT),
    ...Object.values(ChunkKind).map((kind) => keys.packFrameKey(1, SALT, kind, GCM)),
    keys.packFrameKey(1, SALT, ChunkKind.data, CTR).slice(0, 32),
    keys.packFrameKey(3, SALT, ChunkKind.data, GCM),
    other.packFrameKey(1, SALT, ChunkKind.data, GCM),
    keys.packTableKey(1, SALT),
    keys.plainMacKey(1, SALT),
    keys.chunkIdKey("data"),
    keys.chunkIdKey("tree"),
    keys.chunkIdKey("plain"),
    keys.treeSplitKey(),
    keys.chunkerKey("data"),
    keys.chunkerKey("plain"),
  ].map(toHex);
  strictEqual(new Set(all).size, all.length);
});

Deno.test("RepositoryKeys refuses what has no key", async (t) => {
  const keys = new RepositoryKeys(ID, KEYRING);
  strictEqual(keys.epoch, 3);
  await t.step("an epoch between", () => {
    strictEqual(keys.hasEpoch(2), false);
    throws(() => keys.packTableKey(2, SALT), (error) => isKind(error, "data_damaged") && /epoch 2/.test(error.message));
  });
  await t.step("a salt of 31 bytes", () => throws(() => keys.packTableKey(1, SALT.subarray(1)), RangeError));
  for (const cipher of [{ ...GCM, keyBytes: 33 }, { ...GCM, formatId: "" }, { ...GCM, formatId: "a/b" }]) {
    await t.step(JSON.stringify(cipher), () => {
      throws(() => keys.packFrameKey(1, SALT, ChunkKind.data, cipher), RangeError);
    });
  }
});

Deno.test("RepositoryKeys can be made again in a worker, and shows no key when printed", () => {
  const keys = new RepositoryKeys(ID, KEYRING);
  const again = new RepositoryKeys(toHex(keys.repositoryId), structuredClone(keys.keyring()));
  deepStrictEqual(again.packTableKey(1, SALT), keys.packTableKey(1, SALT));
  const printed = Deno.inspect(keys, { depth: 10 });
  ok(printed.includes("epoch"));
  for (const byte of ["01", "02", "03", "04"]) doesNotMatch(printed, new RegExp(`(${byte}){8}`));
});
