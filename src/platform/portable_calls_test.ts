import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { SystemError } from "./file_system.ts";
import { codeOf } from "./file_system_fixture.ts";
import { parseAccounts } from "./portable_accounts.ts";
import { fileStatOf } from "./portable_calls.ts";
import { translate } from "./portable_errors.ts";

/** A file as Deno describes it. */
const info = {
  isFile: true,
  isDirectory: false,
  isSymlink: false,
  isBlockDevice: false,
  isCharDevice: false,
  isFifo: false,
  isSocket: false,
  size: 10,
  mtime: new Date(1_700_000_000_123),
  ctime: new Date(0),
  atime: null,
  birthtime: null,
  dev: 65024,
  ino: 42,
  mode: 0o104755,
  nlink: 3,
  uid: 1,
  gid: 2,
  rdev: 0,
  blksize: 4096,
  blocks: 8,
} as Deno.FileInfo;

Deno.test("fileStatOf() takes what a system gives, and makes no hard links of inode numbers that are not exact", () => {
  deepEqual(fileStatOf(info), {
    type: "file",
    mode: 0o4755,
    uid: 1,
    gid: 2,
    sizeBytes: 10,
    mtimeNs: "1700000000123000000",
    ctimeNs: "0",
    inode: "42",
    device: "65024",
    links: 3,
    allocatedBytes: 4096,
    deviceMajor: 0,
    deviceMinor: 0,
  });
  equal(fileStatOf({ ...info, ino: 2 ** 53 }).links, 1);
  equal(fileStatOf({ ...info, ino: 2 ** 53 - 1 }).links, 3);
  const windows = {
    ...info,
    ino: null,
    mode: null,
    nlink: null,
    uid: null,
    gid: null,
    blocks: null,
    rdev: null,
    ctime: null,
  };
  const { mode, uid, gid, inode, links, allocatedBytes, ctimeNs } = fileStatOf(windows);
  deepEqual([mode, uid, gid, inode, links, allocatedBytes, ctimeNs], [0o644, 0, 0, "0", 1, 10, "0"]);
  const device = fileStatOf({ ...info, isFile: false, isCharDevice: true, rdev: 259 });
  deepEqual([device.type, device.deviceMajor, device.deviceMinor], ["chardev", 1, 3]);
});

Deno.test("translate() names every failure", () => {
  const cases: [unknown, string][] = [
    [Object.assign(new Error(), { code: "ENOTEMPTY" }), "ENOTEMPTY"],
    [Object.assign(new Error(), { code: "EOPNOTSUPP" }), "ENOTSUP"],
    [Object.assign(new TypeError(), { code: "ERR_INVALID_ARG_VALUE" }), "EIO"],
    [new Deno.errors.NotFound(), "ENOENT"],
    [new Deno.errors.NotCapable(), "EACCES"],
    [new Deno.errors.InvalidData(), "EILSEQ"],
    ["thrown text", "EIO"],
    [new SystemError("EXDEV", "rename", "x"), "EXDEV"],
  ];
  for (const [error, code] of cases) {
    equal(
      codeOf(() =>
        translate("open", "path", () => {
          throw error;
        })
      ),
      code,
    );
  }
  equal(translate("open", "path", () => 7), 7);
});

Deno.test("parseAccounts() takes the first of several entries and skips what is none", () => {
  const text = "root:x:0:0:root:/root:/bin/sh\n# comment:x:5:\n\ntoor:x:0:0::\nroot:x:7:\n+nis\nbad:x:y:\nbin:x:2:2";
  const { names, ids } = parseAccounts(text);
  deepEqual([...names], [[0, "root"], [7, "root"], [2, "bin"]]);
  deepEqual([...ids], [["root", 0], ["toor", 0], ["bin", 2]]);
});
