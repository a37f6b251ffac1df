import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { decodeName } from "../base/names.ts";
import { jsonLine, jsonName, jsonTime } from "./json.ts";

Deno.test("jsonName() is a string, or bytes beside something to read", async (t) => {
  const cases = [
    { name: "UTF-8", bytes: [0x61, 0xc3, 0xbc], expected: "aü" },
    { name: "not UTF-8", bytes: [0x61, 0xff, 0x62], expected: { base64: "Yf9i", display: "a\\xffb" } },
    { name: "a control character is UTF-8", bytes: [0x61, 0x0a], expected: "a\n" },
    { name: "both", bytes: [0x1b, 0x80], expected: { base64: "G4A=", display: "\\x1b\\x80" } },
    { name: "an astral character", bytes: [0xf0, 0x9f, 0x98, 0x80], expected: "😀" },
  ];
  for (const { name, bytes, expected } of cases) {
    await t.step(name, () => deepEqual(jsonName(decodeName(Uint8Array.from(bytes))), expected));
  }
});

Deno.test("jsonTime() is RFC 3339 with nanoseconds", async (t) => {
  const cases = [
    { ns: "0", expected: "1970-01-01T00:00:00.000000000Z" },
    { ns: "1700000000123456789", expected: "2023-11-14T22:13:20.123456789Z" },
    { ns: "-1", expected: "1969-12-31T23:59:59.999999999Z" },
    { ns: "253402300799999999999", expected: "9999-12-31T23:59:59.999999999Z" },
    { ns: "253402300800000000000", expected: null },
    { ns: "9223372036854775807000000000", expected: null },
    { ns: "-9223372036854775808000000000", expected: null },
  ];
  for (const { ns, expected } of cases) await t.step(ns, () => equal(jsonTime(ns), expected));
});

Deno.test("jsonLine() is one line that no terminal obeys", () => {
  const value = { text: "a\n\x1b[0m\u009b31m\u2028\udcff", list: [1, null, true] };
  const line = jsonLine(value);
  // deno-lint-ignore no-control-regex
  equal(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/.test(line), true, line);
  deepEqual(JSON.parse(line), value);
  throws(() => jsonLine(undefined), TypeError);
});
