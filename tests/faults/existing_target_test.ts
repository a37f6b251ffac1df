/** What stands in the target is not lost for something that cannot be restored, and only what was asked is replaced. */
import { ok, strictEqual as equal } from "node:assert/strict";
import { equalBytes } from "../../src/base/bytes.ts";
import { SystemError } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { OVERWRITE_MODES } from "../../src/operations/restore.ts";
import { type MemoryStore, memoryStore } from "../../src/storage/memory.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { flipBit } from "./damage.ts";
import { FaultyFiles } from "./faulty_files.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, emptyRepository, opened, save, withFolder } from "./test_repository.ts";

const files = openFileSystem();

async function withRepository(
  run: (scene: { source: string; target: string; store: MemoryStore; repository: Repository }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    Deno.mkdirSync(source);
    Deno.mkdirSync(target);
    const store = memoryStore();
    store.restore(await emptyRepository());
    await run({ source, target, store, repository: await opened(store, []) });
  });
}

async function latest(repository: Repository) {
  return (await repository.snapshots()).snapshots.at(-1)!;
}

Deno.test("(16) a file that changed between two of its names comes back as two files", async () => {
  await withRepository(async ({ source, target, repository }) => {
    writeFiles(source, { "a/f": "old", "z/other": "x" });
    Deno.linkSync(`${source}/a/f`, `${source}/z/f`);
    await save(repository, source);
    let changed = false;
    const faulty = new FaultyFiles((call, path) => {
      if (call !== "readNames" || path !== `${source}/z` || changed) return;
      changed = true;
      Deno.writeTextFileSync(`${source}/z/f`, "NEW");
    });
    await save(repository, source, { files: faulty });
    ok(changed);
    await bringBack(repository, await latest(repository), source, target);
    equal(Deno.readTextFileSync(`${target}/a/f`), "old");
    equal(Deno.readTextFileSync(`${target}/z/f`), "NEW");
  });
});

Deno.test("(14) a changed file that cannot be read is missing, not its older version, whatever its folder was before", async () => {
  await withRepository(async ({ source, target, repository }) => {
    writeFiles(source, { "a": "old", "b": "same" });
    await save(repository, source);
    Deno.writeTextFileSync(`${source}/a`, "newer");
    const faulty = new FaultyFiles((call, path) => {
      if (call === "open" && path.endsWith("/a")) throw new SystemError("EACCES", "open", path);
    });
    const { filesFailed } = await save(repository, source, { files: faulty });
    equal(filesFailed, 1);
    await bringBack(repository, await latest(repository), source, target);
    const names = [...Deno.readDirSync(target)].map(({ name }) => name);
    equal(names.join(), "b");
  });
});

Deno.test("(43) what stands in the target outlives a file that cannot be restored", async (t) => {
  const cases: { name: string; prepare: (path: string) => void }[] = [
    { name: "a file with another name", prepare: (path) => Deno.linkSync(path, `${path}-2`) },
    {
      name: "a symbolic link in its place",
      prepare: (path) => (Deno.removeSync(path), Deno.symlinkSync("elsewhere", path)),
    },
    { name: "a longer file", prepare: () => {} },
  ];
  for (const { name, prepare } of cases) {
    await t.step(name, () =>
      withRepository(async ({ source, target, store, repository }) => {
        writeFiles(source, { f: noise("restored", 300_000) });
        await save(repository, source);
        for (const key of store.snapshot().keys()) if (key.startsWith("packs/")) await flipBit(store, key, 8 * 1000);
        const kept = noise("kept", 400_000);
        writeFiles(target, { f: kept });
        prepare(`${target}/f`);
        const before = Deno.lstatSync(`${target}/f`);
        const { filesFailed } = await bringBack(repository, await latest(repository), source, target);
        equal(filesFailed, 1);
        const after = Deno.lstatSync(`${target}/f`);
        equal(after.isSymlink, before.isSymlink);
        equal(after.size, before.size);
        if (after.isFile) ok(equalBytes(Deno.readFileSync(`${target}/f`), kept));
        ok(![...Deno.readDirSync(target)].some((entry) => entry.name.startsWith(".axiom")), "no part is left");
      }));
  }
});

Deno.test("--overwrite says what may be replaced, whatever kind it is of", async (t) => {
  for (const overwrite of OVERWRITE_MODES) {
    for (const kind of ["file", "link", "folder"] as const) {
      await t.step(
        `${overwrite}: a newer ${kind} where the snapshot has a folder, a file and a link`,
        () =>
          withRepository(async ({ source, target, repository }) => {
            writeFiles(source, { "folder/in it": "x", "file": "from the snapshot" });
            Deno.symlinkSync("there", `${source}/link`);
            await save(repository, source);
            for (const name of ["folder", "file", "link"]) {
              const path = `${target}/${name}`;
              if (kind === "file") Deno.writeTextFileSync(path, "mine");
              else if (kind === "link") Deno.symlinkSync("mine", path);
              else Deno.mkdirSync(path);
            }
            await bringBack(repository, await latest(repository), source, target, { overwrite });
            const replaced = overwrite === "always" || overwrite === "if-changed";
            const expected = (own: string) =>
              replaced ? own : kind === "link" ? "symlink" : kind === "folder" ? "dir" : "file";
            equal(files.lstat(`${target}/folder`).type, expected("dir"));
            equal(files.lstat(`${target}/file`).type, expected("file"));
            equal(files.lstat(`${target}/link`).type, expected("symlink"));
            if (replaced) equal(Deno.readTextFileSync(`${target}/file`), "from the snapshot");
            else if (kind === "file") equal(Deno.readTextFileSync(`${target}/file`), "mine");
          }),
      );
    }
  }
});

Deno.test("--delete removes only what the snapshot knows to be gone", async () => {
  await withRepository(async ({ source, target, repository }) => {
    writeFiles(source, {
      "home/ann/docs/kept": "x",
      "home/ann/docs/unreadable": "y",
      "home/ann/photo": "p",
      "home/bob": "b",
    });
    const faulty = new FaultyFiles((call, path) => {
      if (call === "open" && path.endsWith("/unreadable")) throw new SystemError("EACCES", "open", path);
    });
    await save(repository, `${source}/home/ann/docs`, { files: faulty });
    writeFiles(source, { "home/ann/docs/later": "z" });
    const options = { delete: true };
    const snapshot = await latest(repository);
    equal(
      (await bringBack(repository, snapshot, `${source}/home`, `${source}/home`, { ...options, dryRun: true }))
        .filesDeleted,
      1,
    );
    const { filesDeleted } = await bringBack(repository, snapshot, `${source}/home`, `${source}/home`, options);
    equal(filesDeleted, 1);
    for (const name of ["home/ann/docs/kept", "home/ann/docs/unreadable", "home/ann/photo", "home/bob"]) {
      ok(Deno.statSync(`${source}/${name}`).isFile, name);
    }
    equal([...Deno.readDirSync(target)].length, 0);
  });
});

Deno.test("(12) a restore that judges by time goes on where it was interrupted", async (t) => {
  for (const overwrite of ["if-newer", "never"] as const) {
    await t.step(overwrite, () =>
      withRepository(async ({ source, target, repository }) => {
        writeFiles(source, { large: noise("large", 9_000_000) });
        await save(repository, source);
        const snapshot = await latest(repository);
        const interruption = new AbortController();
        const stop = (event: { type: string }) => {
          if (event.type === "progress") interruption.abort();
        };
        const started = bringBack(repository, snapshot, source, target, {
          overwrite,
          signal: interruption.signal,
          onEvent: stop,
        });
        equal((await started.catch((error) => error)).kind, "interrupted");
        await bringBack(repository, snapshot, source, target, { overwrite });
        ok(equalBytes(Deno.readFileSync(`${target}/large`), Deno.readFileSync(`${source}/large`)));
      }));
  }
});
