import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import type { Fidelity, Metadata, TargetTree } from "./file_system.ts";
import { codeOf, implementations, isLinux, isRoot, shell, withFolder } from "./file_system_fixture.ts";

/**
 * Runs `test` for every implementation on an empty target. Beside the target stands `outside`, which nothing may change,
 * with one file `secret`.
 */
function contract(
  name: string,
  test: (target: TargetTree, folder: string, fidelity: Fidelity) => void,
  options: { ignore?: boolean } = {},
) {
  for (const { name: implementation, system } of implementations) {
    Deno.test({
      name: `TargetTree, ${implementation}: ${name}`,
      ignore: !isLinux || options.ignore,
      fn: () =>
        withFolder((place) => {
          shell(place, "mkdir target outside; echo kept > outside/secret; chmod 640 outside/secret");
          const state = () => shell(place, "stat -c '%n %a %u %g %s %Y %h' outside outside/*; cat outside/secret");
          const before = state();
          const target = system.openTarget(`${place}/target`);
          try {
            test(target, `${place}/target`, system.fidelity);
          } finally {
            target.close();
          }
          equal(state(), before, "outside the target");
        }),
    });
  }
}

function write(target: TargetTree, path: string, text: string): void {
  const file = target.createFile(path);
  file.write(utf8(text), 0);
  file.close();
}

const plain: Metadata = { mode: 0o644, mtimeNs: "0" };

/** Every call that takes a path, with that path. */
const calls: readonly [string, (target: TargetTree, path: string) => unknown][] = [
  ["lstat", (target, path) => target.lstat(path)],
  ["mountOf", (target, path) => target.mountOf(path)],
  ["readNames", (target, path) => target.readNames(path)],
  ["readLink", (target, path) => target.readLink(path)],
  ["xattrs", (target, path) => target.xattrs(path)],
  ["openForReading", (target, path) => target.openForReading(path)],
  ["createFile", (target, path) => target.createFile(path)],
  ["openFile", (target, path) => target.openFile(path)],
  ["makeFolder", (target, path) => target.makeFolder(path)],
  ["makeSymlink", (target, path) => target.makeSymlink(path, "x")],
  ["makeLink to", (target, path) => target.makeLink(path, "file")],
  ["makeLink from", (target, path) => target.makeLink("new", path)],
  ["makeNode", (target, path) => target.makeNode(path, "fifo", 0, 0)],
  ["remove", (target, path) => target.remove(path)],
  ["removeFolder", (target, path) => target.removeFolder(path)],
  ["rename from", (target, path) => target.rename(path, "new")],
  ["rename to", (target, path) => target.rename("file", path)],
  ["renameNew from", (target, path) => target.renameNew(path, "new")],
  ["renameNew to", (target, path) => target.renameNew("file", path)],
  ["setMetadata", (target, path) => target.setMetadata(path, plain)],
];

contract("what is in one mount is told to be, and of nothing there is none", (target, folder) => {
  shell(folder, "mkdir -p a/b; touch a/b/file; ln -s a link");
  for (const path of ["a", "a/b", "a/b/file", "link"]) equal(target.mountOf(path), target.mountOf(""));
  ok(target.mountOf(""));
  equal(target.mountOf("a/gone"), undefined);
});

contract("#29 no path leaves the target", (target, folder) => {
  write(target, "file", "x");
  target.makeFolder("sub");
  const paths = [
    "..",
    "../outside",
    "../outside/secret",
    "sub/../file",
    "sub/../../outside/secret",
    "sub/..",
    "/etc/hostname",
    `${folder}/file`,
    "/",
    ".",
    "./file",
    "sub/.",
    "sub//x",
    "sub/",
    "a\0b",
    "sub\0/../../outside/new",
  ];
  for (const [name, call] of calls) {
    for (const path of paths) equal(codeOf(() => call(target, path)), "EINVAL", `${name} ${JSON.stringify(path)}`);
  }
  const onRoot = ["createFile", "openFile", "makeFolder", "makeSymlink", "makeLink to", "makeLink from", "makeNode"];
  for (const [name, call] of calls) {
    if (!onRoot.includes(name) && !/remove|rename/.test(name)) continue;
    equal(codeOf(() => call(target, "")), "EINVAL", `${name} of the target itself`);
  }
  deepEqual(target.readNames("").sort(), ["file", "sub"]);
});

contract("#29 no link on the way is followed", (target, folder) => {
  write(target, "file", "x");
  shell(
    folder,
    "ln -s ../outside up; ln -s $PWD/../outside absolute; mkdir sub; ln -s ../sub sub/loop; ln -s sub inner",
  );
  for (const path of ["up/secret", "up/new", "absolute/secret", "sub/loop/x", "inner/x", "up/deep/er"]) {
    for (const [name, call] of calls) equal(codeOf(() => call(target, path)), "ELOOP", `${name} ${path}`);
  }
  for (const path of ["file/x", "file/x/y"]) {
    for (const [name, call] of calls) equal(codeOf(() => call(target, path)), "ENOTDIR", `${name} ${path}`);
  }
  equal(codeOf(() => target.createFile("missing/x")), "ENOENT");
  equal(target.lstat("missing/x"), undefined);
});

contract("#29 no link at the end is followed", (target, folder) => {
  shell(folder, "ln -s ../outside/secret link; ln -s ../outside folder; ln -s ../outside/new dangling");
  for (const path of ["link", "dangling", "folder"]) {
    equal(target.lstat(path)?.type, "symlink");
    equal(codeOf(() => target.createFile(path)), "EEXIST");
    equal(codeOf(() => target.makeFolder(path)), "EEXIST");
    equal(codeOf(() => target.openFile(path)), "ELOOP");
    equal(codeOf(() => target.openForReading(path)), "ELOOP");
    equal(codeOf(() => target.readNames(path)), "ENOTDIR");
    equal(codeOf(() => target.removeFolder(path)), "ENOTDIR");
    target.setMetadata(path, {
      mode: 0o777,
      uid: Deno.uid()!,
      gid: Deno.gid()!,
      mtimeNs: "86400000000000",
      xattrs: [],
    });
    equal(target.lstat(path)?.mtimeNs, "86400000000000");
    target.makeLink(`${path}2`, path);
    equal(target.lstat(`${path}2`)?.inode, target.lstat(path)?.inode);
    target.remove(path);
  }
});

contract("files are written, read, cut and opened again", (target, folder) => {
  const file = target.createFile("file");
  equal(file.stat().mode, 0o600);
  file.write(utf8("world"), 5);
  file.write(utf8("hello"), 0);
  file.write(new Uint8Array(0), 100);
  file.truncate(12);
  file.close();
  file.close();
  equal(shell(folder, "od -An -c file | tr -d ' '"), String.raw`helloworld\0\0`);
  equal(codeOf(() => target.createFile("file")), "EEXIST");
  const again = target.openFile("file");
  again.write(utf8("J").subarray(0, 1), 0);
  const into = new Uint8Array(20);
  equal(again.read(into, 0), 12);
  equal(new TextDecoder().decode(into.subarray(0, 10)), "Jelloworld");
  equal(again.stat().sizeBytes, 12);
  again.close();
  for (const path of ["missing", ""]) equal(codeOf(() => target.openFile(path)), path === "" ? "EINVAL" : "ENOENT");
  const reader = target.openForReading("file");
  equal(reader.read(into, 1), 11);
  reader.close();
});

contract("offsets over 4 GiB, and holes", (target, _folder, fidelity) => {
  const file = target.createFile("big");
  const offset = 2 ** 32 + 2 ** 20;
  file.truncate(offset + 2 ** 20);
  file.write(new Uint8Array(2 ** 20).fill(7), offset);
  file.punchHole(offset + 4096, 2 ** 19);
  file.punchHole(0, 0);
  file.punchHole(offset + 2 ** 20 - 10, 1000);
  const { sizeBytes, allocatedBytes } = file.stat();
  equal(sizeBytes, offset + 2 ** 20);
  if (fidelity.sparse) ok(allocatedBytes <= 2 ** 19, String(allocatedBytes));
  file.close();
  const again = target.openForReading("big");
  const into = new Uint8Array(2 ** 20);
  equal(again.read(into, offset), 2 ** 20);
  const sevens = (from: number, to: number) => into.subarray(from, to).every((byte) => byte === 7);
  const zeros = (from: number, to: number) => into.subarray(from, to).every((byte) => byte === 0);
  ok(
    sevens(0, 4096) && zeros(4096, 4096 + 2 ** 19) && sevens(4096 + 2 ** 19, 2 ** 20 - 10) &&
      zeros(2 ** 20 - 10, 2 ** 20),
  );
  if (fidelity.sparse) {
    deepEqual([...again.dataSegments(sizeBytes)].map((part) => part.offset), [offset, offset + 4096 + 2 ** 19]);
  }
  again.close();
});

contract("every kind of entry", (target, folder, fidelity) => {
  target.makeFolder("sub");
  target.makeFolder("sub/dir");
  equal(target.lstat("sub/dir")?.mode, 0o700);
  write(target, "sub/file", "x");
  target.makeSymlink("sub/link", "../ä/nowhere");
  target.makeLink("sub/dir/hard", "sub/file");
  equal(target.readLink("sub/link"), "../ä/nowhere");
  deepEqual([target.lstat("sub/file")?.links, target.lstat("sub/file")?.inode], [
    2,
    target.lstat("sub/dir/hard")?.inode,
  ]);
  deepEqual(target.readNames("sub").sort(), ["dir", "file", "link"]);
  if (fidelity.rawNames) {
    write(target, "bad\udcff", "x");
    target.makeSymlink("\udc80", "to\udcfe");
    equal(target.readLink("\udc80"), "to\udcfe");
    equal(shell(folder, "LC_ALL=C ls -bm"), String.raw`bad\377, sub, \200`);
  } else {
    equal(codeOf(() => target.createFile("bad\udcff")), "EILSEQ");
    equal(codeOf(() => target.makeSymlink("l", "to\udcfe")), "EILSEQ");
  }
  if (fidelity.specialFiles) {
    target.makeNode("sub/fifo", "fifo", 0, 0);
    target.makeNode("sub/socket", "socket", 0, 0);
    deepEqual([target.lstat("sub/fifo")?.type, target.lstat("sub/socket")?.type], ["fifo", "socket"]);
    deepEqual(target.setMetadata("sub/fifo", { mode: 0o640, mtimeNs: "1" }), []);
    deepEqual(target.setMetadata("sub/socket", { mode: 0o755, mtimeNs: "2" }), []);
    equal(shell(folder, "stat -c '%a %.9Y' sub/fifo sub/socket"), "640 0.000000001\n755 0.000000002");
  } else equal(codeOf(() => target.makeNode("sub/fifo", "fifo", 0, 0)), "ENOTSUP");
});

contract("device nodes", (target, folder, fidelity) => {
  if (!fidelity.specialFiles) return;
  target.makeNode("null", "chardev", 1, 3);
  target.makeNode("disk", "blockdev", 4095, 1048575);
  equal(codeOf(() => target.makeNode("bad", "blockdev", 4096, 0)), "EINVAL");
  const { type, deviceMajor, deviceMinor } = target.lstat("disk")!;
  deepEqual([type, deviceMajor, deviceMinor], ["blockdev", 4095, 1048575]);
  equal(shell(folder, "stat -c '%F %t %T' null disk"), "character special file 1 3\nblock special file fff fffff");
}, { ignore: !isRoot });

contract("removing and renaming", (target, folder) => {
  target.makeFolder("a");
  write(target, "a/file", "1");
  equal(codeOf(() => target.remove("a")), "EISDIR");
  equal(codeOf(() => target.removeFolder("a")), "ENOTEMPTY");
  equal(codeOf(() => target.removeFolder("a/file")), "ENOTDIR");
  equal(codeOf(() => target.remove("a/missing")), "ENOENT");
  target.rename("a", "b");
  target.makeFolder("a");
  write(target, "a/new", "2");
  write(target, "b/other", "3");
  equal(codeOf(() => target.rename("b/file", "b")), "ENOTEMPTY");
  equal(codeOf(() => target.renameNew("b/other", "b/file")), "EEXIST");
  target.renameNew("b/other", "b/another");
  target.rename("b/another", "b/file");
  equal(shell(folder, "find . -type f | sort | tr '\n' ' '; cat b/file"), "./a/new ./b/file 3");
  target.remove("a/new");
  target.removeFolder("a");
  equal(codeOf(() => target.createFile("a/x")), "ENOENT");
  target.makeFolder("a");
  write(target, "a/x", "4");
  target.sync();
  equal(shell(folder, "cat a/x"), "4");
});

contract("more folders than are kept open", (target, folder) => {
  const folders = Array.from({ length: 150 }, (_, i) => `d${i}`);
  for (const path of folders) target.makeFolder(path);
  for (const round of [1, 2]) for (const path of folders) write(target, `${path}/f${round}`, path);
  equal(shell(folder, "cat d*/f1 | wc -c; find . -name f2 | wc -l"), `${folders.join("").length}\n150`);
  const deep = "x/".repeat(200).slice(0, -1);
  for (let end = 1; end <= deep.length; end += 2) target.makeFolder(deep.slice(0, end));
  write(target, `${deep}/file`, "deep");
  equal(shell(folder, `cat ${deep}/file`), "deep");
});

Deno.test({
  name: "TargetTree, linux/libc: a closed target fails and meets no other file",
  ignore: !implementations.some(({ name }) => name === "linux/libc"),
  fn: () =>
    withFolder((folder) => {
      const { system } = implementations[0];
      const target = system.openTarget(folder);
      target.makeFolder("sub");
      target.close();
      target.close();
      for (const path of ["", "sub", "file", "sub/file"]) {
        equal(codeOf(() => target.readNames(path)), "EBADF", path);
      }
      equal(codeOf(() => target.createFile("file")), "EBADF");
    }),
});
