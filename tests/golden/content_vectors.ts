/** Vectors of docs/format.md, sections 1 and 7: numbers and texts, how content is cut and named. */
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../../src/base/canonical_json.ts";
import { fromHex, KIB, MIB, toHex } from "../../src/base/bytes.ts";
import { padme } from "../../src/base/padme.ts";
import { CHUNK_KIND_NAMES } from "../../src/model/chunk.ts";
import type { Keyring } from "../../src/model/keyring.ts";
import type { RepositoryKeys } from "../../src/repository/keys.ts";
import { Cutter } from "../../src/stages/chunk.ts";
import { fixedBlockBytes } from "../../src/stages/fixed_blocks.ts";
import { deriveGear } from "../../src/stages/gear.ts";
import { chunkIdentifier } from "../../src/stages/identify.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { vectorKeys } from "./vector_keys.ts";

const TIB = 1024 * 1024 * MIB;

const VALUES: Json[] = [
  null,
  [true, false, 0, -1, 9007199254740991, -9007199254740991, []],
  { b: 1, a: { d: "", c: {} }, A: 2, "": 3 },
  { "\u{1f600}": "after the surrogates, before U+FFEE", "\uffee": 1, "\u00e9": 2, z: 3 },
  'quote " backslash \\ slash / \b\t\n\v\f\r \u0000\u001f\u007f\u0080\u2028\u2029',
  "\udc80 \u{1f600}\udcff \udced\udca0\udc80",
];

const PADME: [length: number, least: number][] = [
  ...[0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 100, 1000, 4095, 4096, 4097, 16384, 16385, 100_000, 1_048_577, 33_554_433]
    .map((length): [number, number] => [length, 0]),
  [100, 4096],
  [4097, 4096],
  [268_000_000, 16384],
];

function cuts(seed: string, length: number, min: number, normal: number, max: number, gear: Uint32Array) {
  const data = seededRandom(seed)(length);
  const cutter = new Cutter({ algorithm: "fastcdc-1" }, { min, normal, max }, gear);
  return { seed, length, min, normal, max, ends: [...cutter.cuts(data, 0, length, true)].map(([, end]) => end) };
}

async function chunking(keyring: Keyring) {
  const gear = await deriveGear(fromHex(keyring.chunker_keys.data));
  const bytes = new Uint8Array(4 * gear.length);
  gear.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word, true));
  return {
    gear: {
      chunker_key: keyring.chunker_keys.data,
      first_words: [...gear.subarray(0, 4)],
      last_word: gear[255],
      sha256: createHash("sha256").update(bytes).digest("hex"),
    },
    cuts: [
      cuts("cuts", 20_000, 64, 64, 64, gear),
      cuts("cuts", 20_000, 64, 256, 1024, gear),
      cuts("cuts", 20_000, 1000, 1000, 3000, gear),
      cuts("cuts", 400 * KIB, 2 * KIB, 10_000, 64 * KIB, gear),
      cuts("cuts", 2 * MIB, 256 * KIB, MIB, 4 * MIB, gear),
    ],
    fixed_blocks: [
      [0, null],
      [1024 * MIB, null],
      [1024 * MIB + 1, null],
      [64 * 1024 * MIB, null],
      [64 * 1024 * MIB + 1, null],
      [8 * TIB, null],
      [2048 * MIB, 4 * KIB],
      [1024 * MIB, 4 * KIB],
      [1024 * MIB, 3000],
      [100, 4 * MIB],
    ].map(([size, recorded]) => [size, recorded, fixedBlockBytes(size!, recorded ?? undefined)]),
  };
}

function chunkIds(keys: RepositoryKeys) {
  return CHUNK_KIND_NAMES.flatMap((kind) =>
    ["00", "61206368756e6b", toHex(seededRandom("chunk")(100))].map((chunk) => ({
      kind,
      chunk,
      id: toHex(chunkIdentifier(keys.chunkIdKey(kind))(fromHex(chunk))),
    }))
  );
}

export async function contentVectors() {
  const { keys, repositoryId, keyring } = vectorKeys();
  return {
    repository_id: repositoryId,
    root_of_epoch_3: keyring.roots[0].key,
    id_root: keyring.id_root,
    padme: PADME.map(([length, least]) => [length, least, padme(length, least)]),
    canonical_json: VALUES.map((value) => ({ json: JSON.stringify(value, null, 1), text: canonicalJson(value) })),
    ...await chunking(keyring),
    chunk_ids: chunkIds(keys),
    random: { seed: "cuts", first_40: toHex(seededRandom("cuts")(40)) },
  };
}
