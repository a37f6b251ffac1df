import { deepEqual, equal, ok } from "node:assert/strict";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { Repository } from "../../src/repository/repository.ts";
import type { FileOps } from "../../src/storage/file_ops.ts";
import { openLocalStore } from "../../src/storage/local.ts";
import { type FileCall, interceptedFiles } from "./intercepted_files.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { SimulatedFiles } from "./simulated_files.ts";
import { changeSmallSource, writeSmallSource } from "./source_folder.ts";
import { opened, save, SECRET, testContext, withFolder } from "./test_repository.ts";
import { seededFraction } from "./turns.ts";

const files = openFileSystem();

/** What is left of what was not synced: nothing, everything, or some names and some bytes. */
const LEFTOVERS: { name: string; survives: (seed: number) => () => boolean }[] = [
  { name: "nothing", survives: () => () => false },
  { name: "everything", survives: () => () => true },
  {
    name: "some",
    survives: (seed) => {
      const fraction = seededFraction(seed);
      return () => fraction() < 0.6;
    },
  },
];

/** Fails every call from number `at` on. */
function dying(ops: FileOps, at: number): { ops: FileOps; calls: FileCall[] } {
  const calls: FileCall[] = [];
  return {
    calls,
    ops: interceptedFiles(ops, (call) => {
      if (calls.push(call) >= at) throw Object.assign(new Error("the power is gone"), { code: "EIO" });
    }),
  };
}

async function onDisk(ops: FileOps) {
  return await openLocalStore("/repository", { make: true, ops });
}

Deno.test("(2) the power goes at any call to the file system: earlier snapshots and what was reported are whole", async () => {
  await withFolder(async (folder) => {
    writeSmallSource(folder);
    const first = pictureOfFolder(files, folder);
    const second = `${folder}-second`;
    Deno.mkdirSync(second);
    try {
      writeSmallSource(second);
      changeSmallSource(second);
      const now = pictureOfFolder(files, second);
      const points = { tried: 0, reported: 0 };
      for (const { name, survives } of LEFTOVERS) {
        for (let at = 1;; at++) {
          const disk = new SimulatedFiles({ links: at % 2 === 0 });
          await Repository.create(await onDisk(disk), { secret: SECRET }, testContext());
          await save(await opened(await onDisk(disk)), folder);
          const { ops, calls } = dying(disk, at);
          const reported = await onDisk(ops).then((store) => opened(store)).then((repository) =>
            save(repository, second)
          )
            .then(({ snapshotId }) => snapshotId, () => undefined);
          if (calls.length < at) break;
          disk.powerLoss(survives(at));
          points.tried++;
          if (reported !== undefined) points.reported++;
          const what = `${name} left after call ${at}, ${calls[at - 1].call} ${calls[at - 1].path}`;
          await examine(disk, what, reported, { folder, first, second, now });
        }
      }
      ok(points.tried > 100);
      console.log(`the power went at ${points.tried} points, ${points.reported} after success was reported`);
    } finally {
      Deno.removeSync(second, { recursive: true });
    }
  });
});

interface Sources {
  folder: string;
  first: Picture;
  second: string;
  now: Picture;
}

async function examine(
  disk: SimulatedFiles,
  what: string,
  reported: string | null | undefined,
  { folder, first, second, now }: Sources,
): Promise<void> {
  try {
    const repository = await opened(await onDisk(disk));
    const { snapshots, damaged } = await repository.snapshots();
    deepEqual(damaged, []);
    deepEqual(await pictureOfSnapshot(repository, snapshots[0], folder), first);
    if (reported !== undefined) equal(snapshots[1]?.id, reported);
    if (snapshots.length > 1) deepEqual(await pictureOfSnapshot(repository, snapshots[1], second), now);
    await save(repository, second);
    const healed = (await repository.snapshots()).snapshots;
    equal(healed.length, snapshots.length + 1);
    deepEqual(await pictureOfSnapshot(repository, healed.at(-1)!, second), now);
  } catch (cause) {
    throw new Error(`${what}: ${cause}`, { cause });
  }
}
