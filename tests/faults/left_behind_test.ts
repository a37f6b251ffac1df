/** Sessions of the dead, packs that need a codec that is gone, and a table that fills up. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { PREFIX } from "../../src/model/object_keys.ts";
import { check } from "../../src/operations/check.ts";
import { repairIndex } from "../../src/operations/repair_index.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { WriterSession } from "../../src/repository/session.ts";
import { zstdCodec } from "../../src/stages/compress.ts";
import { builtInStages, StageRegistry } from "../../src/stages/registry.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import {
  bringBack,
  emptyRepository,
  type Events,
  IDENTITY,
  opened,
  POLICY,
  save,
  SMALL_PACKS,
  STYLE,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();
const context = { pool: () => inProcessPool(), onEvent: () => {} };

Deno.test("(31) sessions of clients that died stand in nobody's way, and need no unlocking", async () => {
  await withFolder(async (folder) => {
    writeSmallSource(folder);
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    const dead = await opened(store);
    for (let i = 0; i < 3; i++) {
      const session = await WriterSession.begin(store, dead.sealer, IDENTITY, dead.context);
      session.stopHeartbeats(); // and nothing more is ever heard of it
    }
    const events: Events = [];
    const repository = await opened(store, events);
    await save(repository, folder);
    writeFiles(folder, { "later": "later" });
    await save(repository, folder);
    await repairIndex(repository, { dryRun: false }, context);
    const { errors } = await check(repository, { readData: { kind: "all" } }, context);
    deepEqual([errors, events], [[], []]);
    const [, last] = (await repository.snapshots()).snapshots;
    deepEqual(await pictureOfSnapshot(repository, last, folder), pictureOfFolder(files, folder));
    equal((await Array.fromAsync(store.list(PREFIX.sessions))).length, 3, "nobody but a deleter ends them");
  });
});

Deno.test("(41) files whose codec is gone are told of one by one, everything else comes back, and backups go on", async () => {
  await withFolder(async (top) => {
    const folder = `${top}/source`;
    writeFiles(folder, { "plain/a": noise("a", 5000), "rare/b": "b ".repeat(5000), "rare/c": "c ".repeat(5000) });
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    const rare = { ...zstdCodec(), pluginId: "compression_rare", formatId: "rare-1", version: "3.2.1" };
    const { codecs, ciphers } = builtInStages();
    const registry = new StageRegistry(codecs.with(rare), ciphers);
    const before = await opened(store);
    (before.context as { registry: StageRegistry }).registry = registry;
    await save(before, folder, {
      pool: () => inProcessPool({ registry }),
      policy: {
        ...POLICY,
        plan: (path) => ({ style: path.includes("rare") ? { ...STYLE, codec: rare.pluginId, owner: 1 } : STYLE }),
      },
    });
    const events: Events = [];
    const repository = await opened(store, events);
    const [snapshot] = (await repository.snapshots()).snapshots;
    const { filesFailed } = await bringBack(repository, snapshot, folder, `${top}/target`);
    equal(filesFailed, 2);
    const errors = events.flatMap((event) => event.type === "error" ? [event] : []);
    deepEqual(errors.map(({ path }) => path).sort(), ["rare/b", "rare/c"]);
    for (const { error } of errors) match(error.message, /compression_rare 3\.2\.1|rare-1/);
    deepEqual(Deno.readFileSync(`${top}/target/plain/a`), new Uint8Array(noise("a", 5000)));
    writeFiles(folder, { "later": "later" });
    await save(repository, folder);
    equal((await repository.snapshots()).snapshots.length, 2);
  });
});

Deno.test("(21) the table of known chunks grows while one file is read, before it is full", async () => {
  await withFolder(async (folder) => {
    const settings = { ...SMALL_PACKS, chunker: { ...SMALL_PACKS.chunker, min: 1024, normal: 1024, max: 2048 } };
    const store = memoryStore();
    store.restore(await emptyRepository(settings));
    writeFiles(folder, { "huge": noise("huge", 24_000_000) });
    let segments = 0;
    const pool = () => {
      const inner = inProcessPool();
      const add = inner.addSegment.bind(inner);
      inner.addSegment = (segment) => {
        segments++;
        add(segment);
      };
      return inner;
    };
    const { chunksNew } = await save(await opened(store), folder, { pool });
    ok(chunksNew > 16_384 && chunksNew < 32_768, `${chunksNew} chunks`);
    equal(segments, 1);
  });
});
