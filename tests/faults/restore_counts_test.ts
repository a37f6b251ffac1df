/** What a restore says that it did is what it did. */
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, savedOnce, withFolder } from "./test_repository.ts";

const files = openFileSystem();

const FILES = {
  text: "hello",
  empty: "",
  large: noise("large", 300_000),
};

const CASES: Record<string, (target: string) => void> = {
  "as it was": () => {},
  "longer": (target) => Deno.writeTextFileSync(`${target}/text`, "more", { append: true }),
  "shorter": (target) => Deno.truncateSync(`${target}/large`, 200_000),
  "another byte": (target) => Deno.writeTextFileSync(`${target}/text`, "Hello"),
  "no longer empty": (target) => Deno.writeTextFileSync(`${target}/empty`, "x"),
  "data in a hole": (target) => {
    using file = Deno.openSync(`${target}/hole`, { write: true });
    file.seekSync(500_000, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode("data"));
  },
};

Deno.test("a restore counts what it changed as restored and nothing else, and so does a dry run", async (t) => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    writeFiles(source, FILES);
    Deno.writeTextFileSync(`${source}/hole`, "");
    Deno.truncateSync(`${source}/hole`, 1_000_000);
    const { repository, snapshot } = await savedOnce(source);
    await bringBack(repository, snapshot, source, target);
    for (const [name, change] of Object.entries(CASES)) {
      await t.step(name, async () => {
        change(target);
        const changed = name === "as it was" ? 0 : 1;
        for (const dryRun of [true, false]) {
          const done = await bringBack(repository, snapshot, source, target, { dryRun });
          deepEqual([done.filesRestored, done.filesUnchanged], [changed, 4 - changed], dryRun ? "dry" : "done");
        }
        const again = await bringBack(repository, snapshot, source, target);
        deepEqual([again.filesRestored, again.filesUnchanged], [0, 4]);
      });
    }
  });
});

Deno.test("a file that is right already is not touched", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    writeFiles(source, FILES);
    const { repository, snapshot } = await savedOnce(source);
    await bringBack(repository, snapshot, source, target);
    const times = () => Object.keys(FILES).map((name) => files.lstat(`${target}/${name}`).ctimeNs);
    const before = times();
    await bringBack(repository, snapshot, source, target);
    deepEqual(times(), before);
    Deno.chmodSync(`${target}/text`, 0o600);
    await bringBack(repository, snapshot, source, target);
    equal(files.lstat(`${target}/text`).mode, files.lstat(`${source}/text`).mode);
  });
});
