/** A restore that was interrupted goes on; whatever stands where it left half a file, no wrong file comes of it. */
import { ok, rejects, strictEqual as equal } from "node:assert/strict";
import { equalBytes } from "../../src/base/bytes.ts";
import { partName } from "../../src/operations/restore_parts.ts";
import { OVERWRITE_MODES } from "../../src/operations/restore.ts";
import { SystemError } from "../../src/platform/file_system.ts";
import { isRoot } from "../../src/platform/file_system_fixture.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { WorkerPool } from "../../src/stages/worker_pool.ts";
import type { ToWorker } from "../../src/stages/worker_protocol.ts";
import type { MemoryStore } from "../../src/storage/memory.ts";
import { flipBit } from "./damage.ts";
import { FaultyFiles } from "./faulty_files.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, type Events, opened, save, savedOnce, SMALL_PACKS, withFolder } from "./test_repository.ts";

const files = openFileSystem();

const BYTES = 400_000;

interface Scene {
  source: string;
  target: string;
  outside: string;
  repository: Repository;
  snapshot: StoredSnapshot;
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const [source, target, outside] = ["source", "target", "outside"].map((name) => `${folder}/${name}`);
    writeFiles(source, { large: noise("large", BYTES) });
    writeFiles(folder, { outside: noise("outside", BYTES) });
    Deno.mkdirSync(target);
    await run({ source, target, outside, ...await savedOnce(source, [], SMALL_PACKS) });
  });
}

function namesIn(folder: string): string {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort().join();
}

Deno.test("(12) an interrupted restore of a file of many frames goes on with what it wrote", async (t) => {
  for (const overwrite of OVERWRITE_MODES) {
    await t.step(overwrite, () =>
      withScene(async ({ source, target, repository, snapshot }) => {
        const interruption = new AbortController();
        let frames = 0;
        const first = await bringBack(repository, snapshot, source, target, {
          overwrite,
          signal: interruption.signal,
          onEvent: ({ type }) => {
            if (type === "progress" && ++frames === 3) interruption.abort();
          },
        }).catch((error) => error);
        equal(first.kind, "interrupted");
        equal(namesIn(target), partName("large"), "half a file never has its name");
        const { bytesWritten, filesFailed } = await bringBack(repository, snapshot, source, target, { overwrite });
        equal(filesFailed, 0);
        ok(bytesWritten > 0 && bytesWritten < BYTES, `${bytesWritten}`);
        equal(namesIn(target), "large");
        ok(equalBytes(Deno.readFileSync(`${target}/large`), noise("large", BYTES)));
      }));
  }
});

const PARTS: { name: string; make: (part: string, outside: string) => void; stays?: boolean; isForeign?: boolean }[] = [
  { name: "the right content", make: (part) => Deno.writeFileSync(part, noise("large", BYTES)) },
  { name: "a longer one", make: (part) => Deno.writeFileSync(part, noise("longer", BYTES + 5000)) },
  { name: "a shorter one", make: (part) => Deno.writeFileSync(part, noise("shorter", 1000)) },
  { name: "an empty one", make: (part) => Deno.writeFileSync(part, new Uint8Array()) },
  { name: "other content", make: (part) => Deno.writeFileSync(part, noise("other", BYTES)) },
  { name: "a symbolic link out of the target", make: (part, outside) => Deno.symlinkSync(outside, part) },
  { name: "another name of a file outside", make: (part, outside) => Deno.linkSync(outside, part) },
  {
    name: "a file that nobody may read",
    make: (part) => (Deno.writeFileSync(part, noise("secret", BYTES)), Deno.chmodSync(part, 0)),
  },
  {
    name: "somebody else's file, which may be open there",
    make: (part) => {
      Deno.writeFileSync(part, noise("large", BYTES));
      if (isRoot) Deno.chownSync(part, 4711, 4711);
    },
    isForeign: isRoot,
  },
  { name: "a folder", make: (part) => Deno.mkdirSync(part), stays: true },
  { name: "a folder that holds something", make: (part) => writeFiles(part, { kept: "kept" }), stays: true },
];

Deno.test("an interruption does not wait for a worker that compares a large file", async () => {
  await withScene(async ({ source, target, repository, snapshot }) => {
    writeFiles(target, { large: noise("other", BYTES) });
    const interruption = new AbortController();
    const comparing = {
      postMessage: ({ type }: ToWorker) => void (type === "compare" && interruption.abort()),
      onmessage: null,
      onerror: null,
      terminate: () => {},
    };
    const restoring = bringBack(repository, snapshot, source, target, {
      pool: () => new WorkerPool(1, () => comparing),
      signal: interruption.signal,
    });
    await rejects(restoring, { kind: "interrupted" });
    equal(namesIn(target), "large");
  });
});

Deno.test("(29) whatever stands where a restore writes first, no wrong file comes of it", async (t) => {
  for (const { name, make, stays = false, isForeign = false } of PARTS) {
    for (const existing of ["nothing", "an older file"]) {
      await t.step(
        `${name}, and ${existing} in the file's place`,
        () =>
          withScene(async ({ source, target, outside, repository, snapshot }) => {
            const part = `${target}/${partName("large")}`;
            make(part, outside);
            if (existing !== "nothing") writeFiles(target, { large: "older" });
            const before = files.lstat(outside);
            using held = isForeign ? Deno.openSync(part, { write: true }) : undefined;
            const { filesFailed } = await bringBack(repository, snapshot, source, target);
            const after = files.lstat(outside);
            ok(equalBytes(Deno.readFileSync(outside), noise("outside", BYTES)));
            equal(`${after.mode} ${after.mtimeNs} ${after.sizeBytes}`, `${before.mode} ${before.mtimeNs} ${BYTES}`);
            equal(filesFailed, stays ? 1 : 0);
            if (stays) {
              equal(namesIn(target), [partName("large"), ...(existing === "nothing" ? [] : ["large"])].join());
              if (existing !== "nothing") equal(Deno.readTextFileSync(`${target}/large`), "older");
              return;
            }
            equal(namesIn(target), "large");
            held?.writeSync(noise("written later", 1000));
            ok(equalBytes(Deno.readFileSync(`${target}/large`), noise("large", BYTES)));
            equal(files.lstat(`${target}/large`).mode, files.lstat(`${source}/large`).mode);
          }),
      );
    }
  }
});

Deno.test("--delete removes what interrupted restores left beside files that are right", async () => {
  await withScene(async ({ source, target, repository, snapshot }) => {
    await bringBack(repository, snapshot, source, target);
    writeFiles(target, { [partName("large")]: "half", [partName("gone")]: "half" });
    const { filesDeleted } = await bringBack(repository, snapshot, source, target, { delete: true });
    equal(filesDeleted, 2);
    equal(namesIn(target), "large");
  });
});

/** Those that hold more than documents. */
function dataPacks(store: MemoryStore): string[] {
  const keys = [...store.snapshot()].flatMap(([key, data]) =>
    key.startsWith("packs/") && data.length > 40_000 ? [key] : []
  );
  ok(keys.length > 2);
  return keys;
}

Deno.test("(43) a smaller file outlives the damage of any part of what should replace it", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    const kept = noise("large", BYTES);
    writeFiles(source, { large: noise("large", BYTES) });
    Deno.writeFileSync(`${source}/large`, noise("end", 200_000), { append: true });
    writeFiles(target, { large: kept });
    const { store, repository, snapshot } = await savedOnce(source, [], SMALL_PACKS);
    let hits = 0;
    for (const key of dataPacks(store)) {
      const whole = store.snapshot();
      await flipBit(store, key, 8 * 30_000);
      const again = await opened(store, []);
      const hitDocuments = () => undefined;
      const summary = await bringBack(again, snapshot, source, target).catch(hitDocuments);
      if (summary !== undefined) {
        equal(summary.filesFailed, 1);
        hits++;
      }
      equal(namesIn(target), "large");
      ok(equalBytes(Deno.readFileSync(`${target}/large`), kept), key);
      store.restore(whole);
    }
    ok(hits > 0);
    equal((await bringBack(repository, snapshot, source, target)).filesFailed, 0);
  });
});

/** Sparse, and so large that it is changed where it stands. */
function writeHuge(path: string, seed: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (const [i, at] of [0, 20_000_000, 69_000_000].entries()) {
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(noise(`${seed} ${i}`, 200_000));
  }
}

Deno.test("(43) of a huge file that cannot be restored whole the message says which bytes are not", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    for (const path of [source, target]) Deno.mkdirSync(path);
    writeHuge(`${source}/huge`, "new");
    writeHuge(`${target}/huge`, "old");
    const events: Events = [];
    const { store, snapshot } = await savedOnce(source, events, SMALL_PACKS);
    const key = dataPacks(store)[1];
    await flipBit(store, key, 8 * 30_000);
    const { filesFailed, damaged } = await bringBack(await opened(store, events), snapshot, source, target);
    equal(filesFailed, 1);
    ok(damaged);
    const errors = events.flatMap((event) => event.type === "error" ? [event.error.message] : []);
    equal(errors.length, 1);
    const [, told] = /^Cannot restore bytes ([\d, -]+) of huge: .* everything else is restored$/.exec(errors[0])!;
    const ranges = told.split(", ").map((range) => range.split("-").map(Number));
    const [is, should, was] = [`${target}/huge`, `${source}/huge`, `${folder}/old`].map((path, i) => {
      if (i === 2) writeHuge(path, "old");
      return Deno.readFileSync(path);
    });
    for (const [from, to] of ranges) {
      ok(equalBytes(is.subarray(from, to + 1), was.subarray(from, to + 1)));
      should.set(was.subarray(from, to + 1), from);
    }
    equal(Deno.lstatSync(`${target}/huge`).size, should.length);
    ok(equalBytes(is, should));
  });
});

Deno.test("(39) more extended attributes than an entry holds are a fault of that file alone", async (t) => {
  const many = Array.from({ length: 7000 }, (_, i) => ({ name: `user.${i}`, value: new Uint8Array(8) }));
  const vast = Array.from({ length: 1030 }, (_, i) => ({ name: `user.${i}`, value: new Uint8Array(65536) }));
  for (const [name, xattrs] of Object.entries({ many, vast })) {
    await t.step(name, () =>
      withFolder(async (folder) => {
        writeFiles(folder, { "a/file": "content", "a/other": "other", "b/inner": "inner", "empty": "" });
        class Laden extends FaultyFiles {
          override xattrs(path: string) {
            return /\/(file|b|empty)$/.test(path) ? xattrs : super.xattrs(path);
          }
        }
        const laden = new Laden((_, path) => {
          if (path === "") throw new SystemError("ENOENT", "lstat", path);
        });
        const events: Events = [];
        const { repository } = await savedOnce(folder, events);
        events.length = 0;
        for (const path of ["a/file", "b", "empty"]) Deno.utimeSync(`${folder}/${path}`, 1, 1);
        const { filesFailed, snapshotId } = await save(repository, folder, { files: laden });
        equal(filesFailed, 3);
        for (const event of events) {
          if (event.type === "error") {
            ok(/^Cannot save the extended attributes of .*more than an entry holds$/.test(event.error.message));
          }
        }
        const snapshot = (await repository.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
        const target = `${folder}/target`;
        equal((await bringBack(repository, snapshot, folder, target)).filesFailed, 0);
        equal(Deno.readTextFileSync(`${target}/a/file`), "content");
        equal(Deno.readTextFileSync(`${target}/b/inner`), "inner");
      }));
  }
});
