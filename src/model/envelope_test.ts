import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { AxiomError, isKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { padme } from "../base/padme.ts";
import {
  decodeEnvelope,
  encodeHeader,
  envelopeBytes,
  HEADER_BYTES,
  OBJECT_TYPES,
  padPayload,
  unpadPayload,
} from "./envelope.ts";

const damaged = (error: unknown) => isKind(error, "data_damaged");

Deno.test("envelopeBytes() gives padded lengths of whole objects", async (t) => {
  const cases = [
    { payload: 0, stored: 4096 },
    { payload: 4096 - 74, stored: 4096 },
    { payload: 4096 - 73, stored: 4352 },
    { payload: 1_000_000, stored: 1_015_808 },
  ];
  for (const { payload, stored } of cases) {
    await t.step(`${payload} bytes`, () => {
      equal(envelopeBytes(payload), stored);
      equal(padme(stored), stored);
    });
  }
});

Deno.test("padPayload() and unpadPayload() are inverse and fill the object", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20_000 }), (payload) => {
    const plain = padPayload(payload, "index/a");
    equal(HEADER_BYTES + plain.length + 16, envelopeBytes(payload.length));
    deepEqual(unpadPayload(plain, "index/a"), payload);
  }));
});

Deno.test("unpadPayload() refuses lengths and padding that were not made by padPayload()", async (t) => {
  const change = (at: number, value: number) => {
    const plain = padPayload(new Uint8Array(10).fill(1), "index/a");
    plain[at] = value;
    return plain;
  };
  const cases = [
    { name: "no length", plain: new Uint8Array(3), why: /no length/ },
    { name: "length beyond the end", plain: change(2, 0xff), why: /claims 16711690 bytes/ },
    { name: "a padded length of another payload", plain: new Uint8Array(5000), why: /not padded/ },
    { name: "first byte of padding", plain: change(14, 1), why: /padding/ },
    { name: "last byte of padding", plain: change(4096 - 71, 1), why: /padding/ },
    { name: "shorter length, so that payload becomes padding", plain: change(0, 9), why: /padding/ },
  ];
  for (const { name, plain, why } of cases) {
    await t.step(name, () => throws(() => unpadPayload(plain, "index/a"), (e) => damaged(e) && why.test(e.message)));
  }
});

Deno.test("padPayload() refuses what no reader accepts", () => {
  const payload = new Uint8Array(LIMITS.objectPlainBytesMax + 1);
  throws(() => padPayload(payload, "index/a"), (error) => isKind(error, "limit_exceeded"));
});

Deno.test("decodeEnvelope() takes apart what encodeHeader() made", () => {
  const salt = new Uint8Array(32).fill(3), nonce = new Uint8Array(12).fill(4);
  const stored = new Uint8Array(4096).fill(9);
  stored.set(encodeHeader({ type: "snapshot", epoch: 0x04030201, salt, nonce }));
  deepEqual([...stored.subarray(0, 10)], [0x41, 0x58, 0x45, 0x4e, 4, 1, 1, 2, 3, 4]);
  const { header, aad, sealed } = decodeEnvelope("snapshot", "snapshots/x", stored);
  deepEqual(header, { type: "snapshot", epoch: 0x04030201, salt, nonce });
  equal(aad.length, HEADER_BYTES + "snapshots/x".length);
  equal(sealed.length, 4096 - HEADER_BYTES);
});

Deno.test("decodeEnvelope() refuses other objects before it looks into them", async (t) => {
  const header = encodeHeader({
    type: "index",
    epoch: 1,
    salt: new Uint8Array(32),
    nonce: new Uint8Array(12),
  });
  const object = (length: number, change: (data: Uint8Array) => void = () => {}) => {
    const data = new Uint8Array(length);
    data.set(header.subarray(0, Math.min(length, header.length)));
    change(data);
    return data;
  };
  const cases = [
    { name: "empty", stored: object(0), why: /torn, only 0 bytes/ },
    { name: "torn", stored: object(4095), why: /torn/ },
    { name: "a length between two padded ones", stored: object(4097), why: /padded length/ },
    { name: "too large", stored: new Uint8Array(80 * 1024 * 1024), why: /more than an object/ },
    { name: "magic", stored: object(4096, (data) => data[0] = 0), why: /not a sealed object/ },
    { name: "type", stored: object(4096, (data) => data[4] = OBJECT_TYPES.snapshot), why: /of type 4, not 3/ },
    { name: "suite", stored: object(4096, (data) => data[5] = 2), why: /suite 2/ },
  ];
  for (const { name, stored, why } of cases) {
    await t.step(
      name,
      () =>
        throws(() => decodeEnvelope("index", "index/a", stored), (error) => damaged(error) && why.test(error.message)),
    );
  }
});

Deno.test("decodeEnvelope() throws nothing but AxiomError for random bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 4000, maxLength: 5000 }), (stored) => {
    try {
      decodeEnvelope("index", "index/a", stored);
    } catch (error) {
      ok(error instanceof AxiomError);
    }
  }));
});

Deno.test("OBJECT_TYPES numbers are distinct bytes", () => {
  const numbers = Object.values(OBJECT_TYPES);
  equal(new Set(numbers).size, numbers.length);
  ok(numbers.every((number) => number > 0 && number < 256));
});
