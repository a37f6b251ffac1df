import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { encodeJson, type Json } from "../base/canonical_json.ts";
import { utf8 } from "../base/bytes.ts";
import { decodeCondemned, encodeCondemned } from "./condemned.ts";

const PACK = "ab".repeat(32);

Deno.test("decodeCondemned() tells what is damaged from what a later version wrote", async (t) => {
  deepEqual(decodeCondemned(encodeCondemned([PACK]), "condemned/a"), [PACK]);
  const cases: { name: string; document: Json | undefined; kind: string }[] = [
    { name: "no JSON", document: undefined, kind: "data_damaged" },
    { name: "null", document: null, kind: "data_damaged" },
    { name: "a list", document: [PACK], kind: "data_damaged" },
    { name: "no packs", document: { version: 1 }, kind: "data_damaged" },
    { name: "packs of no name", document: { packs: [PACK, 7], version: 1 }, kind: "data_damaged" },
    { name: "a path", document: { packs: ["../keys"], version: 1 }, kind: "data_damaged" },
    { name: "a later version", document: { version: 2 }, kind: "repository_unsupported" },
  ];
  for (const { name, document, kind } of cases) {
    const payload = document === undefined ? utf8("{") : encodeJson(document);
    await t.step(name, () => throws(() => decodeCondemned(payload, "condemned/a"), { kind, message: /condemned\/a/ }));
  }
  equal(decodeCondemned(encodeCondemned([]), "condemned/a").length, 0);
});
