import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { utf8 } from "../../src/base/bytes.ts";
import type { FileStat, SystemError, Xattr } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { ForwardingFiles, SteadyFiles } from "./faulty_files.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { writeFiles } from "./source_folder.ts";
import { emptyRepository, IDENTITY, lateClock, opened, save, type SaveOptions, withFolder } from "./test_repository.ts";

const files = openFileSystem();

/** Two backups with `edit` in between, the second of which must have what is there now. */
async function editedBetween(
  edit: (folder: string) => void | Promise<void>,
  options: { clock?: typeof lateClock; first?: SaveOptions; second?: SaveOptions; remembers?: boolean } = {},
): Promise<{ filesUnmodified: number; filesChanged: number; equalToDisk: boolean }> {
  return await withFolder(async (top) => {
    const folder = `${top}/source`;
    writeFiles(folder, { "file": "first", "other": "other" });
    const store = memoryStore();
    store.restore(await emptyRepository());
    const repository = await opened(store, undefined, options.clock);
    await save(repository, folder, options.first);
    const cache = options.remembers ? `${top}/cache` : undefined;
    if (options.remembers) await save(repository, folder, { cache });
    await edit(folder);
    const { filesUnmodified, filesChanged } = await save(repository, folder, { ...options.second, cache });
    const last = (await repository.snapshots()).snapshots.at(-1)!;
    const picture = await pictureOfSnapshot(repository, last, folder);
    const line = pictureOfFolder(files, folder).get("file");
    const hash = (text: string | undefined) => /"hash":"(\w+)"/.exec(text ?? "")?.[1];
    return { filesUnmodified, filesChanged, equalToDisk: hash(picture.get("file")) === hash(line) };
  });
}

/** Where folders are compared with the repository, and where they are remembered to be the same. */
function bothWays(body: (remembers: boolean) => Promise<void>) {
  return async (t: Deno.TestContext) => {
    await t.step("compared", () => body(false));
    await t.step("remembered", () => body(true));
  };
}

/** Shows every file as it was when it was first looked at: a clock whose grain hides what happened since. */
class CoarseClock extends ForwardingFiles {
  readonly #seen = new Map<string, FileStat>();
  /** What it shows nevertheless. */
  change: (stat: FileStat) => FileStat = (stat) => stat;

  #still(path: string, stat: FileStat): FileStat {
    const { mtimeNs, ctimeNs, inode } = this.#seen.get(path) ?? stat;
    this.#seen.set(path, { ...stat, mtimeNs, ctimeNs, inode });
    const shown = this.#seen.get(path)!;
    return path.endsWith("/file") ? this.change(shown) : shown;
  }

  override lstat(path: string): FileStat {
    return this.#still(path, super.lstat(path));
  }

  override statNames(folder: string, names: readonly string[]): (FileStat | SystemError)[] {
    return super.statNames(folder, names).map((stat, i) => {
      return "code" in stat ? stat : this.#still(`${folder}/${names[i]}`, stat);
    });
  }

  override openForReading(path: string) {
    const file = super.openForReading(path);
    return {
      stat: () => this.#still(path, file.stat()),
      read: (into: Uint8Array<ArrayBuffer>, offset: number) => file.read(into, offset),
      dataSegments: (sizeBytes: number) => file.dataSegments(sizeBytes),
      close: () => file.close(),
    };
  }
}

Deno.test("(17) a change within the clock's grain of a scan, with size and times as before, is found in the next run", async () => {
  const coarse = new CoarseClock();
  const second = await editedBetween((folder) => writeFiles(folder, { file: "later" }), {
    clock: systemClock,
    first: { files: coarse },
    second: { files: coarse },
  });
  ok(second.equalToDisk);
  equal(second.filesChanged, 1);
});

class EveryDevice extends Set<string> {
  override has(): boolean {
    return true;
  }
}

/** A file server whose clock is not this machine's, with a grain that hides a change after the scan. */
class SkewedServer extends CoarseClock {
  constructor(readonly skewMs: number, readonly isRemote: boolean) {
    super();
    const skewed = (timeNs: string) => (BigInt(timeNs) + BigInt(skewMs) * 1_000_000n).toString();
    this.change = (stat) => ({ ...stat, mtimeNs: skewed(stat.mtimeNs), ctimeNs: skewed(stat.ctimeNs) });
  }

  override otherClocks(): ReadonlySet<string> {
    return this.isRemote ? new EveryDevice() : new Set();
  }
}

Deno.test("(8) (17) a change that the grain of a server's clock hides is found, be that clock behind or ahead", async (t) => {
  const cases: { name: string; skewMs: number; isRemote?: boolean; isFound?: boolean }[] = [
    { name: "the same time", skewMs: 0 },
    { name: "a minute behind", skewMs: -60_000 },
    { name: "nine minutes behind", skewMs: -540_000 },
    { name: "a day ahead", skewMs: 86_400_000 },
    { name: "of this machine, a minute old", skewMs: -60_000, isRemote: false, isFound: false },
  ];
  for (const { name, skewMs, isRemote = true, isFound = true } of cases) {
    await t.step(name, async () => {
      const server = new SkewedServer(skewMs, isRemote);
      const { equalToDisk } = await editedBetween((folder) => writeFiles(folder, { file: "later" }), {
        clock: systemClock,
        first: { files: server },
        second: { files: server },
      });
      equal(equalToDisk, isFound);
    });
  }
});

Deno.test(
  "(17) a file that was still for long before a scan is not read again",
  bothWays(async (remembers) => {
    const { filesUnmodified } = await editedBetween(() => {}, { remembers });
    equal(filesUnmodified, 2);
  }),
);

Deno.test(
  "(17) a program that sets the time of modification back does not hide a change",
  bothWays(async (remembers) => {
    const { equalToDisk } = await editedBetween((folder) => {
      const before = Deno.lstatSync(`${folder}/file`);
      writeFiles(folder, { file: "later" });
      Deno.utimeSync(`${folder}/file`, before.atime!, before.mtime!);
    }, { remembers });
    ok(equalToDisk);
  }),
);

Deno.test(
  "(18) a file renamed over another one of the same size and time is found",
  bothWays(async (remembers) => {
    const { equalToDisk } = await editedBetween((folder) => {
      const before = Deno.lstatSync(`${folder}/file`);
      writeFiles(folder, { new: "later" });
      Deno.utimeSync(`${folder}/new`, before.atime!, before.mtime!);
      Deno.renameSync(`${folder}/new`, `${folder}/file`);
    }, { remembers });
    ok(equalToDisk);
  }),
);

Deno.test(
  "(18) a new file that got the inode, size and time of the old one is found",
  bothWays(async (remembers) => {
    let reused = false;
    const { equalToDisk } = await editedBetween((folder) => {
      const before = Deno.lstatSync(`${folder}/file`);
      for (let tries = 0; tries < 50 && !reused; tries++) {
        Deno.removeSync(`${folder}/file`);
        writeFiles(folder, { file: "later" });
        reused = Deno.lstatSync(`${folder}/file`).ino === before.ino;
      }
      Deno.utimeSync(`${folder}/file`, before.atime!, before.mtime!);
    }, { remembers });
    ok(equalToDisk, `inode reused: ${reused}`);
  }),
);

Deno.test("(17) (18) each of the marks of a change is enough, and without any it cannot be seen", async (t) => {
  const marks: { name: string; change: (stat: FileStat) => FileStat }[] = [
    { name: "time of modification", change: (stat) => ({ ...stat, mtimeNs: later(stat.mtimeNs) }) },
    { name: "time of change", change: (stat) => ({ ...stat, ctimeNs: later(stat.ctimeNs) }) },
    { name: "inode", change: (stat) => ({ ...stat, inode: later(stat.inode) }) },
    { name: "none", change: (stat) => stat },
  ];
  for (const { name, change } of marks) {
    await t.step(name, async () => {
      const coarse = new CoarseClock();
      const { equalToDisk } = await editedBetween((folder) => {
        writeFiles(folder, { file: "later" });
        coarse.change = change;
      }, { first: { files: coarse }, second: { files: coarse } });
      equal(equalToDisk, name !== "none");
    });
  }
});

function later(value: string): string {
  return (BigInt(value) + 1n).toString();
}

Deno.test("an unchanged folder gives the same tree, whatever the mode, and stores no data again", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { "a/b": "b", "c": utf8("c".repeat(5000)) });
    const steady = new SteadyFiles(folder);
    const store = memoryStore();
    store.restore(await emptyRepository());
    const repository = await opened(store);
    await save(repository, folder, { files: steady });
    for (const mode of ["incremental", "differential", "full"] as const) {
      const { chunksNew } = await save(repository, folder, { files: steady, mode });
      equal(chunksNew, 0);
    }
    await save(repository, folder, { files: steady, force: true });
    const { snapshots } = await repository.snapshots();
    deepEqual(new Set(snapshots.map(({ snapshot }) => snapshot.root)).size, 1);
  });
});

/** Shows attributes to root alone. */
class RootsAttributes extends ForwardingFiles {
  constructor(readonly user: string) {
    super();
  }

  override xattrs(): Xattr[] {
    return this.user === "root" ? [{ name: "trusted.note", value: utf8("seen") }] : [];
  }
}

Deno.test("what one user cannot see is looked for by another, and each goes on from its own snapshot", async () => {
  await withFolder(async (folder) => {
    writeFiles(folder, { "file": "content" });
    const store = memoryStore();
    store.restore(await emptyRepository());
    const repository = await opened(store);
    const seen: [user: string, unmodified: number, attributes: number][] = [];
    for (const user of ["somebody", "root", "somebody", "root"]) {
      const { snapshotId, filesUnmodified } = await save(repository, folder, {
        files: new RootsAttributes(user),
        identity: { ...IDENTITY, user },
      });
      const saved = (await repository.snapshots()).snapshots.find(({ id }) => id === snapshotId)!;
      const line = (await pictureOfSnapshot(repository, saved, folder)).get("file")!;
      seen.push([user, filesUnmodified, line.includes("trusted.note") ? 1 : 0]);
    }
    deepEqual(seen, [["somebody", 0, 0], ["root", 0, 1], ["somebody", 1, 0], ["root", 1, 1]]);
  });
});
