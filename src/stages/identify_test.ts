import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { type Bytes, fromHex, MIB, toHex, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { chunkIdentifier, verifyChunk } from "./identify.ts";

Deno.test("chunkIdentifier() is HMAC-SHA-256: RFC 4231, section 4", async (t) => {
  const filled = (byte: number, length: number): Bytes => new Uint8Array(length).fill(byte);
  const cases = [
    {
      name: "test case 1",
      key: filled(0x0b, 20),
      data: utf8("Hi There"),
      id: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    },
    {
      name: "test case 2, a short key",
      key: utf8("Jefe"),
      data: utf8("what do ya want for nothing?"),
      id: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    },
    {
      name: "test case 3",
      key: filled(0xaa, 20),
      data: filled(0xdd, 50),
      id: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    },
    {
      name: "test case 4",
      key: fromHex("0102030405060708090a0b0c0d0e0f10111213141516171819"),
      data: filled(0xcd, 50),
      id: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    },
    {
      name: "test case 6, a key longer than a block",
      key: filled(0xaa, 131),
      data: utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
      id: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    },
    {
      name: "test case 7, long key and data",
      key: filled(0xaa, 131),
      data: utf8(
        "This is a test using a larger than block-size key and a larger than block-size data. " +
          "The key needs to be hashed before being used by the HMAC algorithm.",
      ),
      id: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    },
  ];
  for (const { name, key, data, id } of cases) {
    await t.step(name, () => strictEqual(toHex(chunkIdentifier(key)(data)), id));
  }
});

Deno.test("chunkIdentifier() equals createHmac, chunk after chunk", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 130 }),
      fc.array(fc.uint8Array({ maxLength: 5000 }), { minLength: 1, maxLength: 5 }),
      (keyData, chunks) => {
        const key = new Uint8Array(keyData);
        const identify = chunkIdentifier(key);
        const ids = chunks.map(identify);
        for (const [i, chunk] of chunks.entries()) {
          strictEqual(toHex(ids[i]), createHmac("sha256", key).update(chunk).digest("hex"));
        }
      },
    ),
  );
});

Deno.test("chunkIdentifier() reads parts of buffers, and its key may change afterwards", () => {
  const key = new Uint8Array(32).fill(7);
  const expected = createHmac("sha256", key.slice()).update(new Uint8Array(MIB)).digest("hex");
  const identify = chunkIdentifier(key);
  key.fill(0);
  const buffer = new Uint8Array(MIB + 100).fill(1);
  buffer.fill(0, 50, MIB + 50);
  const id = identify(buffer.subarray(50, MIB + 50));
  strictEqual(toHex(id), expected);
  strictEqual(id.constructor, Uint8Array);
  deepStrictEqual([id.length, id.buffer.byteLength], [32, 32]);
});

Deno.test("verifyChunk() accepts the chunk alone", () => {
  const identify = chunkIdentifier(new Uint8Array(32));
  const chunk = utf8("content");
  const id = identify(chunk);
  verifyChunk(identify, id, chunk);
  const isDamaged = (error: unknown) =>
    error instanceof AxiomError && error.kind === "data_damaged" && error.message.includes(toHex(id));
  for (let bit = 0; bit < 8 * chunk.length; bit++) {
    throws(() => verifyChunk(identify, id, chunk.with(bit >> 3, chunk[bit >> 3] ^ (1 << (bit & 7)))), isDamaged);
  }
  for (let bit = 0; bit < 256; bit++) {
    const other = id.with(bit >> 3, id[bit >> 3] ^ (1 << (bit & 7)));
    throws(() => verifyChunk(identify, other, chunk), (error: unknown) => {
      ok(error instanceof AxiomError && error.kind === "data_damaged");
      return true;
    });
  }
  throws(() => verifyChunk(identify, id, chunk.subarray(1)), isDamaged);
  throws(() => verifyChunk(identify, id.subarray(0, 31), chunk));
});
