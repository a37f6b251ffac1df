import { deepStrictEqual as deepEqual, match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { setImmediate } from "node:timers";
import { AxiomError } from "../../src/base/errors.ts";
import { PREFIX } from "../../src/model/object_keys.ts";
import type { BackupSummary } from "../../src/operations/backup.ts";
import {
  type FileStat,
  type FileSystem,
  type SourceFile,
  SystemError,
  type Xattr,
} from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { WorkerPool } from "../../src/stages/worker_pool.ts";
import type { ToWorker } from "../../src/stages/worker_protocol.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { FaultyFiles, ForwardingFiles, type SourceCall } from "./faulty_files.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, emptyRepository, type Events, opened, save, savedOnce, withFolder } from "./test_repository.ts";

const files = openFileSystem();

function writeSource(folder: string): void {
  writeFiles(folder, {
    "a/file": noise("file", 3000),
    "a/other": "other",
    "a/sub/inner": "inner",
    "b/large": noise("large", 300_000),
    "b/linked": "linked",
    "c": "c",
  });
  Deno.linkSync(`${folder}/b/linked`, `${folder}/b/same`);
  Deno.symlinkSync("c", `${folder}/link`);
  writeSparse(`${folder}/sparse`);
}

/** 256 KiB, of which the first and the last 4 KiB hold data. */
function writeSparse(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  file.truncateSync(256 * 1024);
  file.writeSync(noise("head", 4096));
  file.seekSync(256 * 1024 - 4096, Deno.SeekMode.Start);
  file.writeSync(noise("tail", 4096));
}

interface Saved {
  summary: BackupSummary;
  picture: Picture;
  events: Events;
  store: ReturnType<typeof memoryStore>;
}

async function saved(folder: string, faulty: FileSystem): Promise<Saved> {
  const store = memoryStore();
  store.restore(await emptyRepository());
  return await savedInto(store, folder, faulty);
}

async function savedInto(store: ReturnType<typeof memoryStore>, folder: string, faulty?: FileSystem): Promise<Saved> {
  const events: Events = [];
  const repository = await opened(store, events);
  const summary = await save(repository, folder, { files: faulty });
  const stored = (await repository.snapshots()).snapshots.at(-1)!;
  equal(stored.id, summary.snapshotId);
  const picture = await pictureOfSnapshot(repository, stored, folder);
  await withFolder(async (target) => {
    await bringBack(repository, stored, folder, target);
    deepEqual(pictureOfFolder(files, target), picture, "what is restored is what the snapshot says");
  });
  return { summary, picture, events, store };
}

/** The picture without some paths and what is below them. */
function without(picture: Picture, ...paths: string[]): Picture {
  return new Map([...picture].filter(([path]) => !paths.some((gone) => path === gone || path.startsWith(`${gone}/`))));
}

/** The picture without the times of folders, which change with what they hold. */
function timeless(picture: Picture): Picture {
  return new Map([...picture].map(([path, line]) => {
    return [path, line.startsWith('{"type":"dir"') ? line.replace(/"mtimeNs":"[^"]*"/, "") : line];
  }));
}

async function assertHeals({ store }: Saved, folder: string): Promise<void> {
  const { picture, summary } = await savedInto(store, folder);
  equal(summary.filesFailed, 0);
  deepEqual(picture, pictureOfFolder(files, folder), "the next run has everything");
}

interface Unreadable {
  path: string;
  calls: SourceCall[];
  /** Paths that the snapshot then lacks. */
  lacks: string[];
}

const UNREADABLE: Unreadable[] = [
  { path: "a/file", calls: ["statName", "open", "read", "stat"], lacks: ["a/file"] },
  { path: "b/large", calls: ["open", "read", "stat"], lacks: ["b/large"] },
  { path: "sparse", calls: ["open", "read", "stat"], lacks: ["sparse"] },
  { path: "link", calls: ["statName", "readLink"], lacks: ["link"] },
  { path: "a/sub", calls: ["statName"], lacks: ["a/sub"] },
  { path: "a/sub", calls: ["readNames"], lacks: ["a/sub/inner"] },
  { path: "a/file", calls: ["xattrs"], lacks: [] },
  { path: "a", calls: ["xattrs"], lacks: [] },
  { path: "a/sub", calls: ["xattrs"], lacks: [] },
];

Deno.test("(14) what cannot be read is missing alone, told of and counted, and the next run has it", async (t) => {
  for (const { path, calls, lacks } of UNREADABLE) {
    for (const call of calls) {
      for (const code of ["EACCES", "EIO"]) {
        await t.step(`${call} of ${path}: ${code}`, async () => {
          await withFolder(async (folder) => {
            writeSource(folder);
            const result = await saved(
              folder,
              new FaultyFiles((made, at) => {
                if (made === call && at === `${folder}/${path}`) throw new SystemError(code, made, at);
              }),
            );
            deepEqual(result.picture, without(pictureOfFolder(files, folder), ...lacks));
            equal(result.summary.filesFailed, 1);
            const errors = result.events.filter((event) => event.type === "error");
            equal(errors.length, 1);
            equal(errors[0].path, `${folder}/${path}`);
            equal(errors[0].error.kind, "source_unreadable");
            match(errors[0].error.message, new RegExp(`^Cannot read .*${path}.*${code}`));
            await assertHeals(result, folder);
          });
        });
      }
    }
  }
});

Deno.test("(14) one name of a hard link that cannot be read costs no other name", async () => {
  await withFolder(async (folder) => {
    writeSource(folder);
    const result = await saved(
      folder,
      new FaultyFiles((made, at) => {
        if (made === "open" && at === `${folder}/b/linked`) throw new SystemError("EACCES", made, at);
      }),
    );
    ok(result.picture.has("b/same"));
    ok(!result.picture.has("b/linked"));
    equal(result.summary.filesFailed, 1);
    await assertHeals(result, folder);
  });
});

/** `d/b`, another name of `d/a`, looks empty to the scan, and is gone when its turn comes. */
class NameThatGoes extends ForwardingFiles {
  override statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    return super.statNames(folder, names).map((stat, i) =>
      names[i] === "b" ? { ...stat, sizeBytes: 0 } as FileStat : stat
    );
  }

  override openForReading(path: string): SourceFile {
    if (path.endsWith("/d/a")) throw new SystemError("EIO", "open", path);
    return super.openForReading(path);
  }

  override xattrs(path: string): Xattr[] {
    if (path.endsWith("/d/b")) throw new SystemError("ENOENT", "listxattr", path);
    return super.xattrs(path);
  }
}

Deno.test("(14) a name that goes while another name of its file failed costs no more than the two", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { "d/a": "12345", "d/z": "fine", "y": "fine" });
    Deno.linkSync(`${folder}/d/a`, `${folder}/d/b`);
    const { summary, picture } = await saved(folder, new NameThatGoes());
    equal(summary.filesFailed, 2);
    deepEqual([picture.has("d/z"), picture.has("y"), picture.has("d/a"), picture.has("d/b")], [
      true,
      true,
      false,
      false,
    ]);
  });
});

/** Counts the folders that are looked at. */
class CountingFiles extends ForwardingFiles {
  folders = 0;

  override statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    this.folders++;
    return super.statNames(folder, names);
  }
}

Deno.test("(11) the walk ends with the backup that failed", async () => {
  await withFolder(async (folder) => {
    for (let d = 0; d < 300; d++) writeFiles(folder, { [`${d}/a`]: "a", [`${d}/b`]: "b" });
    const { store } = await savedOnce(folder);
    writeFiles(folder, { "0/a": noise("much", 6_000_000) });
    const counting = new CountingFiles();
    const pool = inProcessPool({ files: counting });
    const { configureSave } = pool;
    pool.configureSave = (settings, sink) =>
      configureSave.call(pool, settings, { ...sink, grant: () => Promise.reject(new Error("no store")) });
    await rejects(save(await opened(store), folder, { files: counting, pool: () => pool }));
    const atEnd = counting.folders;
    for (let turns = 0; turns < 1000; turns++) await new Promise((resolve) => setImmediate(resolve));
    ok(counting.folders <= atEnd + 1, "more than the folder that was being looked at");
  });
});

Deno.test("an interruption does not wait for a worker that reads a file on and on", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { large: noise("large", 300_000) });
    const { store } = await savedOnce(folder);
    const abort = new AbortController();
    const reading = {
      postMessage: ({ type }: ToWorker) => void (type === "save" && abort.abort()),
      onmessage: null,
      onerror: null,
      terminate: () => {},
    };
    const pool = () => new WorkerPool(1, () => reading);
    const saving = save(await opened(store), folder, { pool, signal: abort.signal, force: true });
    await rejects(saving, { kind: "interrupted" });
    deepEqual(Array.from(store.snapshot().keys()).filter((key) => key.startsWith(PREFIX.sessions)), []);
  });
});

Deno.test("(15) a source that is missing fails the run, and no empty snapshot replaces a good one", async (t) => {
  const cases: { name: string; fault: (made: SourceCall, at: string, looks: number) => string | undefined }[] = [
    { name: "from the start", fault: (made) => made === "lstat" ? "ENOENT" : undefined },
    { name: "once it was found", fault: (made, _at, looks) => made === "lstat" && looks > 1 ? "ENOENT" : undefined },
    { name: "when its names are read", fault: (made) => made === "readNames" ? "ENOENT" : undefined },
    { name: "as it may not be read", fault: (made) => made === "readNames" ? "EACCES" : undefined },
    { name: "as the disk cannot be read", fault: (made) => made === "readNames" ? "EIO" : undefined },
  ];
  for (const { name, fault } of cases) {
    await t.step(name, async () => {
      await withFolder(async (folder) => {
        writeSource(folder);
        const store = memoryStore();
        store.restore(await emptyRepository());
        const repository = await opened(store);
        await save(repository, folder);
        let looks = 0;
        const faulty = new FaultyFiles((made, at) => {
          if (made === "lstat" && at === folder) looks++;
          const code = at === folder ? fault(made, at, looks) : undefined;
          if (code !== undefined) throw new SystemError(code, made, at);
        });
        const error = await errorOf(save(repository, folder, { files: faulty }));
        ok(["source_missing", "source_unreadable", "source_changed"].includes(error.kind), error.kind);
        equal(error.exitCode, 3);
        ok(error.hint);
        equal((await repository.snapshots()).snapshots.length, 1);
        ok(![...store.snapshot().keys()].some((key) => key.startsWith("sessions/")), "a session is left");
        await save(repository, folder);
        equal((await repository.snapshots()).snapshots.length, 2);
      });
    });
  }
});

Deno.test("(15) of several sources one that is missing is told of, and the others are saved", async (t) => {
  for (const name of ["from the start", "once it was found"]) {
    await t.step(name, async () => {
      await withFolder(async (folder) => {
        writeSource(folder);
        const store = memoryStore();
        store.restore(await emptyRepository());
        const events: Events = [];
        const repository = await opened(store, events);
        let looks = 0;
        const faulty = new FaultyFiles((made, at) => {
          const isGone = at === `${folder}/a` && made === "lstat" && (name === "from the start" || ++looks > 1);
          if (isGone) throw new SystemError("ENOENT", made, at);
        });
        const summary = await save(repository, [`${folder}/a`, `${folder}/b`], { files: faulty });
        equal(summary.filesFailed, 1);
        ok(events.some((event) => event.type === "error" && event.error.message.includes(`${folder}/a`)));
        const stored = (await repository.snapshots()).snapshots[0];
        const picture = await pictureOfSnapshot(repository, stored, `${folder}/b`);
        deepEqual(picture, pictureOfFolder(files, `${folder}/b`));
      });
    });
  }
});

/** Things that happen to a file while it is read, with what a snapshot may then have of it. */
interface Meddling {
  name: string;
  path: string;
  /** When; each time if not `once`. */
  call: SourceCall;
  once: boolean;
  meddle(path: string, times: number): void;
  /**
   * `now`: as it is afterwards; `now or before`: as it was opened; `gone`: nothing; `torn`: some bytes, marked as of no
   * single moment.
   */
  expect: "now" | "now or before" | "gone" | "torn";
}

const append = (path: string) => Deno.writeTextFileSync(path, "more", { append: true });

function meddlings(path: string, size: number): Meddling[] {
  const once = { path, once: true, expect: "now" as const };
  const always = { path, call: "read" as const, once: false, expect: "torn" as const };
  const changes: Pick<Meddling, "name" | "meddle">[] = [
    { name: "grows", meddle: append },
    { name: "shrinks", meddle: (at) => Deno.truncateSync(at, size >> 1) },
    { name: "is emptied", meddle: (at) => Deno.truncateSync(at, 0) },
    { name: "is rewritten", meddle: (at) => rewrite(at, size, "rewritten") },
  ];
  return [
    ...changes.flatMap((change) => (["open", "read"] as const).map((call) => ({ ...once, ...change, call }))),
    { ...once, name: "is replaced", call: "open", meddle: (at) => replace(at, "replaced") },
    { ...once, name: "is replaced", call: "read", meddle: (at) => replace(at, "replaced"), expect: "now or before" },
    { ...once, name: "becomes a folder", call: "open", meddle: becomeFolder, expect: "gone" },
    { ...once, name: "vanishes", call: "open", meddle: (at) => Deno.removeSync(at), expect: "gone" },
    { ...always, name: "grows all the time", meddle: append },
    {
      ...always,
      name: "shrinks all the time",
      meddle: (at, times) => Deno.truncateSync(at, size - 700 * Math.min(times, 3)),
    },
    { ...always, name: "is rewritten all the time", meddle: (at, times) => rewrite(at, size, `${times}`) },
  ];
}

const MEDDLING = [
  ...meddlings("a/file", 3000),
  ...meddlings("b/large", 300_000),
  ...meddlings("sparse", 256 * 1024),
];
MEDDLING.push({
  name: "gets data in a hole",
  path: "sparse",
  call: "read",
  once: true,
  meddle(at) {
    using file = Deno.openSync(at, { write: true });
    file.seekSync(130_000, Deno.SeekMode.Start);
    file.writeSync(noise("hole", 8192));
  },
  expect: "now",
});

function rewrite(path: string, size: number, seed: string): void {
  using file = Deno.openSync(path, { write: true });
  file.writeSync(noise(seed, size));
}

function becomeFolder(path: string): void {
  Deno.removeSync(path);
  Deno.mkdirSync(path);
}

function replace(path: string, text: string): void {
  Deno.writeTextFileSync(`${path}.new`, text);
  Deno.renameSync(`${path}.new`, path);
}

Deno.test("(16) a file that changes while it is read is read again, and marked if it does not stop", async (t) => {
  for (const { name, path, call, once, meddle, expect } of MEDDLING) {
    await t.step(`${path} ${name} at ${call}`, async () => {
      await withFolder(async (folder) => {
        writeSource(folder);
        const before = timeless(pictureOfFolder(files, folder));
        let times = 0;
        const result = await saved(
          folder,
          new FaultyFiles((made, at) => {
            if (made === call && at === `${folder}/${path}` && (!once || times === 0)) meddle(at, ++times);
          }),
        );
        const now = timeless(pictureOfFolder(files, folder));
        const picture = timeless(result.picture);
        const told = result.events.filter((event) => "path" in event && event.path === `${folder}/${path}`);
        if (expect === "now") deepEqual(picture, now);
        if (expect === "now or before" && picture.get(path) !== before.get(path)) deepEqual(picture, now);
        if (expect === "gone") ok(!picture.has(path));
        if (expect === "torn") ok(picture.has(path));
        deepEqual(without(picture, path), without(now, path));
        equal(result.summary.filesFailed, expect === "gone" ? 1 : 0);
        deepEqual(
          told.map((event) => event.type === "warning" ? event.code : event.type),
          expect === "gone" ? ["error"] : expect === "torn" ? ["source_changed"] : [],
        );
        await assertHeals(result, folder);
      });
    });
  }
});

Deno.test("(16) a folder that goes, or turns into a file, during the walk takes nothing else with it", async (t) => {
  const cases: { name: string; call: SourceCall; meddle: (path: string) => void; lacks: string[] }[] = [
    { name: "removed", call: "readNames", meddle: (path) => Deno.removeSync(path, { recursive: true }), lacks: [] },
    { name: "removed", call: "xattrs", meddle: (path) => Deno.removeSync(path, { recursive: true }), lacks: [] },
    {
      name: "replaced by a file",
      call: "readNames",
      meddle: (path) => {
        Deno.removeSync(path, { recursive: true });
        Deno.writeTextFileSync(path, "a file");
      },
      lacks: [],
    },
    {
      name: "replaced by a link to another one",
      call: "readNames",
      meddle: (path) => {
        Deno.removeSync(path, { recursive: true });
        Deno.symlinkSync("/etc", path);
      },
      lacks: [],
    },
  ];
  for (const { name, call, meddle } of cases) {
    await t.step(`${name} at ${call}`, async () => {
      await withFolder(async (folder) => {
        writeSource(folder);
        let done = false;
        const faulty = new FaultyFiles((made, at) => {
          if (made !== call || at !== `${folder}/a` || done) return;
          done = true;
          meddle(at);
        });
        const result = await saved(folder, faulty);
        ok(done);
        deepEqual(without(result.picture, "a", "."), without(pictureOfFolder(files, folder), "a", "."));
        ok([...result.picture.keys()].every((path) => path === "a" || !path.startsWith("a/")), "nothing is below it");
        ok(result.summary.filesFailed > 0);
        await assertHeals(result, folder);
      });
    });
  }
});

Deno.test("(14) a large folder of which a part cannot be looked at keeps the rest", async () => {
  await withFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/many`);
    for (let i = 0; i < 1200; i++) Deno.writeTextFileSync(`${folder}/many/${String(i).padStart(4, "0")}`, "");
    class Failing extends FaultyFiles {
      override statNames(path: string, names: readonly string[]) {
        if (names.includes("0600")) throw new SystemError("EIO", "open", path);
        return super.statNames(path, names);
      }
    }
    const result = await saved(folder, new Failing(() => {}));
    equal(result.picture.size, 2 + 1200 - 512);
    ok(result.summary.filesFailed > 0);
    await assertHeals(result, folder);
  });
});

Deno.test("(16) errors of sources are AxiomErrors with an exit code", () => {
  for (const kind of ["source_missing", "source_unreadable", "source_changed"] as const) {
    equal(new AxiomError(kind, "Cannot x").exitCode, 3);
  }
});
