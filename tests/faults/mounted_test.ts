/** File systems that are really mounted: only root may, elsewhere these tests are ignored. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { check } from "../../src/operations/check.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { Repository } from "../../src/repository/repository.ts";
import { openLocalStore } from "../../src/storage/local.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { FaultyFiles, SteadyFiles } from "./faulty_files.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import {
  bringBack,
  emptyRepository,
  opened,
  save,
  SECRET,
  SMALL_PACKS,
  testContext,
  withFolder,
} from "./test_repository.ts";

const files = openFileSystem();

/** False where it failed, or there is no such program. */
async function does(command: string, ...args: string[]): Promise<boolean> {
  const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
  return await new Deno.Command(command, options).output().then(({ success }) => success, () => false);
}

/** Whether this user, in this place, may mount anything by such a command. */
async function mayMount(mount: (from: string, to: string) => Promise<boolean>): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  return await withFolder(async (top) => {
    const [from, to] = [`${top}/from`, `${top}/to`];
    for (const folder of [from, to]) Deno.mkdirSync(folder);
    return await mount(from, to) && await does("umount", "-l", to);
  });
}

const bind = (from: string, to: string) => does("mount", "--bind", from, to);
const bindfs = (from: string, to: string, ...more: string[]) => does("bindfs", ...more, from, to);
const mayBind = await mayMount(bind);
const mayBindfs = await mayMount(bindfs);

/** Runs with what `mount` puts at `point`. */
async function withMount(point: string, mount: () => Promise<boolean>, run: () => Promise<void>): Promise<void> {
  Deno.mkdirSync(point, { recursive: true });
  ok(await mount(), `Cannot mount anything at ${point}`);
  try {
    await run();
  } finally {
    await does("umount", "-l", point);
  }
}

/** The same as a step, which is ignored where there is nothing to mount it with. */
async function stepWithMount(
  t: Deno.TestContext,
  name: string,
  point: string,
  mount: () => Promise<boolean>,
  run: () => Promise<void>,
): Promise<void> {
  Deno.mkdirSync(point, { recursive: true });
  const isMounted = await mount();
  try {
    await t.step({ name: isMounted ? name : `${name}: nothing here can mount it`, ignore: !isMounted, fn: run });
  } finally {
    if (isMounted) await does("umount", "-l", point);
  }
}

async function waitsMs(path: string): Promise<number> {
  return (await openLocalStore(path, {})).traits.staleListingMs;
}

async function assertClean(repository: Repository): Promise<void> {
  const context = { pool: () => inProcessPool(), onEvent: () => {} };
  deepEqual((await check(repository, { readData: { kind: "all" } }, context)).errors, []);
}

Deno.test("restore with delete leaves alone what is mounted in the target", { ignore: !mayBind }, async () => {
  await withFolder(async (top) => {
    const [source, target] = [`${top}/source`, `${top}/target`];
    writeFiles(source, { "kept/a": "a", "b": "b" });
    const store = memoryStore();
    store.restore(await emptyRepository());
    const repository = await opened(store);
    await save(repository, source);
    const [snapshot] = (await repository.snapshots()).snapshots;
    writeFiles(target, { "surplus/file": "x", "alone": "x" });
    const ways: [at: string, mount: (point: string) => Promise<boolean>][] = [];
    for (const at of ["mounted", "surplus/mounted", "kept/mounted"]) {
      ways.push([at, (point) => does("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", point)]);
      // Of the same file system, so with the same device number.
      ways.push([at, (point) => bind(`${top}/bound`, point)]);
    }
    for (const [at, mount] of ways) {
      const point = `${target}/${at}`;
      writeFiles(top, { "bound/known": "of somebody else" });
      await withMount(point, () => mount(point), async () => {
        writeFiles(point, { "theirs/file": "not of this snapshot" });
        await bringBack(repository, snapshot, source, target, { delete: true });
        equal(Deno.readTextFileSync(`${point}/theirs/file`), "not of this snapshot");
        equal(Deno.readTextFileSync(`${top}/bound/known`), "of somebody else");
        equal(Deno.readTextFileSync(`${target}/kept/a`), "a");
        equal(files.readNames(target).includes("alone"), false);
        if (at.startsWith("surplus")) deepEqual(files.readNames(`${target}/surplus`), ["mounted"]);
      });
    }
  });
});

Deno.test("a FUSE file system that shows a local folder has no stale listings", { ignore: !mayBindfs }, async (t) => {
  await withFolder(async (top) => {
    const [local, point, second, spaced] = ["local", "point", "second one", "local folder"].map((x) => `${top}/${x}`);
    for (const folder of [local, spaced, `${top}/other`]) Deno.mkdirSync(folder);
    await t.step("bindfs, and another one on it", async () => {
      await withMount(point, () => bindfs(local, point), async () => {
        equal(await waitsMs(point), 0);
        await withMount(second, () => bindfs(point, second), async () => equal(await waitsMs(second), 0));
      });
      await withMount(point, () => bindfs(spaced, point), async () => equal(await waitsMs(point), 0));
    });
    // For a folder with a space in its name bindfs lets others say what the source is.
    await t.step("one that says it shows what it does not is taken for a remote one", async () => {
      for (const said of [`${top}/other`, `${top}/gone`, point, "relative"]) {
        const mount = () => bindfs(spaced, point, "-o", `fsname=${said}`);
        await withMount(point, mount, async () => equal(await waitsMs(point), 60_000, said));
      }
    });
    await t.step("a larger one than the file that it says it is in", async () => {
      Deno.writeTextFileSync(`${top}/account`, "of some server");
      const mount = () => bindfs(spaced, point, "-o", `fsname=${top}/account`);
      await withMount(point, mount, async () => equal(await waitsMs(point), 60_000));
    });
  });
});

Deno.test("a FUSE file system that shows a disk in a file has no stale listings", { ignore: !mayBind }, async (t) => {
  await withFolder(async (top) => {
    const point = `${top}/point`;
    const kind = { name: "ntfs", make: ["mkntfs", "-F", "-Q"], mounts: [["ntfs-3g"]] };
    const mount = () => mountImage(kind, `${top}/image`, point);
    await stepWithMount(t, "ntfs-3g", point, mount, async () => equal(await waitsMs(point), 0));
  });
});

Deno.test(
  "(34) a repository whose mount vanishes during a backup: an error, nothing at the empty place, and the next run heals",
  { ignore: !mayBind },
  async () => {
    await withFolder(async (top) => {
      const [source, disk, point] = [`${top}/source`, `${top}/disk`, `${top}/mounted`];
      Deno.mkdirSync(source);
      Deno.mkdirSync(disk);
      writeSmallSource(source);
      const plug = () => bind(disk, point);
      await withMount(point, plug, async () => {
        const store = await openLocalStore(point, { make: true });
        await Repository.create(store, { secret: SECRET, settings: SMALL_PACKS }, testContext());
        const repository = await opened(store);
        await save(repository, source);
        const expected = pictureOfFolder(files, source);
        for (let i = 0; i < 20; i++) writeFiles(source, { [`new/${i}`]: noise(`new ${i}`, 30_000) });
        let reads = 0;
        const unplugging = new FaultyFiles((call) => {
          if (call !== "read" || ++reads !== 8) return;
          ok(new Deno.Command("umount", { args: ["-l", point] }).outputSync().success);
        });
        const error = await errorOf(save(repository, source, { files: unplugging }));
        ok(error.kind.startsWith("storage_") || error.kind === "object_missing", `${error.kind}: ${error.message}`);
        deepEqual(files.readNames(point), [], "the place of the mount is another disk");
        ok(await plug());
        await store.close();
        const reopened = await openLocalStore(point, {});
        const again = await opened(reopened);
        const { snapshots } = await again.snapshots();
        equal(snapshots.length, 1);
        deepEqual(await pictureOfSnapshot(again, snapshots[0], source), expected);
        await save(again, source);
        const healed = (await again.snapshots()).snapshots.at(-1)!;
        deepEqual(await pictureOfSnapshot(again, healed, source), pictureOfFolder(files, source));
        await assertClean(again);
        await reopened.close();
      });
    });
  },
);

/** How an image is made and mounted, by the kernel or by a program in its stead. */
const KINDS: { name: string; make: string[]; mounts: string[][] }[] = [
  { name: "vfat", make: ["mkfs.vfat", "-F", "32"], mounts: [["mount", "-o", "loop"]] },
  {
    name: "exfat",
    make: ["mkfs.exfat"],
    mounts: [["mount", "-o", "loop"], ["mount", "-t", "exfat-fuse", "-o", "loop"]],
  },
  { name: "ntfs", make: ["mkntfs", "-F", "-Q"], mounts: [["mount", "-o", "loop"], ["ntfs-3g"]] },
  { name: "xfs", make: ["mkfs.xfs", "-q"], mounts: [["mount", "-o", "loop"]] },
  { name: "btrfs", make: ["mkfs.btrfs", "-q"], mounts: [["mount", "-o", "loop"]] },
];

async function mountImage({ make, mounts }: typeof KINDS[number], image: string, point: string): Promise<boolean> {
  using file = Deno.openSync(image, { write: true, createNew: true });
  file.truncateSync(320 * 1024 * 1024);
  if (!await does(make[0], ...make.slice(1), image)) return false;
  for (const [program, ...args] of mounts) if (await does(program, ...args, image, point)) return true;
  return false;
}

Deno.test("(35) repositories and targets on other file systems, with or without links, modes and exact times", {
  ignore: !mayBind,
}, async (t) => {
  for (const kind of KINDS) {
    await withFolder(async (top) => {
      const [source, point] = [`${top}/source`, `${top}/mounted`];
      Deno.mkdirSync(source);
      writeSmallSource(source);
      writeFiles(source, { "large": noise("large", 500_000) });
      await stepWithMount(t, kind.name, point, () => mountImage(kind, `${top}/image`, point), async () => {
        const store = await openLocalStore(`${point}/repository`, { make: true });
        await Repository.create(store, { secret: SECRET, settings: SMALL_PACKS }, testContext());
        const repository = await opened(store);
        const steady = new SteadyFiles(source);
        await save(repository, source, { files: steady });
        equal((await save(repository, source, { files: steady })).chunksNew, 0);
        await assertClean(repository);
        const [snapshot] = (await repository.snapshots()).snapshots;
        await bringBack(repository, snapshot, source, `${top}/back`);
        deepEqual(pictureOfFolder(files, `${top}/back`), pictureOfFolder(files, source));
        await bringBack(repository, snapshot, source, `${point}/target`);
        for (const path of ["a/text", "a/noise", "a/b/empty", "large", "c/last"]) {
          deepEqual(Deno.readFileSync(`${point}/target/${path}`), Deno.readFileSync(`${source}/${path}`));
        }
        await save(repository, `${point}/target`);
        await store.close();
      });
    });
  }
});
