import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../base/bytes.ts";
import { canonicalJson, type Json } from "../base/canonical_json.ts";
import { AxiomError, isKind } from "../base/errors.ts";
import { coveredBytes, decodeTextObject, encodeTextObject } from "./text_object.ts";

const CHECK = new Uint8Array(32).fill(0xab);
const decode = (stored: Uint8Array, bytesMax = 4096) =>
  decodeTextObject(stored, bytesMax, "the thing", (document) => document.version);
const stored = (json: string) => encodeTextObject(utf8(json), CHECK);

Deno.test("encodeTextObject() and decodeTextObject() are inverse", () => {
  const member = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.array(fc.string()));
  fc.assert(fc.property(fc.dictionary(fc.string(), member), (members) => {
    const document = { ...members, version: 1 } as { [key: string]: Json };
    const json = utf8(canonicalJson(document));
    const decoded = decode(encodeTextObject(json, CHECK), 1_000_000);
    deepEqual(decoded.json, json);
    deepEqual(decoded.check, CHECK);
    equal(canonicalJson(decoded.document as Json), canonicalJson(document));
  }));
});

Deno.test("decodeTextObject() refuses every other text", async (t) => {
  const good = stored('{"version":1}');
  const tail = "\n" + "ab".repeat(32) + "\n";
  const cases: { name: string; data: Uint8Array; why: RegExp }[] = [
    { name: "empty", data: new Uint8Array(0), why: /torn, only 0 bytes/ },
    { name: "torn", data: good.subarray(0, good.length - 1), why: /line of JSON/ },
    { name: "too long", data: new Uint8Array(4097), why: /4097 bytes are more/ },
    { name: "capital digits", data: utf8('{"version":1}' + tail.toUpperCase()), why: /line of JSON/ },
    { name: "a third line", data: utf8('{"version":1}\n{}' + tail), why: /line of JSON/ },
    { name: "not JSON", data: stored('{"version":1'), why: /not JSON/ },
    { name: "not UTF-8", data: encodeTextObject(Uint8Array.of(0x22, 0xff, 0x22), CHECK), why: /not JSON/ },
    { name: "a list", data: stored("[1]"), why: /no object/ },
    { name: "no version", data: stored("{}"), why: /version undefined/ },
    { name: "version as text", data: stored('{"version":"1"}'), why: /version "1"/ },
    { name: "white space", data: stored('{"version": 1}'), why: /canonical/ },
    { name: "a member twice", data: stored('{"version":2,"version":1}'), why: /canonical/ },
    { name: "members out of order", data: stored('{"version":1,"a":1}'), why: /canonical/ },
    { name: "another form of a number", data: stored('{"version":1.0}'), why: /canonical/ },
    { name: "a fraction", data: stored('{"a":0.5,"version":1}'), why: /safe integers/ },
    { name: "absurdly nested", data: stored("[".repeat(2000)), why: /not JSON/ },
    {
      name: "absurdly nested, but whole",
      data: stored(`{"a":${"[".repeat(30_000)}${"]".repeat(30_000)},"version":1}`),
      why: /nested too deeply|not JSON/,
    },
  ];
  for (const { name, data, why } of cases) {
    await t.step(name, () =>
      throws(() => decode(data, name.includes("whole") ? 100_000 : 4096), (error) => {
        return isKind(error, "data_damaged") && why.test(error.message);
      }));
  }
});

Deno.test("decodeTextObject() says that a later version needs a later program", () => {
  throws(() => decode(stored('{"version":2}')), (error) => isKind(error, "repository_unsupported"));
});

Deno.test("decodeTextObject() throws nothing but AxiomError, whatever is damaged", () => {
  const good = stored('{"a":[1,{"b":"\\u0000"}],"version":1}');
  fc.assert(fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
    const data = good.slice(0, length || undefined);
    if (at < data.length) data[at] = value;
    try {
      decode(data);
    } catch (error) {
      ok(error instanceof AxiomError);
    }
  }));
});

Deno.test("coveredBytes() tells where the key ends and the JSON begins", () => {
  deepEqual([...coveredBytes("ab", utf8("c"))], [2, 0, 0, 0, 0x61, 0x62, 0x63]);
});
