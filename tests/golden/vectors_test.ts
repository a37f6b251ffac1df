import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { canonicalJson, decodeJson, type Json } from "../../src/base/canonical_json.ts";
import { fromBase64, fromHex, fromUtf8, toHex, utf8 } from "../../src/base/bytes.ts";
import { decodeName, encodeName } from "../../src/base/names.ts";
import type { Entry } from "../../src/model/entry.ts";
import { decodeIndexObject } from "../../src/model/index_object.ts";
import { decodeSnapshot } from "../../src/model/snapshot.ts";
import { decodeTreeNode, encodeLeaf } from "../../src/model/tree.ts";
import { entryText } from "../../src/model/entry_text.ts";
import { decodeCondemned } from "../../src/repository/condemned.ts";
import { openObject } from "../../src/repository/envelope_sealer.ts";
import { decodeLedgerRecord } from "../../src/repository/ledger.ts";
import { openFrame } from "../../src/stages/frame.ts";
import { openPackTable, openTrailer } from "../../src/stages/pack.ts";
import { builtInStages } from "../../src/stages/registry.ts";
import { makeVectors, type Vectors } from "./make_vectors.ts";
import { vectorKeys } from "./vector_keys.ts";

const VECTORS: Vectors = JSON.parse(await Deno.readTextFile(new URL("vectors.json", import.meta.url)));
const { keys, repositoryId } = vectorKeys();
const stages = builtInStages();

Deno.test("the program still writes the vectors of the format, byte for byte", async (t) => {
  const made = JSON.parse(JSON.stringify(await makeVectors())) as Vectors;
  for (const name of Object.keys(VECTORS) as (keyof Vectors)[]) {
    await t.step(name, () => deepStrictEqual(made[name], VECTORS[name]));
  }
  deepStrictEqual(Object.keys(made), Object.keys(VECTORS));
});

Deno.test("the program reads texts and documents of the vectors", async (t) => {
  await t.step("names", () => {
    for (const { bytes, json } of VECTORS.names) {
      strictEqual(toHex(encodeName(JSON.parse(json))), bytes);
      strictEqual(decodeName(fromHex(bytes)), JSON.parse(json));
    }
  });
  await t.step("canonical JSON is a fixed point", () => {
    for (const { text } of VECTORS.canonical_json) strictEqual(canonicalJson(JSON.parse(text) as Json), text);
  });
  await t.step("tree nodes", () => {
    const leaf = decodeTreeNode(utf8(VECTORS.leaf), "leaf") as { entries: Entry[] };
    strictEqual(fromUtf8(encodeLeaf(leaf.entries.map(entryText))), VECTORS.leaf);
    const node = decodeTreeNode(utf8(VECTORS.index_node), "index node");
    deepStrictEqual("children" in node && node.children.map(({ first }) => first), ["a", "\udcff"]);
  });
  await t.step("manifest, ledger and condemned list", () => {
    const snapshot = decodeSnapshot(utf8(VECTORS.manifest), "vector");
    strictEqual(canonicalJson(snapshot as unknown as Json), VECTORS.manifest);
    const record = decodeLedgerRecord(utf8(VECTORS.ledger), "ledger/0000000001");
    strictEqual(canonicalJson(record as unknown as Json), VECTORS.ledger);
    strictEqual(decodeCondemned(utf8(VECTORS.condemned), "condemned/a").length, 2);
    deepStrictEqual(decodeJson(utf8(VECTORS.marker)), { manifest: snapshot.previous, version: 1 });
  });
});

Deno.test("the program opens the frames of the vectors, and no changed one", async (t) => {
  for (const vector of VECTORS.frames) {
    const { cipher, codec, kind, number, plain } = vector;
    const place = {
      epoch: 3,
      repositoryId: fromHex(repositoryId),
      salt: fromHex(vector.salt),
      kind,
      codec: vector.codec_place,
      cipher: vector.cipher_place,
      frame: number,
      key: fromHex(vector.key),
    };
    const open = (sealed: string, at = place) =>
      openFrame(stages.codecForFormat(codec), stages.cipherForFormat(cipher), at, plain.length, fromHex(sealed));
    await t.step(`${cipher}, ${codec}, frame ${number}`, async () => {
      strictEqual(fromUtf8(await open(vector.sealed)), plain);
      const flipped = fromHex(vector.sealed);
      flipped[flipped.length - 1] ^= 1;
      await rejects(open(toHex(flipped)), { kind: "data_damaged" });
      await rejects(open(vector.sealed, { ...place, frame: number ^ 1 }), { kind: "data_damaged" });
    });
  }
});

Deno.test("the program opens the sealed objects of the vectors", async (t) => {
  await t.step("pack table", async () => {
    const { sealed_table, trailer, frame_bytes, padding_bytes } = VECTORS.pack;
    const sealed = fromBase64(sealed_table);
    const packBytes = frame_bytes + padding_bytes + sealed.length + 64;
    const end = openTrailer(fromHex(trailer), packBytes, "vector");
    const key = keys.packTableKey(end.epoch, end.salt);
    const table = await openPackTable(sealed, end, packBytes, keys.repositoryId, key, stages.tableCipher, "vector");
    deepStrictEqual(table.frames.map(({ offset, chunks }) => [offset, chunks.length]), [[700, 1], [0, 2], [1000, 0]]);
    deepStrictEqual(table.dictionary.map(({ formatId }) => formatId), ["zstd-1", "aes-256-gcm-1", "a-1"]);
  });
  await t.step("index object", () => {
    const { payload, name } = VECTORS.index;
    const { packs, supersedes, entryCount } = decodeIndexObject(fromHex(payload), name);
    deepStrictEqual([packs.map(({ kinds }) => kinds).sort(), supersedes.length, entryCount], [[3, 4], 2, 3]);
  });
  await t.step("envelope", async () => {
    const { object_key, object, payload } = VECTORS.envelope;
    strictEqual(fromUtf8(await openObject(keys, "session", object_key, fromBase64(object))), payload);
    await rejects(openObject(keys, "session", `${object_key}0`, fromBase64(object)), { kind: "data_damaged" });
  });
});
