import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ChunkKind } from "../model/chunk.ts";
import { builtInStages } from "../stages/registry.ts";
import type { FrameRequest } from "../stages/worker_protocol.ts";
import { ForwardingStore } from "../storage/forwarding.ts";
import { memoryStore } from "../storage/memory.ts";
import type { ObjectStore, ObjectWriter } from "../storage/object_store.ts";
import { seededRandom, steppingClock } from "../../tests/fixtures/fixed.ts";
import { createKeys } from "./create_keys.ts";
import { indexObjectOf } from "./index_tables.ts";
import { PackWriter, type WrittenPack } from "./pack_writer.ts";

const random = seededRandom("packs");
const FRAME_BYTES = 40_000;
const PACK_BYTES = 64 * 1024;

/** Runs `before` ahead of each commit. */
class CommitStore extends ForwardingStore {
  constructor(inner: ObjectStore, readonly before: () => Promise<void>) {
    super(inner);
  }

  override async create(signal?: AbortSignal): Promise<ObjectWriter> {
    const writer = await super.create(signal);
    return {
      write: (data) => writer.write(data),
      commit: async (key) => {
        await this.before();
        await writer.commit(key);
      },
      abort: () => writer.abort(),
    };
  }
}

/** Once nothing is left to do that waits for nobody. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

async function packWriter(store: ObjectStore, onWritten = (_count: number) => {}) {
  const secret = { kind: "key_file" as const, bytes: random(64) };
  const { keys } = await createKeys(memoryStore(), { secret, random, clock: steppingClock() });
  const written: WrittenPack[] = [];
  const onPack = (pack: WrittenPack) => Promise.resolve(onWritten(written.push(pack)));
  return { writer: new PackWriter(store, keys, builtInStages(), PACK_BYTES, random, onPack), written };
}

const NONE = { pluginId: "compression_none", version: "1.0.0", formatId: "none", decoder: "built-in" };
const GCM = {
  pluginId: "encryption_aes",
  version: "1.0.0",
  formatId: "aes-256-gcm-1",
  decoder: "built-in",
  keyBytes: 32,
};

/** Gives one frame to the writer, as a worker does. */
async function addFrame(writer: PackWriter, storedBytes = FRAME_BYTES, chunks = 1): Promise<void> {
  const kind = ChunkKind.data;
  const request: FrameRequest = { kind, codec: NONE, cipher: GCM, storedBytes, chunks };
  const { pack, place } = await writer.grant(request);
  const { codec, cipher, frame } = place;
  const lengths = new Uint32Array(chunks).fill(9);
  const sealed = random(storedBytes);
  const [plainBytes, ids] = [9 * chunks, new Uint8Array(32 * chunks)];
  await writer.accept({ pack, frame, codec, cipher, kind, sealed, plainBytes, ids, lengths });
}

Deno.test("finish() waits for packs that were full before, and are still on their way to the store", async () => {
  const held = Promise.withResolvers<void>();
  const othersWritten = Promise.withResolvers<void>();
  let commits = 0;
  const inner = memoryStore();
  const { writer, written } = await packWriter(
    new CommitStore(inner, () => commits++ === 0 ? held.promise : Promise.resolve()),
    (count) => count === 2 && othersWritten.resolve(),
  );
  for (let i = 0; i < 3; i++) await addFrame(writer);
  let finished = false;
  const finishing = writer.finish().then(() => finished = true);
  await othersWritten.promise;
  await settled();
  ok(!finished, "a pack that is not stored yet was forgotten");
  held.resolve();
  await finishing;
  equal(written.length, 3);
  const names = [...inner.snapshot().keys()].map((key) => key.slice(9));
  deepEqual(written.map(({ name }) => name).sort(), names.sort());
});

Deno.test("(11) finish() fails if a pack that was full before could not be stored", async () => {
  let commits = 0;
  const full = new AxiomError("storage_full", "Cannot store a pack: a test says so");
  const failed = Promise.withResolvers<void>();
  const store = new CommitStore(memoryStore(), () => {
    if (commits++ > 0) return Promise.resolve();
    failed.resolve();
    return Promise.reject(full);
  });
  const { writer, written } = await packWriter(store);
  for (let i = 0; i < 3; i++) await addFrame(writer);
  await failed.promise;
  await settled();
  await rejects(writer.finish(), full);
  await writer.settle();
  equal(written.length, 2);
});

Deno.test("(39) a pack of tiny chunks ends before one index object could not describe it", async () => {
  const { writer, written } = await packWriter(memoryStore());
  const perFrame = LIMITS.chunksPerFrameMax;
  for (let i = 0; i < 9; i++) await addFrame(writer, 100, perFrame);
  await writer.finish();
  const counts = written.map(({ table }) => table.frames.reduce((sum, { chunks }) => sum + chunks.length, 0));
  deepEqual(counts.sort((a, b) => b - a), [4, 4, 1].map((frames) => frames * perFrame));
  for (const { table, ...pack } of written) indexObjectOf({ ...pack, kinds: 1 }, table);
});
