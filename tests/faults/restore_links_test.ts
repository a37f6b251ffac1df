/** Objects with several names: they come back as such, cost little, and no name outside the target notices. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Entry } from "../../src/model/entry.ts";
import { LinkGroups } from "../../src/operations/restore_links.ts";
import type { TargetTree } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { isRoot } from "../../src/platform/file_system_fixture.ts";
import { pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, savedOnce, withFolder } from "./test_repository.ts";

const files = openFileSystem();

const KINDS: { name: string; make: (tree: TargetTree, path: string) => void; root?: boolean }[] = [
  { name: "file", make: (tree, path) => tree.createFile(path).close() },
  { name: "symlink", make: (tree, path) => tree.makeSymlink(path, "nowhere") },
  { name: "fifo", make: (tree, path) => tree.makeNode(path, "fifo", 0, 0) },
  { name: "socket", make: (tree, path) => tree.makeNode(path, "socket", 0, 0) },
  { name: "chardev", make: (tree, path) => tree.makeNode(path, "chardev", 1, 3), root: true },
];

Deno.test("(39) names of one object are that again after a restore, whatever its kind", {
  ignore: Deno.build.os !== "linux",
}, async (t) => {
  for (const { name, make, root } of KINDS) {
    await t.step({
      name,
      ignore: root === true && !isRoot,
      fn: () =>
        withFolder(async (folder) => {
          const source = `${folder}/source`, target = `${folder}/target`;
          Deno.mkdirSync(`${source}/sub`, { recursive: true });
          const tree = files.openTarget(source);
          make(tree, "one");
          tree.makeLink("sub/two", "one");
          tree.makeLink("three", "one");
          make(tree, "alone");
          tree.close();
          const picture = pictureOfFolder(files, source);
          const { repository, snapshot } = await savedOnce(source);
          for (const round of ["new", "again"]) {
            const { filesFailed } = await bringBack(repository, snapshot, source, target, { verify: true });
            equal(filesFailed, 0, round);
            deepEqual(pictureOfFolder(files, target), picture, round);
          }
        }),
    });
  }
});

Deno.test("(29) a restore never writes through a name that leads out of the target", async (t) => {
  const cases: { name: string; content: string; mode: number; stays: boolean; trusts?: boolean }[] = [
    { name: "the right file stays as it is", content: "right", mode: 0o600, stays: true },
    { name: "other content is written anew", content: "WRONG", mode: 0o600, stays: false },
    { name: "a longer file is written anew", content: "right and more", mode: 0o600, stays: false },
    { name: "other metadata is set on a new file", content: "right", mode: 0o644, stays: false },
    { name: "one that is trusted stays as it is", content: "right", mode: 0o600, stays: true, trusts: true },
    { name: "other metadata of one that is trusted too", content: "right", mode: 0o644, stays: false, trusts: true },
  ];
  for (const { name, content, mode, stays, trusts } of cases) {
    await t.step(name, () =>
      withFolder(async (folder) => {
        const source = `${folder}/source`, target = `${folder}/target`, outside = `${folder}/outside`;
        writeFiles(source, { f: "right" });
        Deno.chmodSync(`${source}/f`, 0o600);
        writeFiles(folder, { outside: content });
        const { mtimeNs } = files.lstat(`${source}/f`);
        const owner = { uid: files.lstat(outside).uid, gid: files.lstat(outside).gid };
        const tree = files.openTarget(folder);
        tree.setMetadata("outside", { mode, ...owner, mtimeNs });
        tree.makeFolder("target");
        tree.makeLink("target/f", "outside");
        tree.close();
        const before = files.lstat(outside);
        const { repository, snapshot } = await savedOnce(source);
        const options = { verify: true, overwrite: trusts ? "if-changed" : "always" } as const;
        const { filesFailed, bytesWritten } = await bringBack(repository, snapshot, source, target, options);
        equal(filesFailed, 0);
        equal(bytesWritten, stays ? 0 : 5);
        equal(Deno.readTextFileSync(`${target}/f`), "right");
        equal(Deno.readTextFileSync(outside), content);
        const after = files.lstat(outside);
        equal(after.mode, before.mode);
        equal(after.mtimeNs, before.mtimeNs);
        equal(files.lstat(`${target}/f`).inode === after.inode, stays);
      }));
  }
});

Deno.test("a file with several names that is right already is not written again", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    writeFiles(source, { "a/f": noise("linked", 300_000) });
    Deno.linkSync(`${source}/a/f`, `${source}/g`);
    const { repository, snapshot } = await savedOnce(source);
    await bringBack(repository, snapshot, source, target);
    const { inode } = files.lstat(`${target}/g`);
    const { bytesWritten, filesUnchanged } = await bringBack(repository, snapshot, source, target);
    equal(bytesWritten, 0);
    equal(filesUnchanged, 1);
    equal(files.lstat(`${target}/g`).inode, inode);
    equal(files.lstat(`${target}/a/f`).inode, inode);
  });
});

Deno.test("(39) an object with several names is forgotten when its last name was met", () => {
  const groups = new LinkGroups();
  const entry = (inode: number, more?: Partial<Entry>) =>
    ({ name: "f", type: "file", links: 3, device: "1", inode: String(inode), size: "1", ...more }) as Entry;
  for (let inode = 0; inode < 1000; inode++) {
    equal(groups.take(entry(inode)), undefined);
    groups.begin(entry(inode), (left) => ({ path: `first of ${inode}`, failed: false, left }));
  }
  equal(groups.size, 1000);
  for (let inode = 0; inode < 1000; inode++) {
    equal(groups.take(entry(inode))?.path, `first of ${inode}`);
    equal(groups.take(entry(inode, { size: "2" })), undefined, "it changed: another object");
    equal(groups.take(entry(inode, { type: "fifo" })), undefined, "it was replaced: another object");
    ok(groups.take(entry(inode)));
  }
  equal(groups.size, 0);
});
