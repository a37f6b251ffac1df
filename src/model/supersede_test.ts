import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { fromHex } from "../base/bytes.ts";
import { IndexBuilder } from "./index_builder.ts";
import { decodeIndexObject } from "./index_object.ts";
import { supersedeAlso } from "./supersede.ts";

Deno.test("supersedeAlso() adds a name in its place and changes nothing else", () => {
  const builder = new IndexBuilder();
  const name = "5".repeat(64);
  const pack = builder.addPack({
    name,
    salt: new Uint8Array(32),
    epoch: 1,
    storedBytes: 9000,
    tableBytes: 4096,
    kinds: 1,
  });
  builder.addChunk(new Uint8Array(16).fill(7), pack, { frame: 1, offset: 2, length: 3, kind: 0 });
  const [a, b, c] = ["1", "2", "3"].map((digit) => digit.repeat(64));
  for (const before of [[], [a], [a, b], [b, c], [c]]) {
    for (const added of [a, b, c].filter((name) => !before.includes(name))) {
      const object = decodeIndexObject(supersedeAlso(builder.encode(before), fromHex(added)), "test");
      deepEqual(object.supersedes, [...before, added].sort());
      deepEqual(object.packs.map(({ name }) => name), [name]);
      equal(object.entryCount, 1);
    }
  }
});
