import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { MIB } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { padme } from "../base/padme.ts";
import { DEFAULT_SETTINGS } from "../model/repository_config.ts";
import type { PackTable } from "../model/pack_table.ts";
import { memoryStore } from "../storage/memory.ts";
import { seededRandom } from "../../tests/fixtures/fixed.ts";
import { opened, SECRET, testContext } from "../../tests/faults/test_repository.ts";
import { IndexWriter } from "./index_writer.ts";
import { indexObjectOf } from "./index_tables.ts";
import { Repository } from "./repository.ts";

const random = seededRandom("pack bounds");

Deno.test("a pack never grows beyond what readers take, whatever the config says of its size", async () => {
  const packBytes = LIMITS.packBytesMax;
  const settings = { ...DEFAULT_SETTINGS, pack_bytes: { min: packBytes, max: packBytes } };
  const repository = await Repository.create(memoryStore(), { secret: SECRET, settings }, testContext());
  const wanted = repository.packBytes(0);
  const table = padme(LIMITS.framesPerPackMax * 20 + LIMITS.chunksPerPackMax * 40 + 64 * 1024);
  ok(padme(wanted + table + 64) <= packBytes, `${wanted / MIB} MiB and a table of ${table} bytes`);
  ok(wanted > 200 * MIB);
});

/** One frame after another with chunks of one byte. */
function tableOf(chunkCount: number): PackTable {
  const chunks = Array.from({ length: LIMITS.chunksPerFrameMax }, (_, offset) => {
    const id = new Uint8Array(32);
    new DataView(id.buffer).setUint32(0, Math.imul(offset + 1, 0x9e3779b1));
    return { id, offset, length: 1 };
  });
  const frames: PackTable["frames"] = [];
  for (let left = chunkCount; left > 0; left -= chunks.length) {
    const frame = { kind: 0, codec: 0, cipher: 1, offset: 0, storedBytes: 1, plainBytes: 1 };
    frames.push({ ...frame, chunks: chunks.slice(0, left) });
  }
  return { dictionary: [], frames };
}

Deno.test("a pack of more chunks than an index object can hold is refused by name, and what gathered before it is kept", async () => {
  const { store, sealer } = await opened(
    (await Repository.create(memoryStore(), { secret: SECRET }, testContext())).store,
  );
  const pack = (name: string) => ({
    name: name.repeat(64),
    salt: random(32),
    epoch: 1,
    storedBytes: 2 ** 24,
    tableBytes: 4096,
    kinds: 1,
  });
  const kind = { kind: "limit_exceeded", message: /the pack b{64}: its 524281 chunks are more than the 524280/ };
  const tooMany = tableOf(LIMITS.chunksPerPackReadMax + 1);
  throws(() => indexObjectOf(pack("b"), tooMany), kind);
  const writer = new IndexWriter(store, sealer, new Set());
  await writer.add(pack("a"), tableOf(10));
  await rejects(writer.add(pack("b"), tooMany), kind);
  await writer.add(pack("c"), tableOf(LIMITS.chunksPerPackReadMax));
  await writer.flush();
  equal(writer.written.length, 2);
  deepEqual(indexObjectOf(pack("c"), tableOf(LIMITS.chunksPerPackReadMax)).entryCount, LIMITS.chunksPerPackReadMax);
});
