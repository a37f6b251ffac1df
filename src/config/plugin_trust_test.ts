import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { revoked, trustedKey } from "./plugin_trust.ts";

const KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

Deno.test("a trusted key stands behind the beginning of the ids that it may sign", () => {
  deepEqual(trustedKey.read(`compression_=${KEY}`, {}), { prefix: "compression_", key: KEY });
  deepEqual(trustedKey.read(`* = ${KEY}`, {}), { prefix: "", key: KEY });
  const wrong = [
    KEY,
    `=${KEY}`,
    `Compression_=${KEY}`,
    `a-b=${KEY}`,
    `a=${KEY}=`,
    `a=${KEY.slice(1)}`,
    `a=RU${KEY.slice(2)}`,
    "",
  ];
  for (const text of wrong) throws(() => trustedKey.read(text, {}), RangeError, text);
});

Deno.test("what is revoked is a key's id or a plugin's hash, in either case", () => {
  equal(revoked.read("8cb936db57919bc3", {}), "8CB936DB57919BC3");
  equal(revoked.read("AB".repeat(32), {}), "ab".repeat(32));
  for (const text of ["", "8CB936DB57919BC", KEY, "compression_lz4", "g".repeat(64)]) {
    throws(() => revoked.read(text, {}), RangeError);
  }
});
