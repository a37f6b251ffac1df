import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../../src/base/errors.ts";
import type { RestoreSummary } from "../../src/operations/restore.ts";
import { SystemError, type TargetFile } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { WorkerPool } from "../../src/stages/worker_pool.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { AlteredTargets, type ForwardingFiles } from "./faulty_files.ts";
import { type Picture, pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles, writeSmallSource } from "./source_folder.ts";
import { bringBack, emptyRepository, type Events, opened, save, SMALL_PACKS, withFolder } from "./test_repository.ts";

const files = openFileSystem();

interface Scene {
  folder: string;
  repository: Repository;
  snapshot: StoredSnapshot;
  events: Events;
  picture: Picture;
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    writeSmallSource(folder);
    for (let i = 0; i < 12; i++) writeFiles(folder, { [`big/${i}/file`]: noise(`big ${i}`, 40_000) });
    writeFiles(folder, { "large": noise("large", 200_000) });
    const store = memoryStore();
    store.restore(await emptyRepository(SMALL_PACKS));
    const events: Events = [];
    const repository = await opened(store, events);
    await save(repository, folder);
    const [snapshot] = (await repository.snapshots()).snapshots;
    await run({ folder, repository, snapshot, events, picture: pictureOfFolder(files, folder) });
  });
}

type TargetCall =
  | "createFile"
  | "openFile"
  | "write"
  | "truncate"
  | "makeFolder"
  | "makeSymlink"
  | "makeLink"
  | "remove";

/** A target that calls `before` ahead of what changes it, with the bytes of a write. */
function faultyTargets(before: (call: TargetCall, path: string, bytes: number) => void): AlteredTargets {
  const checked = (file: TargetFile, name: string): TargetFile => ({
    write: (data, offset) => {
      before("write", name, data.length);
      file.write(data, offset);
    },
    read: (into, offset) => file.read(into, offset),
    truncate: (sizeBytes) => {
      before("truncate", name, 0);
      file.truncate(sizeBytes);
    },
    punchHole: (offset, length) => file.punchHole(offset, length),
    stat: () => file.stat(),
    setMetadata: (metadata) => file.setMetadata(metadata),
    close: () => file.close(),
  });
  return new AlteredTargets((_tree, call, args, go) => {
    const name = String(args[0]);
    if (WATCHED.has(call)) before(call as TargetCall, name, 0);
    const result = go(...args);
    return call === "createFile" || call === "openFile" ? checked(result as TargetFile, name) : result;
  });
}

const WATCHED = new Set(["createFile", "openFile", "makeFolder", "makeSymlink", "makeLink", "remove"]);

async function restoreInto(
  { repository, snapshot, folder }: Scene,
  target: string,
  targets?: ForwardingFiles,
): Promise<RestoreSummary> {
  return await bringBack(repository, snapshot, folder, target, { files: targets });
}

Deno.test("(12) a target that is full from any byte on is one error, and the same restore goes on from there", async () => {
  await withScene(async (scene) => {
    const STEPS = 24;
    for (let step = 0; step < STEPS; step++) {
      for (const code of ["ENOSPC", "EDQUOT"]) {
        await withFolder(async (target) => {
          let left = (700_000 * step) / STEPS;
          const full = faultyTargets((call, path, bytes) => {
            left -= bytes;
            if (left < 0 && call !== "remove") throw new SystemError(code, call, path);
          });
          scene.events.length = 0;
          const error = await errorOf(restoreInto(scene, target, full));
          equal(error.kind, "target_full");
          equal(error.exitCode, 1);
          ok(error.hint);
          deepEqual(scene.events.filter(({ type }) => type === "error"), [], "one error, not one per file");
          const { filesFailed } = await restoreInto(scene, target);
          equal(filesFailed, 0);
          deepEqual(pictureOfFolder(files, target), scene.picture);
        });
      }
    }
  });
});

Deno.test("(12) a target without room for one more name, at any call, is one error too", async () => {
  await withScene(async (scene) => {
    let points = 0;
    for (let at = 1;; at++) {
      let calls = 0;
      const isThrough = await withFolder(async (target) => {
        const full = faultyTargets((call, path) => {
          const makesName = call === "createFile" || call.startsWith("make");
          if (makesName && ++calls >= at) throw new SystemError("ENOSPC", call, path);
        });
        scene.events.length = 0;
        const error = await restoreInto(scene, target, full).then(() => undefined, (thrown) => thrown);
        if (calls < at) return true;
        ok(error instanceof AxiomError && error.kind === "target_full", `at ${at}: ${error}`);
        deepEqual(scene.events.filter(({ type }) => type === "error"), []);
        await restoreInto(scene, target);
        deepEqual(pictureOfFolder(files, target), scene.picture);
        return false;
      });
      if (isThrough) break;
      points++;
    }
    console.log(`no room at ${points} names`);
  });
});

/** Whether `at` is `path`, or what a restore writes beside it first. */
function isOf(at: string, path: string): boolean {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return at === path || at.startsWith(`${folder}.axiom-part-`);
}

Deno.test("(14) (35) what cannot be made at the target is told of, counted, and costs nothing else", async (t) => {
  const cases: { path: string; call: TargetCall; lacks: string[] }[] = [
    { path: "a/text", call: "createFile", lacks: ["a/text"] },
    { path: "large", call: "createFile", lacks: ["large"] },
    { path: "large", call: "write", lacks: ["large"] },
    { path: "c/last", call: "write", lacks: ["c/last"] },
    { path: "big/3", call: "makeFolder", lacks: ["big/3", "big/3/file"] },
    { path: "link", call: "makeSymlink", lacks: ["link"] },
    { path: "c/noise", call: "makeLink", lacks: ["c/noise"] },
  ];
  await withScene(async (scene) => {
    for (const { path, call, lacks } of cases) {
      for (const code of ["EACCES", "EIO"]) {
        await t.step(`${call} of ${path}: ${code}`, async () => {
          await withFolder(async (target) => {
            const faulty = faultyTargets((made, at) => {
              if (made === call && isOf(at, path)) throw new SystemError(code, made, at);
            });
            scene.events.length = 0;
            const { filesFailed } = await restoreInto(scene, target, faulty);
            ok(filesFailed > 0);
            const errors = scene.events.flatMap((event) => event.type === "error" ? [event.error] : []);
            equal(errors.length, filesFailed);
            ok(errors.every(({ kind, message }) => kind === "target_unwritable" && /^Cannot restore /.test(message)));
            const there = pictureOfFolder(files, target);
            for (const [name, line] of scene.picture) {
              if (!lacks.includes(name) && !line.includes(" = ")) equal(there.get(name), line, name);
            }
            await restoreInto(scene, target);
            deepEqual(pictureOfFolder(files, target), scene.picture);
          });
        });
      }
    }
  });
});

Deno.test("with delete, a folder full of other things gives way to whatever the snapshot has in its place", async (t) => {
  await withScene(async (scene) => {
    for (const path of ["a/text", "large", "link", "c/noise", "a/b/empty"]) {
      await t.step(path, async () => {
        await withFolder(async (target) => {
          await restoreInto(scene, target);
          Deno.removeSync(`${target}/${path}`);
          writeFiles(target, { [`${path}/x/y`]: "in the way", [`${path}/z`]: "in the way" });
          scene.events.length = 0;
          const { filesFailed } = await bringBack(scene.repository, scene.snapshot, scene.folder, target, {
            delete: true,
          });
          deepEqual(scene.events, []);
          equal(filesFailed, 0);
          deepEqual(pictureOfFolder(files, target), scene.picture);
        });
      });
    }
  });
});

Deno.test("backups and restores leave no file or folder open, though workers are ended at once", async () => {
  if (Deno.build.os !== "linux") return;
  await withScene(async ({ repository, snapshot, folder }) => {
    const pool = () => new WorkerPool(2);
    const opened: number[] = [];
    for (let round = 0; round < 4; round++) {
      await withFolder(async (restored) => {
        await bringBack(repository, snapshot, folder, restored, { pool });
        await save(repository, folder, { pool, mode: "full" });
        const descriptors = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => target(`/proc/self/fd/${name}`));
        // Tests of other modules run in the same process, with folders of their own.
        opened.push(descriptors.filter((path) => path.startsWith(folder) || path.startsWith(restored)).length);
      });
    }
    deepEqual(opened, [0, 0, 0, 0]);
  });
});

function target(link: string): string {
  try {
    return Deno.readLinkSync(link);
  } catch {
    return "";
  }
}

async function mounted(options: string, run: (target: string) => Promise<void>): Promise<boolean> {
  const target = await Deno.makeTempDir({ prefix: "axiom-full-" });
  const mount = (...args: string[]) =>
    new Deno.Command("mount", { args, stderr: "null" }).output().then((o) => o.success);
  try {
    if (Deno.build.os !== "linux" || !await mount("-t", "tmpfs", "-o", options, "tmpfs", target)) return false;
    try {
      await run(target);
    } finally {
      await new Deno.Command("umount", { args: [target] }).output();
    }
    return true;
  } finally {
    await Deno.remove(target);
  }
}

Deno.test("(12) a real file system that is full, by bytes and by inodes; once it is larger, the restore goes on", async (t) => {
  await withScene(async (scene) => {
    for (const options of ["size=300k", "size=8m,nr_inodes=12"]) {
      await t.step(options, async () => {
        const was = await mounted(options, async (target) => {
          const error = await errorOf(restoreInto(scene, target));
          equal(error.kind, "target_full");
          await new Deno.Command("mount", { args: ["-o", "remount,size=8m,nr_inodes=1000", target] }).output();
          const { filesFailed } = await restoreInto(scene, target);
          equal(filesFailed, 0);
          deepEqual(pictureOfFolder(files, target), scene.picture);
        });
        if (!was) console.log("not run: this user may not mount a file system");
      });
    }
  });
});

Deno.test("a path that the snapshot does not have leaves no new target behind", async () => {
  await withScene(async ({ repository, snapshot, folder }) => {
    await withFolder(async (parent) => {
      const target = `${parent}/new`;
      const error = await errorOf(bringBack(repository, snapshot, `${folder}/nowhere`, target));
      equal(error.kind, "path_missing");
      deepEqual([...Deno.readDirSync(parent)], []);
    });
  });
});
