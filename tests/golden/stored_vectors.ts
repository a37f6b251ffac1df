/** Vectors of docs/format.md, sections 5, 6, 8, 10 and 11: what is sealed, and the payloads of all documents. */
import { canonicalJson, type Json } from "../../src/base/canonical_json.ts";
import { type Bytes, fromHex, fromUtf8, toBase64, toHex, utf8 } from "../../src/base/bytes.ts";
import type { ChunkKind } from "../../src/model/chunk.ts";
import type { PackRecord } from "../../src/model/index_object.ts";
import { IndexBuilder } from "../../src/model/index_builder.ts";
import { encodePackTable, type PackTable } from "../../src/model/pack_table.ts";
import type { Snapshot } from "../../src/model/snapshot.ts";
import { sessionKey } from "../../src/model/object_keys.ts";
import { encodeCondemned } from "../../src/repository/condemned.ts";
import { sealObject } from "../../src/repository/envelope_sealer.ts";
import { indexNameOf } from "../../src/repository/index_writer.ts";
import type { RepositoryKeys } from "../../src/repository/keys.ts";
import type { LedgerRecord } from "../../src/repository/ledger.ts";
import { frameKey } from "../../src/repository/pack_reader.ts";
import type { Cipher } from "../../src/stages/codec.ts";
import { frameAad, sealFrame } from "../../src/stages/frame.ts";
import { sealPackEnd } from "../../src/stages/pack.ts";
import { aesCbcCipher, aesCtrCipher, aesGcmCipher, plainMacCipher } from "../../src/stages/seal.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { vectorKeys } from "./vector_keys.ts";

const EPOCH = 3;
const PLAIN = "a frame of some bytes, ".repeat(10);
/** `PLAIN` as one Zstandard frame with a checksum. Fixed here: two versions of zstd may write different bytes. */
const ZSTD = "28b52ffd24e6f50000b861206672616d65206f6620736f6d652062797465732c200100994acd260549813f";

async function frameVector(keys: RepositoryKeys, cipher: Cipher, kind: ChunkKind, number: number, zstd: boolean) {
  const salt = seededRandom("salt of a pack")(32);
  const key = frameKey(keys, EPOCH, salt, kind, cipher);
  const place = { epoch: EPOCH, repositoryId: keys.repositoryId, salt, kind, codec: 0, cipher: 1, frame: number, key };
  const encoded = zstd ? fromHex(ZSTD) : utf8(PLAIN);
  const sealed = await sealFrame(cipher, place, PLAIN.length, encoded);
  return {
    cipher: cipher.formatId,
    codec: zstd ? "zstd-1" : "none",
    kind,
    salt: toHex(salt),
    codec_place: 0,
    cipher_place: 1,
    number,
    plain: PLAIN,
    encoded: toHex(encoded),
    key: toHex(key),
    aad: toHex(frameAad(place, PLAIN.length, sealed.length)),
    sealed: toHex(sealed),
  };
}

function frameVectors(keys: RepositoryKeys) {
  const random = seededRandom("nonces");
  return Promise.all([
    frameVector(keys, aesGcmCipher(random), 0, 0, false),
    frameVector(keys, aesGcmCipher(random), 1, 65535, true),
    frameVector(keys, aesCbcCipher(random), 0, 2, false),
    frameVector(keys, aesCtrCipher(random), 0, 3, true),
    frameVector(keys, aesCtrCipher(() => new Uint8Array(16).fill(255)), 0, 4, false), // the counter wraps
    frameVector(keys, plainMacCipher(), 2, 5, false),
  ]);
}

function chunk(name: string, offset: number, length: number) {
  return { id: seededRandom(name)(32), offset, length };
}

/** Two frames in reverse order of their offsets, and one that was never filled. */
const TABLE: PackTable = {
  dictionary: [
    { role: "codec", pluginId: "compression_zstd", version: "1.0.0", formatId: "zstd-1", decoder: "built-in" },
    { role: "cipher", pluginId: "encryption_aes", version: "1.0.0", formatId: "aes-256-gcm-1", decoder: "built-in" },
    { role: "codec", pluginId: "a_plugin", version: "0.1.0-\u03b2", formatId: "a-1", decoder: "cd".repeat(32) },
  ],
  frames: [
    { kind: 1, codec: 2, cipher: 1, offset: 700, storedBytes: 300, plainBytes: 3, chunks: [chunk("c", 0, 3)] },
    {
      kind: 0,
      codec: 0,
      cipher: 1,
      offset: 0,
      storedBytes: 600,
      plainBytes: 1000,
      chunks: [chunk("a", 0, 999), chunk("b", 999, 1)],
    },
    { kind: 0, codec: 0, cipher: 1, offset: 1000, storedBytes: 0, plainBytes: 0, chunks: [] },
  ],
};

async function packVector(keys: RepositoryKeys) {
  const salt = seededRandom("salt of a pack")(32);
  const random = seededRandom("end of a pack");
  const pack = { epoch: EPOCH, salt, repositoryId: keys.repositoryId };
  const key = keys.packTableKey(EPOCH, salt);
  const { end, tableBytes } = await sealPackEnd(TABLE, 1000, pack, key, aesGcmCipher(random), random);
  const tableAt = end.length - 64 - tableBytes;
  return {
    frame_bytes: 1000,
    payload: toHex(encodePackTable(TABLE)),
    padding_bytes: tableAt,
    key: toHex(key),
    sealed_table: toBase64(end.subarray(tableAt, tableAt + tableBytes)),
    trailer: toHex(end.subarray(tableAt + tableBytes)),
  };
}

function indexVector() {
  const random = seededRandom("index");
  const pack = (kinds: number): PackRecord => {
    return { name: toHex(random(32)), salt: random(32), epoch: EPOCH, storedBytes: 20_000, tableBytes: 4124, kinds };
  };
  const builder = new IndexBuilder();
  const [first, second] = [builder.addPack(pack(3)), builder.addPack(pack(4))];
  const id: Bytes = random(32);
  builder.addChunk(id, second, { frame: 65535, offset: 10, length: 4_194_294, kind: 2 });
  builder.addChunk(id, first, { frame: 0, offset: 0, length: 1, kind: 1 });
  builder.addChunk(random(32), first, { frame: 7, offset: 65_536, length: 65_537, kind: 0 });
  const payload = builder.encode([toHex(random(32)), toHex(random(32))]);
  return { payload: toHex(payload), name: indexNameOf(payload) };
}

const ID = "00112233445566778899aabbccddeeff";
const TIME = "1750000000123456789";
const BY = { client: ID, host: "h\u00f6st", user: "user" };
const HASH = "0123456789abcdef".repeat(4);

const MANIFEST: Snapshot = {
  ...BY,
  version: 1,
  root: HASH,
  time: TIME,
  scan_started: TIME,
  finished: "1750000001000000000",
  session: ID,
  paths: ["/etc", "/home/caf\udce9"],
  tags: ["a", "b"],
  mode: "differential",
  parent: ID,
  sequence: 2,
  previous: HASH,
  original: ID,
  faults: [{ path: "/etc/shadow", reason: "Cannot read it" }],
  statistics: {
    files: 1,
    dirs: 2,
    others: 3,
    files_new: 4,
    files_changed: 5,
    files_unmodified: 6,
    files_failed: 7,
    bytes: 9007199254740991,
    bytes_added: 9,
    bytes_stored: 10,
    chunks_new: 11,
  },
  plugins: [{ plugin_id: "a_plugin", version: "0.1.0", sha256: HASH }],
  tool_version: "0.1.0",
};

const LEDGER: LedgerRecord = {
  version: 1,
  reason: "tag",
  removed: [{ id: ID }, { id: ID, replaced_by: "f".repeat(32) }],
  by: BY,
  time: TIME,
};

export async function storedVectors() {
  const { keys } = vectorKeys();
  const session = canonicalJson({ ...BY, started: TIME, tool_version: "0.1.0", version: 1 });
  const envelope = await sealObject(keys, "session", sessionKey(ID), utf8(session), seededRandom("envelope"));
  return {
    frames: await frameVectors(keys),
    pack: await packVector(keys),
    index: indexVector(),
    envelope: { object_key: sessionKey(ID), payload: session, object: toBase64(envelope) },
    manifest: canonicalJson(MANIFEST as unknown as Json),
    marker: canonicalJson({ manifest: HASH, version: 1 }),
    heartbeat: canonicalJson({ at: TIME, version: 1 }),
    condemned: fromUtf8(encodeCondemned([HASH, "f".repeat(64)])),
    ledger: canonicalJson(LEDGER as unknown as Json),
  };
}
