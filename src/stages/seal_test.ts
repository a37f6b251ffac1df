import { deepStrictEqual, notDeepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { createCipheriv, createHmac } from "node:crypto";
import fc from "fast-check";
import { type Bytes, concat, equalBytes, fromHex, MIB, toHex, utf8 } from "../base/bytes.ts";
import { systemRandom } from "../base/random.ts";
import type { Cipher } from "./codec.ts";
import { KeyCache } from "./key_cache.ts";
import { aesCbcCipher, aesCtrCipher, aesGcmCipher, plainMacCipher } from "./seal.ts";

const CIPHERS = [aesGcmCipher(), aesCbcCipher(), aesCtrCipher(), plainMacCipher()];
const AAD = utf8("pack 7, frame 3, kind data");

function counting(length: number, from = 0): Bytes {
  return Uint8Array.from({ length }, (_, i) => i + from);
}

function keyFor(cipher: Cipher): Bytes {
  return counting(cipher.keyBytes, 100);
}

/** The same formats once more, by node:crypto. */
const REFERENCE: Record<string, (key: Bytes, iv: Bytes, aad: Bytes, plain: Bytes) => Uint8Array> = {
  "aes-256-gcm-1": (key, iv, aad, plain) => {
    const aes = createCipheriv("aes-256-gcm", key, iv);
    aes.setAAD(aad);
    return concat([iv, aes.update(plain), aes.final(), aes.getAuthTag()]);
  },
  "aes-256-cbc-hmac-sha256-1": (key, iv, aad, plain) => withTag("aes-256-cbc", key, iv, aad, padded(plain)),
  "aes-256-ctr-hmac-sha256-1": (key, iv, aad, plain) => withTag("aes-256-ctr", key, iv, aad, plain),
  "plain-hmac-sha256-1": (key, _, aad, plain) => concat([plain, tag(key, aad, plain).subarray(0, 16)]),
};

function tag(key: Bytes, aad: Bytes, data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  length[0] = aad.length & 255;
  length[1] = aad.length >> 8;
  return createHmac("sha256", key).update(concat([length, aad, data])).digest();
}

/** PKCS #7 by hand, because node:crypto of Deno 2.4 leaves the last block out. */
function padded(plain: Bytes): Bytes {
  const bytes = 16 - plain.length % 16;
  return concat([plain, new Uint8Array(bytes).fill(bytes)]);
}

function withTag(algorithm: string, key: Bytes, iv: Bytes, aad: Bytes, plain: Bytes): Uint8Array {
  const aes = createCipheriv(algorithm, key.slice(0, 32), iv);
  aes.setAutoPadding(false);
  const secret = concat([iv, aes.update(plain), aes.final()]);
  return concat([secret, tag(key.slice(32), aad, secret)]);
}

function ciphersWith(iv: (length: number) => Bytes): Cipher[] {
  return [aesGcmCipher(iv), aesCbcCipher(iv), aesCtrCipher(iv), plainMacCipher()];
}

Deno.test("seal() makes the bytes that another implementation makes, and open() its inverse", async (t) => {
  const ivs: { name: string; iv: (length: number) => Bytes }[] = [
    { name: "some IV", iv: (length) => counting(length) },
    { name: "an IV whose counter wraps", iv: (length) => new Uint8Array(length).fill(255) },
    { name: "an IV whose lower 64 bits wrap", iv: (length) => counting(length).map((byte, i) => i < 8 ? byte : 255) },
  ];
  for (const { name, iv } of ivs) {
    for (const cipher of ciphersWith(iv)) {
      await t.step(`${cipher.formatId}, ${name}`, async () => {
        const key = keyFor(cipher);
        for (const length of [0, 1, 15, 16, 17, 31, 32, 1000, 65_536]) {
          for (const aad of [new Uint8Array(0), AAD, counting(300)]) {
            const plain = counting(length, 7);
            const ivBytes = cipher.formatId === "aes-256-gcm-1" ? 12 : 16;
            const expected = REFERENCE[cipher.formatId](key, iv(ivBytes), aad, plain);
            const sealed = await cipher.seal(key, aad, plain);
            strictEqual(toHex(sealed), toHex(expected), `${length} bytes, ${aad.length} of AAD`);
            strictEqual(sealed.length, length + cipher.overheadBytes(length));
            deepStrictEqual(await cipher.open(key, aad, sealed), plain);
          }
        }
      });
    }
  }
});

Deno.test("the modes are NIST's", async (t) => {
  const key = fromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const block = fromHex("6bc1bee22e409f96e93d7e117393172a");
  const cases = [
    {
      name: "GCM, McGrew and Viega, test case 14",
      cipher: aesGcmCipher((length) => new Uint8Array(length)),
      key: new Uint8Array(32),
      plain: new Uint8Array(16),
      at: 12,
      expected: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    },
    {
      name: "CBC, SP 800-38A, F.2.5",
      cipher: aesCbcCipher((length) => counting(length)),
      key: concat([key, key]),
      plain: block,
      at: 16,
      expected: "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
    },
    {
      name: "CTR, SP 800-38A, F.5.5",
      cipher: aesCtrCipher((length) => counting(length, 0xf0)),
      key: concat([key, key]),
      plain: block,
      at: 16,
      expected: "601ec313775789a5b7a7f504bbf3d228",
    },
  ];
  for (const { name, cipher, key, plain, at, expected } of cases) {
    await t.step(name, async () => {
      const sealed = await cipher.seal(key, new Uint8Array(0), plain);
      strictEqual(toHex(sealed.subarray(at, at + expected.length / 2)), expected);
    });
  }
});

Deno.test("open() refuses every flipped bit of what was sealed and of the AAD", async (t) => {
  for (const cipher of CIPHERS) {
    await t.step(cipher.formatId, async () => {
      const key = keyFor(cipher);
      for (const plain of [new Uint8Array(0), counting(20)]) {
        const sealed = await cipher.seal(key, AAD, plain);
        const attempts: Promise<void>[] = [];
        const refuse = (aad: Bytes, data: Bytes) =>
          attempts.push(rejects(cipher.open(key, aad, data), { kind: "data_damaged" }));
        for (let bit = 0; bit < 8 * sealed.length; bit++) {
          refuse(AAD, sealed.with(bit >> 3, sealed[bit >> 3] ^ (1 << (bit & 7))));
        }
        for (let bit = 0; bit < 8 * AAD.length; bit++) {
          refuse(AAD.with(bit >> 3, AAD[bit >> 3] ^ (1 << (bit & 7))), sealed);
        }
        await Promise.all(attempts);
        deepStrictEqual(await cipher.open(key, AAD, sealed), plain);
      }
    });
  }
});

Deno.test("open() refuses any other bytes, lengths, AAD and keys", async (t) => {
  for (const cipher of CIPHERS) {
    const key = keyFor(cipher);
    await t.step(`${cipher.formatId}, cut or lengthened`, async () => {
      const sealed = await cipher.seal(key, AAD, counting(40));
      for (let length = 0; length < sealed.length; length++) {
        await rejects(cipher.open(key, AAD, sealed.slice(0, length)), { kind: "data_damaged" });
        await rejects(cipher.open(key, AAD, sealed.slice(length + 1)), { kind: "data_damaged" });
      }
      await rejects(cipher.open(key, AAD, concat([sealed, Uint8Array.of(0)])), { kind: "data_damaged" });
    });
    await t.step(`${cipher.formatId}, bytes moved between AAD and plain`, async () => {
      const sealed = await cipher.seal(key, AAD, counting(40));
      await rejects(cipher.open(key, AAD.slice(0, -1), sealed), { kind: "data_damaged" });
      await rejects(cipher.open(key, new Uint8Array(0), concat([AAD, sealed])), { kind: "data_damaged" });
    });
    await t.step(`${cipher.formatId}, another key`, async () => {
      const sealed = await cipher.seal(key, AAD, counting(40));
      const lastBitOfKey = key.with(key.length - 1, key[key.length - 1] ^ 1);
      await rejects(cipher.open(lastBitOfKey, AAD, sealed), { kind: "data_damaged" });
    });
    await t.step(`${cipher.formatId}, random changes`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 400 }),
          fc.uint8Array({ maxLength: 100 }),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          async (data, aadData, place, change) => {
            const plain = new Uint8Array(data), aad = new Uint8Array(aadData);
            const sealed = await cipher.seal(key, aad, plain);
            deepStrictEqual(await cipher.open(key, aad, sealed), plain);
            const at = place % sealed.length;
            await rejects(cipher.open(key, aad, sealed.with(at, sealed[at] ^ change)), { kind: "data_damaged" });
          },
        ),
        { numRuns: 60 },
      );
    });
    await t.step(`${cipher.formatId}, keys of another length are a mistake`, async () => {
      for (const length of [0, 16, 31, 33, 63, 65]) {
        await rejects(async () => await cipher.seal(counting(length), AAD, counting(1)), RangeError);
        await rejects(async () => await cipher.open(counting(length), AAD, counting(100)), RangeError);
      }
    });
  }
});

Deno.test("CBC with a right tag over wrong padding is refused, not returned", async () => {
  const cipher = aesCbcCipher();
  const key = keyFor(cipher);
  const secret = systemRandom(16);
  for (let guess = 0; guess < 20; guess++) {
    const body = concat([systemRandom(16), secret]);
    try {
      const plain = await cipher.open(key, AAD, concat([body, tag(key.slice(32), AAD, body)]));
      ok(plain.length < 16, "padding of 1 to 16 bytes by chance");
    } catch (error) {
      strictEqual((error as { kind?: string }).kind, "data_damaged");
    }
  }
});

Deno.test("seal() takes 4 MiB, a part of a buffer, and never the same nonce twice", async (t) => {
  const large = systemRandom(4 * MIB);
  for (const cipher of CIPHERS) {
    await t.step(cipher.formatId, async () => {
      const key = keyFor(cipher);
      const sealed = await cipher.seal(key, AAD, large);
      strictEqual(sealed.length, large.length + cipher.overheadBytes(large.length));
      strictEqual(sealed.buffer.byteLength, sealed.length, "owns its buffer, so that it can be transferred");
      ok(equalBytes(await cipher.open(key, AAD, sealed), large));

      const part = large.subarray(13, 1013);
      const inside = concat([counting(5), await cipher.seal(key, AAD, part), counting(5)]);
      deepStrictEqual(await cipher.open(key, AAD, inside.subarray(5, inside.length - 5)), part.slice());

      if (cipher.pluginId === "plain_mac") return;
      const [a, b] = [await cipher.seal(key, AAD, part), await cipher.seal(key, AAD, part)];
      notDeepStrictEqual(a.subarray(0, 12), b.subarray(0, 12));
    });
  }
});

Deno.test("KeyCache keeps the keys that were used last", async () => {
  const cache = new KeyCache(2);
  const [a, b, c] = [counting(32, 1), counting(32, 2), counting(32, 3)];
  const first = cache.aes("AES-GCM", a);
  strictEqual(cache.aes("AES-GCM", a.slice()), first, "known by its bytes");
  const second = cache.aes("AES-GCM", b);
  strictEqual(cache.aes("AES-GCM", a), first, "used again");
  cache.aes("AES-GCM", c);
  strictEqual(cache.size, 2);
  strictEqual(cache.aes("AES-GCM", a), first, "kept");
  ok(cache.aes("AES-GCM", b) !== second, "dropped");
  ok(cache.aes("AES-CTR", b) !== cache.aes("AES-CBC", b), "one key, two modes");
  strictEqual((await cache.aes("AES-CTR", b)).algorithm.name, "AES-CTR");
  strictEqual((await first).extractable, false);
});
