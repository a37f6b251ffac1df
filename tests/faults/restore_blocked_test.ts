/** What cannot come back because something that is no folder keeps the place of its folder is told and counted. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import type { AxiomEvent } from "../../src/base/events.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { OverwriteMode, RestoreOptions } from "../../src/operations/restore.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, savedOnce, withFolder } from "./test_repository.ts";

const files = openFileSystem();

/** `d` holds `1`, `link`, `sub` and `sub/2`, of which `e/2` is another name. */
function writeSource(source: string): void {
  writeFiles(source, { "d/1": "one", "d/sub/2": noise("two", 50_000), "e/3": "three" });
  Deno.symlinkSync("1", `${source}/d/link`);
  Deno.linkSync(`${source}/d/sub/2`, `${source}/e/2`);
}

const IN_THE_WAY: Record<string, (path: string) => void> = {
  "a symbolic link": (path) => {
    Deno.symlinkSync("../elsewhere", path);
  },
  "a file": (path) => Deno.writeTextFileSync(path, "mine"),
};

type Saved = Awaited<ReturnType<typeof savedOnce>>;

/** The faults of a restore, each with what it says, and its counts. */
async function broughtBack(
  { repository, snapshot }: Pick<Saved, "repository" | "snapshot">,
  source: string,
  target: string,
  options: Partial<RestoreOptions>,
) {
  const faults: [path: string | undefined, message: string, hint: string | undefined][] = [];
  const onEvent = (event: AxiomEvent) => {
    if (event.type !== "error") return;
    equal(event.error.kind, "target_unwritable");
    faults.push([event.path, event.error.message, event.error.hint]);
  };
  const done = await bringBack(repository, snapshot, source, target, { ...options, onEvent });
  const { filesRestored, filesSkipped, filesFailed, filesVerified, damaged } = done;
  equal(damaged, false);
  return { faults, counts: [filesRestored, filesSkipped, filesFailed], filesVerified };
}

/** With every way to replace and everything in the way: `d` was saved, and something else stands in its place. */
async function inEachWay(
  t: Deno.TestContext,
  modes: readonly OverwriteMode[],
  run: (scene: Saved & { source: string; target: string; overwrite: OverwriteMode; noun: string }) => Promise<void>,
): Promise<void> {
  for (const overwrite of modes) {
    for (const [noun, put] of Object.entries(IN_THE_WAY)) {
      await t.step(`${overwrite}: ${noun}`, () =>
        withFolder(async (folder) => {
          const source = `${folder}/source`, target = `${folder}/target`;
          writeSource(source);
          const saved = await savedOnce(source);
          for (const path of [target, `${folder}/elsewhere`]) Deno.mkdirSync(path);
          put(`${target}/d`);
          await run({ ...saved, source, target, overwrite, noun });
        }));
    }
  }
}

Deno.test("a folder whose place is kept is one fault, and what it held is skipped", (t) =>
  inEachWay(t, ["if-newer", "never"], async ({ source, target, overwrite, noun, ...saved }) => {
    const { type } = files.lstat(`${target}/d`);
    const why = `${noun} stands where the folder was, and --overwrite ${overwrite} keeps it`;
    const message = `Cannot restore d: ${why}; 4 entries below it were left out`;
    for (const dryRun of [true, false]) {
      const options = { overwrite, dryRun, verify: true, delete: true };
      const { faults, counts, filesVerified } = await broughtBack(saved, source, target, options);
      deepEqual(faults.map(([path, message]) => [path, message]), [["d", message]]);
      match(faults[0][2]!, /^Move it away .*--target$/);
      deepEqual(counts, [2, 3, 1]);
      equal(filesVerified, dryRun ? 0 : 2);
    }
    equal(files.lstat(`${target}/d`).type, type);
    equal(Deno.readTextFileSync(`${target}/e/3`), "three");
    equal(files.lstat(`${target}/e/2`).sizeBytes, 50_000);
    deepEqual([...Deno.readDirSync(`${target}/../elsewhere`)], []);
  }));

Deno.test("a folder takes a place that is not kept, and all that it held comes back", (t) =>
  inEachWay(t, ["always", "if-changed"], async ({ source, target, overwrite, ...saved }) => {
    for (const dryRun of [true, false]) {
      const done = await broughtBack(saved, source, target, { overwrite, verify: true, dryRun });
      deepEqual(done, { faults: [], counts: [3, 0, 0], filesVerified: dryRun ? 0 : 4 });
    }
    equal(Deno.readTextFileSync(`${target}/d/1`), "one");
    equal(files.lstat(`${target}/d/sub/2`).inode, files.lstat(`${target}/e/2`).inode);
  }));

Deno.test("a folder takes such a place also for one file far below it", (t) =>
  inEachWay(t, ["always"], async ({ source, target, overwrite, ...saved }) => {
    const select = (path: string) => path === "d/sub/2";
    for (const dryRun of [true, false]) {
      const done = await broughtBack(saved, source, target, { overwrite, verify: true, dryRun, select });
      deepEqual(done, { faults: [], counts: [1, 0, 0], filesVerified: dryRun ? 0 : 1 });
    }
    equal(files.lstat(`${target}/d/sub/2`).sizeBytes, 50_000);
  }));

Deno.test("of a folder whose place is kept only what was selected is missing", async (t) => {
  const cases: { name: string; select: RestoreOptions["select"]; told?: RegExp; counts: number[] }[] = [
    {
      name: "one file below it",
      select: (path) => path === "d/sub/2",
      told: /keeps it; 1 entry below it was left out$/,
      counts: [0, 1, 1],
    },
    {
      name: "all but what it holds",
      select: (path) => !path.startsWith("d/"),
      told: /--overwrite never keeps it$/,
      counts: [2, 0, 1],
    },
    { name: "nothing of it", select: (path) => path.startsWith("e"), counts: [2, 0, 0] },
  ];
  for (const { name, select, told, counts } of cases) {
    await t.step(name, () =>
      withFolder(async (folder) => {
        const source = `${folder}/source`, target = `${folder}/target`;
        writeSource(source);
        writeFiles(target, { d: "mine" });
        const done = await broughtBack(await savedOnce(source), source, target, {
          overwrite: "never",
          verify: true,
          select,
        });
        deepEqual(done.counts, counts);
        equal(done.faults.length, told === undefined ? 0 : 1);
        if (told !== undefined) match(done.faults[0][1], told);
      }));
  }
});
