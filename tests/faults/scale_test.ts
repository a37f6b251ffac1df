import { deepEqual, equal, ok } from "node:assert/strict";
import { GIB, MIB } from "../../src/base/bytes.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import type { Xattr } from "../../src/platform/file_system.ts";
import { releaseFreeMemory } from "../../src/platform/memory.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { WorkerPool } from "../../src/stages/worker_pool.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { FaultyFiles, ForwardingFiles } from "./faulty_files.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, emptyRepository, type Events, opened, save, withFolder } from "./test_repository.ts";

releaseFreeMemory(); // loads a library once, which the test that comes to it first must not be blamed for

const files = openFileSystem();
const pool = () => new WorkerPool(2);
const TIB = 1024 * GIB;

interface Scene {
  source: string;
  target: string;
  repository: Repository;
  events: Events;
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (top) => {
    const source = `${top}/source`;
    Deno.mkdirSync(source);
    const store = memoryStore();
    store.restore(await emptyRepository());
    const events: Events = [];
    await run({ source, target: `${top}/target`, repository: await opened(store, events), events });
  });
}

async function last(repository: Repository): Promise<StoredSnapshot> {
  return (await repository.snapshots()).snapshots.at(-1)!;
}

async function comesBack({ source, target, repository, events }: Scene): Promise<Picture> {
  const { filesFailed } = await bringBack(repository, await last(repository), source, target, { pool });
  equal(filesFailed, 0, JSON.stringify(events));
  const expected = pictureOfFolder(files, source);
  const actual = pictureOfFolder(files, target);
  equal(actual.size, expected.size);
  for (const [path, line] of expected) equal(actual.get(path), line, path);
  return expected;
}

Deno.test("(39) a folder of 20,000 entries: equal after a restore; one change rewrites few of its documents", async () => {
  await withScene(async (scene) => {
    const { source, repository } = scene;
    for (let i = 0; i < 20_000; i++) Deno.writeTextFileSync(`${source}/${i}`, i % 3 === 0 ? "" : `${i}`);
    const first = await save(repository, source, { pool });
    equal(first.filesNew, 20_000);
    await comesBack(scene);
    Deno.writeTextFileSync(`${source}/10000`, "changed");
    const second = await save(repository, source, { pool });
    equal(second.filesUnmodified, 19_999);
    ok(second.chunksNew < 20, `${second.chunksNew} new chunks`);
    const third = await save(repository, source, { pool, mode: "full" });
    equal(third.filesProcessed, 20_000);
    ok(third.chunksNew < 10, `${third.chunksNew} new chunks`);
  });
});

Deno.test("(39) 2,000 hard links to one file are one file again", async () => {
  await withScene(async (scene) => {
    const { source, target, repository } = scene;
    writeFiles(source, { "a/first": noise("linked", 100_000) });
    for (let i = 0; i < 2000; i++) {
      if (i % 500 === 0) Deno.mkdirSync(`${source}/b${i / 500}`);
      Deno.linkSync(`${source}/a/first`, `${source}/b${Math.floor(i / 500)}/${i}`);
    }
    const { bytesAdded } = await save(repository, source, { pool });
    ok(bytesAdded < 100_000 + 2001 * 500, `${bytesAdded} bytes added`);
    await comesBack(scene);
    equal(Deno.lstatSync(`${target}/b3/1999`).nlink, 2001);
  });
});

Deno.test("(39) 64 levels of folders, twins of one name in NFC and NFD, and names that are not UTF-8", async () => {
  await withScene(async (scene) => {
    const { source, repository } = scene;
    let path = source;
    for (let level = 0; level < 64; level++) path += `/level ${level}`;
    Deno.mkdirSync(path, { recursive: true });
    Deno.writeTextFileSync(`${path}/deep`, "deep");
    writeFiles(source, { "é": "NFC", "e\u0301": "NFD", "가": "NFC", "\u1100\u1161": "NFD" });
    const tree = files.openTarget(source);
    for (const name of ["\udcff", "\udcc3(", "caf\udce9", "\udced\udca0\udc80"]) {
      const file = tree.createFile(name);
      file.write(noise(name.length.toString(), 100), 0);
      file.close();
    }
    tree.close();
    await save(repository, source, { pool });
    const picture = await comesBack(scene);
    equal(picture.size, 1 + 64 + 1 + 4 + 4);
    deepEqual(await pictureOfSnapshot(repository, await last(repository), source), picture);
  });
});

function writeAt(path: string, parts: [offset: number, data: Uint8Array][], sizeBytes?: number): void {
  using file = Deno.openSync(path, { write: true, create: true });
  if (sizeBytes !== undefined) file.truncateSync(sizeBytes);
  for (const [offset, data] of parts) {
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(data);
  }
}

function readAt(path: string, offset: number, length: number): Uint8Array {
  using file = Deno.openSync(path);
  const data = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  for (let count: number | null = 0; filled < length && count !== null; filled += count ?? 0) {
    count = file.readSync(data.subarray(filled));
  }
  return data.subarray(0, filled);
}

Deno.test("(39) of a sparse file of 1 TB only the data is read and next to nothing stored; it has its holes again", async () => {
  await withScene(async (scene) => {
    const { source, target, repository } = scene;
    const parts: [number, Uint8Array][] = [[0, noise("head", 5000)], [TIB / 2 + 12_345, noise("middle", 70_000)]];
    for (const sizeBytes of [TIB, TIB / 2 + 12_345 + 70_000]) {
      writeAt(`${source}/sparse ${sizeBytes}`, parts, sizeBytes);
    }
    writeAt(`${source}/empty`, [], TIB);
    let reads = 0;
    const counting = new FaultyFiles((call) => void (reads += call === "read" ? 1 : 0));
    const { bytesStored, bytesProcessed } = await save(repository, source, { files: counting });
    ok(reads < 100, `holes were read: ${reads} reads`);
    ok(bytesStored < 400_000, `${bytesStored} bytes stored`);
    ok(bytesProcessed > 2 * TIB);
    const { filesFailed } = await bringBack(repository, await last(repository), source, target, { pool });
    equal(filesFailed, 0);
    for (const name of files.readNames(source)) {
      const [before, after] = [files.lstat(`${source}/${name}`), files.lstat(`${target}/${name}`)];
      equal(after.sizeBytes, before.sizeBytes);
      ok(after.allocatedBytes < MIB, `${name} takes ${after.allocatedBytes} bytes`);
      for (const [offset, data] of name === "empty" ? [] : parts) {
        deepEqual(readAt(`${target}/${name}`, offset - Math.min(offset, 3), data.length), readBefore(data, offset));
      }
    }
    equal((await save(repository, source, { pool })).filesUnmodified, 3);
  });
});

/** What `readAt` gives that begins three bytes before `data`, in a hole. */
function readBefore(data: Uint8Array, offset: number): Uint8Array {
  const lead = Math.min(offset, 3);
  const expected = new Uint8Array(data.length);
  expected.set(data.subarray(0, data.length - lead), lead);
  return expected;
}

Deno.test("(39) bytes around and beyond 4 GiB keep their places", async () => {
  await withScene(async (scene) => {
    const { source, target, repository } = scene;
    const places = [2 * GIB - 100, 4 * GIB - 100, 4 * GIB + 300_000, 5 * GIB, 9 * GIB + 7];
    const path = `${source}/large`;
    writeAt(path, places.map((offset, i) => [offset, noise(`place ${i}`, 5000 + i)]), 9 * GIB + 100_000);
    await save(repository, source, { pool });
    await bringBack(repository, await last(repository), source, target, { pool });
    for (const [i, offset] of places.entries()) {
      deepEqual(readAt(`${target}/large`, offset, 5000 + i), new Uint8Array(noise(`place ${i}`, 5000 + i)));
    }
    equal(files.lstat(`${target}/large`).sizeBytes, 9 * GIB + 100_000);
    ok(files.lstat(`${target}/large`).allocatedBytes < MIB);
    writeAt(path, [[5 * GIB + 2000, noise("later", 50)]]);
    const { bytesAdded } = await save(repository, source, { pool });
    ok(bytesAdded < 2 * MIB, `${bytesAdded} bytes added`);
    await bringBack(repository, await last(repository), source, target, { pool });
    deepEqual(readAt(`${target}/large`, 5 * GIB + 2000, 50), new Uint8Array(noise("later", 50)));
  });
});

Deno.test("(39) a file of several regions is read by all workers; a change in its middle costs a chunk or two", async () => {
  await withScene(async (scene) => {
    const { source, repository } = scene;
    const sizeBytes = 2 * LIMITS.regionBytes + 3 * MIB + 17;
    using file = Deno.openSync(`${source}/huge`, { write: true, create: true });
    for (let at = 0; at < sizeBytes; at += MIB) file.writeSync(systemRandom(Math.min(MIB, sizeBytes - at)));
    const first = await save(repository, source, { pool });
    ok(first.bytesAdded > sizeBytes);
    await comesBack(scene);
    file.seekSync(LIMITS.regionBytes + 12_345, Deno.SeekMode.Start);
    file.writeSync(systemRandom(100));
    const second = await save(repository, source, { pool });
    ok(second.bytesAdded < 9 * MIB, `${second.bytesAdded} bytes added`);
    await comesBack(scene);
  });
});

Deno.test("(39) extended attributes of any number and size fit, though an entry has a limit", async () => {
  const many = Array.from(
    { length: 120 },
    (_, i): Xattr => ({ name: `user.${i}`, value: noise(`${i}`, 4096 - (i % 7)) }),
  );
  const large: Xattr = { name: "user.zzz", value: noise("large", 65_536) };
  class Attributed extends ForwardingFiles {
    override xattrs(path: string): Xattr[] {
      return path.endsWith("/file") || path.endsWith("/folder") ? [...many, large] : super.xattrs(path);
    }
  }
  await withScene(async ({ source, repository }) => {
    writeFiles(source, { "file": "file", "folder/in it": "in it" });
    const attributed = new Attributed();
    await save(repository, source, { files: attributed });
    const expected = pictureOfFolder(attributed, source);
    deepEqual(await pictureOfSnapshot(repository, await last(repository), source), expected);
    equal((await save(repository, source, { files: attributed })).filesUnmodified, 2);
    deepEqual(await pictureOfSnapshot(repository, await last(repository), source), expected);
  });
});
