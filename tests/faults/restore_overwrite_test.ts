/** What is newer, or what is there at all, stays where that was asked, also through links and after an interruption. */
import { ok, strictEqual as equal } from "node:assert/strict";
import { equalBytes } from "../../src/base/bytes.ts";
import type { TargetFile } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { AlteredTargets } from "./faulty_files.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, savedOnce, SMALL_PACKS, withFolder } from "./test_repository.ts";

const files = openFileSystem();
const JUDGED = ["if-newer", "never"] as const;

Deno.test("--overwrite says what a further name of an object may replace", async (t) => {
  const cases: {
    name: string;
    first?: "older";
    overwrite: (typeof JUDGED)[number];
    b: "newer" | "older";
    stays: boolean;
  }[] = [
    { name: "a newer file, if newer", overwrite: "if-newer", b: "newer", stays: true },
    {
      name: "a newer file while the first name was replaced",
      first: "older",
      overwrite: "if-newer",
      b: "newer",
      stays: true,
    },
    { name: "an older file, if newer", overwrite: "if-newer", b: "older", stays: false },
    { name: "a newer file, never", overwrite: "never", b: "newer", stays: true },
    { name: "an older file, never", overwrite: "never", b: "older", stays: true },
  ];
  for (const kind of ["file", "link"] as const) {
    for (const { name, first, overwrite, b, stays } of cases) {
      await t.step(`${name}: ${kind}`, () =>
        withFolder(async (folder) => {
          const source = `${folder}/source`, target = `${folder}/target`;
          writeFiles(source, { other: "other" });
          if (kind === "file") writeFiles(source, { a: "theirs" });
          else Deno.symlinkSync("theirs", `${source}/a`);
          Deno.linkSync(`${source}/a`, `${source}/b`);
          const tree = files.openTarget(source);
          tree.setMetadata("a", { mode: 0o644, mtimeNs: "1000000000000" });
          tree.close();
          const { repository, snapshot } = await savedOnce(source);
          writeFiles(target, { b: "mine" });
          if (b === "older") Deno.utimeSync(`${target}/b`, 1, 1);
          if (first === "older") {
            writeFiles(target, { a: "old" });
            Deno.utimeSync(`${target}/a`, 1, 1);
          }
          const options = { overwrite, verify: true };
          const { filesSkipped, filesFailed } = await bringBack(repository, snapshot, source, target, options);
          equal(filesFailed, 0);
          equal(filesSkipped, stays ? 1 : 0);
          if (stays) equal(Deno.readTextFileSync(`${target}/b`), "mine");
          else equal(files.lstat(`${target}/b`).inode, files.lstat(`${target}/a`).inode);
          const made = kind === "file" ? Deno.readTextFileSync(`${target}/a`) : Deno.readLinkSync(`${target}/a`);
          equal(made, "theirs");
        }));
    }
  }
});

/** Calls `seen` while a file is written, ahead of each write. */
function watchedTargets(seen: () => void): AlteredTargets {
  return new AlteredTargets((_tree, call, args, go) => {
    if (call !== "createFile") return go(...args);
    const file = go(...args) as TargetFile, write = file.write.bind(file);
    file.write = (data, offset) => (seen(), write(data, offset));
    return file;
  });
}

Deno.test("(12) where time or being there decides, not even a small file has its name before it is whole", async (t) => {
  for (const overwrite of JUDGED) {
    await t.step(overwrite, () =>
      withFolder(async (folder) => {
        const source = `${folder}/source`, target = `${folder}/target`;
        writeFiles(source, { small: "small" });
        Deno.mkdirSync(target);
        const { repository, snapshot } = await savedOnce(source);
        let writes = 0;
        const watched = watchedTargets(() => {
          writes++;
          ok(![...Deno.readDirSync(target)].some(({ name }) => name === "small"));
        });
        await bringBack(repository, snapshot, source, target, { overwrite, files: watched });
        ok(writes > 0);
        equal(Deno.readTextFileSync(`${target}/small`), "small");
      }));
  }
});

/** Sparse, and so large that it would be changed where it stands. */
function writeHuge(path: string, seed: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  for (const [i, at] of [0, 20_000_000, 69_000_000].entries()) {
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(noise(`${seed} ${i}`, 200_000));
  }
}

Deno.test("(12) an older huge file that an interrupted restore did not finish is no newer one", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    for (const path of [source, target]) Deno.mkdirSync(path);
    writeHuge(`${source}/huge`, "new");
    writeHuge(`${target}/huge`, "old");
    Deno.utimeSync(`${target}/huge`, 1, 1);
    const { repository, snapshot } = await savedOnce(source, [], SMALL_PACKS);
    const interruption = new AbortController();
    const options = { overwrite: "if-newer" } as const;
    const started = await bringBack(repository, snapshot, source, target, {
      ...options,
      signal: interruption.signal,
      onEvent: ({ type }) => {
        if (type === "progress") interruption.abort();
      },
    }).catch((error) => error);
    equal(started.kind, "interrupted");
    const { filesSkipped } = await bringBack(repository, snapshot, source, target, options);
    equal(filesSkipped, 0);
    ok(equalBytes(Deno.readFileSync(`${target}/huge`), Deno.readFileSync(`${source}/huge`)));
  });
});
