import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { DEFAULT_CONFIG } from "../config/schema.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { builtInStages } from "../stages/registry.ts";
import { type MemoryStore, memoryStore } from "../storage/memory.ts";
import { inProcessPool } from "../../tests/faults/in_process_pool.ts";
import { quietly } from "../../tests/fixtures/quiet.ts";
import { noise } from "../../tests/faults/source_folder.ts";
import { emptyRepository, IDENTITY, opened, SMALL_PACKS } from "../../tests/faults/test_repository.ts";
import { backupStreamConfigured } from "./configured_backup.ts";
import { dump } from "./dump.ts";
import { streamPath } from "./stream_source.ts";

const files = openFileSystem();
const empty = await emptyRepository(SMALL_PACKS);

function freshStore(): MemoryStore {
  const store = memoryStore();
  store.restore(empty);
  return store;
}

interface Given {
  data?: readonly Uint8Array<ArrayBuffer>[];
  /** How the stream ends. */
  end?: (controller: ReadableStreamDefaultController<Uint8Array>) => void;
  done?: Promise<void>;
  mayBeEmpty?: boolean;
  dryRun?: boolean;
  name?: string;
  signal?: AbortSignal;
}

async function saveStream(store: MemoryStore, given: Given) {
  const repository = await opened(store);
  const data = [...given.data ?? []];
  const bytes = new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = data.shift();
      if (part !== undefined) controller.enqueue(part.slice());
      else if (given.end !== undefined) given.end(controller);
      else controller.close();
    },
  });
  const producer = { what: "the test", bytes, done: given.done ?? Promise.resolve(), stop() {} };
  const backup = { ...DEFAULT_CONFIG.backup, stdinFilename: given.name ?? "stdin" };
  const call = {
    dryRun: given.dryRun ?? false,
    producer,
    mayBeEmpty: given.mayBeEmpty ?? false,
    owner: { uid: 7, gid: 8, user: "ann" },
  };
  return await quietly(backupStreamConfigured(repository, { backup }, call, {
    files,
    registry: builtInStages(),
    random: systemRandom,
    folder: "/",
    readFile: () => Promise.resolve(undefined),
    pool: () => inProcessPool({ workers: 2 }),
    identity: IDENTITY,
    onEvent: () => {},
    signal: given.signal,
  }));
}

async function content(store: MemoryStore, path: string): Promise<Uint8Array> {
  const repository = await opened(store);
  const { snapshots } = await repository.snapshots();
  const { bytes } = await dump(repository, { snapshot: snapshots.at(-1)!, path, archive: false }, {
    onEvent: () => {},
  });
  return new Uint8Array(await new Blob(await Array.fromAsync(bytes, (piece) => piece.slice())).arrayBuffer());
}

function cutUp(data: Uint8Array<ArrayBuffer>, lengths: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0, i = 0; at < data.length; i++) {
    parts.push(data.subarray(at, at + lengths[i % lengths.length]));
    at += lengths[i % lengths.length];
  }
  return parts;
}

const SMALL = new TextEncoder().encode("hello\n");
const LARGE = noise("stream", 20_000_000);

Deno.test("a stream becomes one file, however it comes", async (t) => {
  const cases: [name: string, data: Uint8Array<ArrayBuffer>, lengths: number[]][] = [
    ["some bytes", SMALL, [1, 2]],
    ["many bytes in odd parts", LARGE, [1, 65536, 99_991, 9_000_000]],
    ["more at once than is held", LARGE, [LARGE.length]],
  ];
  for (const [name, data, lengths] of cases) {
    await t.step(name, async () => {
      const store = freshStore();
      const summary = await saveStream(store, { data: cutUp(data, lengths), name: "db/dump.sql" });
      deepEqual([summary.filesNew, summary.bytesProcessed, summary.paths], [1, data.length, ["/db/dump.sql"]]);
      deepEqual(await content(store, "/db/dump.sql"), data);
    });
  }
});

Deno.test("the next one has the last as its parent, and stores only what differs", async () => {
  const store = freshStore();
  const first = await saveStream(store, { data: [LARGE] });
  const again = await saveStream(store, { data: cutUp(LARGE, [1_000_003]) });
  deepEqual([again.parentId, again.filesUnmodified, again.filesChanged], [first.snapshotId, 1, 0]);
  const changed = LARGE.slice();
  changed.set(SMALL, 10_000_000);
  const third = await saveStream(store, { data: [changed] });
  deepEqual([third.parentId, third.filesChanged], [again.snapshotId, 1]);
  ok(third.bytesAdded < 300_000, `${third.bytesAdded} bytes for 6 that changed`);
});

Deno.test("(38) a producer that dies leaves no snapshot and no session", async (t) => {
  const failed = () => Promise.reject(new AxiomError("source_failed", "it ended with 1"));
  const cases: [name: string, given: Given, kind: string][] = [
    ["at its end", {
      data: [LARGE],
      get done() {
        return failed();
      },
    }, "source_failed"],
    ["without a byte", {
      get done() {
        return failed();
      },
      mayBeEmpty: true,
    }, "source_failed"],
    ["in the middle", { data: [SMALL], end: (controller) => controller.error(new Error("EIO")) }, "source_failed"],
    ["when nobody can say", {}, "source_failed"],
  ];
  for (const [name, given, kind] of cases) {
    await t.step(name, async () => {
      const store = freshStore();
      await rejects(saveStream(store, given), (error) => error instanceof AxiomError && error.kind === kind);
      const kinds = new Set([...store.snapshot().keys()].map((key) => key.split("/")[0]));
      deepEqual([kinds.has("snapshots"), kinds.has("sessions")], [false, false]);
    });
  }
  await t.step("an empty stream of one that says it ended well is an empty file", async () => {
    const store = freshStore();
    equal((await saveStream(store, { mayBeEmpty: true })).filesNew, 1);
    equal((await content(store, "/stdin")).length, 0);
  });
});

Deno.test("an interruption ends it at once, although the producer says nothing", async () => {
  const store = freshStore();
  const controller = new AbortController();
  const end = () => controller.abort(new AxiomError("interrupted", "Interrupted"));
  const saving = saveStream(store, { data: [SMALL], end, signal: controller.signal });
  await rejects(saving, (error) => error instanceof AxiomError && error.kind === "interrupted");
  deepEqual([...store.snapshot().keys()].filter((key) => /^(snapshots|sessions)/.test(key)), []);
});

Deno.test("a dry run reads it all and stores nothing", async () => {
  const store = freshStore();
  const before = [...store.snapshot().keys()];
  const summary = await saveStream(store, { data: [LARGE], dryRun: true });
  deepEqual([summary.snapshotId, summary.filesNew], [null, 1]);
  ok(summary.bytesAdded >= LARGE.length && summary.bytesStored >= LARGE.length);
  deepEqual([...store.snapshot().keys()], before);
});

Deno.test("streamPath() makes a path of a name", () => {
  equal(streamPath("stdin"), "/stdin");
  equal(streamPath("/db//./dump.sql"), "/db/dump.sql");
  for (const name of ["", "/", "..", "a/../b", "a\0b", "a/"]) throws(() => streamPath(name), AxiomError, name);
});
