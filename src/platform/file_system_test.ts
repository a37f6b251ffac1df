import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { compareNames, decodeName } from "../base/names.ts";
import { type FileStat, type FileSystem, SystemError } from "./file_system.ts";
import {
  asOrdinaryUser,
  codeOf,
  hasProgram,
  implementations,
  isLinux,
  shell,
  withFolder,
} from "./file_system_fixture.ts";

import { HASH_START, hashByte, PACKED, type PackedFolder } from "./packed_folder.ts";
import { deviceNumber, TYPES } from "./stat_buffer.ts";
import { decimalNs } from "./times.ts";

/** Runs `test` for every implementation in a folder of its own. */
function contract(
  name: string,
  test: (system: FileSystem, folder: string) => void,
  options: { ignore?: boolean; place?: string } = {},
) {
  for (const { name: implementation, system } of implementations.filter(({ name }) => !name.includes("without"))) {
    Deno.test({
      name: `FileSystem, ${implementation}: ${name}`,
      ignore: !isLinux || options.ignore,
      fn: () => withFolder((folder) => test(system, folder), options.place),
    });
  }
}

function statOf(result: FileStat | SystemError): FileStat {
  if (result instanceof SystemError) throw result;
  return result;
}

contract("names of a folder, whatever their bytes", (system, folder) => {
  shell(folder, String.raw`touch -- plain 'with space' $'new\nline' 'ünï' '漢字' '😀' .hidden -dash; mkdir sub`);
  shell(folder, String.raw`touch $'bad\xff' $'\x80' $'caf\xe9.txt' $'\xed\xa0\x80'`);
  const good = ["plain", "with space", "new\nline", "ünï", "漢字", "😀", ".hidden", "-dash", "sub"];
  const bad = ["bad\udcff", "\udc80", "caf\udce9.txt", "\udced\udca0\udc80"];
  const names = system.readNames(folder);
  if (system.fidelity.rawNames) {
    deepEqual([...names].sort(compareNames), [...good, ...bad].sort(compareNames));
    for (const result of system.statNames(folder, names)) statOf(result);
    for (const name of bad) equal(system.lstat(`${folder}/${name}`).type, "file");
  } else {
    const others = names.filter((name) => !good.includes(name));
    equal(names.length - others.length, good.length);
    for (const result of system.statNames(folder, others)) ok(result instanceof SystemError);
    for (const name of bad) equal(codeOf(() => system.lstat(`${folder}/${name}`)), "EILSEQ");
  }
});

contract("10,000 entries", (system, folder) => {
  const expected = Array.from({ length: 10_000 }, (_, i) => `entry ${i} ${"é".repeat(i % 100)}`);
  for (const name of expected) Deno.writeTextFileSync(`${folder}/${name}`, name.slice(0, 10));
  const names = system.readNames(folder);
  deepEqual([...names].sort(), [...expected].sort());
  const stats = system.statNames(folder, names).map(statOf);
  stats.forEach((stat, i) => equal(stat.sizeBytes, new TextEncoder().encode(names[i].slice(0, 10)).length));
  equal(new Set(stats.map((stat) => stat.inode)).size, 10_000);
}, { place: "/dev/shm" });

contract("statNames() is lstat() of each, with the errors in their places", (system, folder) => {
  shell(folder, "echo hello > file; ln -s nowhere link; mkdir dir; mkfifo fifo; ln file hard");
  const names = ["file", "missing", "link", "dir", "fifo", "hard", "no\0name", "\ud800", "f\udcff"];
  const results = system.statNames(folder, names);
  for (const [i, name] of names.entries()) {
    const stat = results[i];
    if (stat instanceof SystemError) equal(stat.code, codeOf(() => system.lstat(`${folder}/${name}`)), name);
    else deepEqual(stat, system.lstat(`${folder}/${name}`), name);
  }
  equal(results.filter((stat) => stat instanceof SystemError).length, 4);
  ok(results[1] instanceof SystemError && results[1].code === "ENOENT" && results[1].path === `${folder}/missing`);
  equal(codeOf(() => system.statNames(`${folder}/missing`, [])), "ENOENT");
  deepEqual(system.statNames(folder, []), []);
});

function unpacked({ count, entries, names }: PackedFolder): [name: string, stat: Partial<FileStat>][] {
  return Array.from({ length: count }, (_, number) => {
    const at = PACKED.words * number, start = entries[at + PACKED.nameStart];
    const bytes = names.subarray(start, names.indexOf(0, start));
    equal(entries[at + PACKED.nameHash], bytes.reduce(hashByte, HASH_START) >>> 0);
    const wide = (word: number) => entries[at + word + 1] * 2 ** 32 + entries[at + word];
    const time = (word: number) => decimalNs(entries[at + word], entries[at + word + 1] | 0, entries[at + word + 2]);
    const stat: Partial<FileStat> = {
      type: TYPES[entries[at + PACKED.mode] >>> 12],
      mode: entries[at + PACKED.mode] & 0o7777,
      uid: entries[at + PACKED.uid],
      gid: entries[at + PACKED.gid],
      links: entries[at + PACKED.links],
      mtimeNs: time(PACKED.mtimeSeconds),
      ctimeNs: time(PACKED.ctimeSeconds),
      inode: String(wide(PACKED.inode)),
      sizeBytes: wide(PACKED.sizeBytes),
      device: deviceNumber(entries[at + PACKED.deviceMajor], entries[at + PACKED.deviceMinor]),
    };
    return [decodeName(bytes), stat];
  });
}

contract("packed() is lstat() of everything in a folder", (system, folder) => {
  if (system.packed === undefined) return;
  shell(folder, "echo hello > file; ln -s nowhere link; mkdir dir; mkfifo fifo; ln file hard; mkdir empty");
  shell(
    folder,
    String
      .raw`touch $'bad\xff' '漢字'; touch -d '1950-01-01 00:00:00.5' old; truncate -s 5G large; cd dir; seq 9999 | xargs touch`,
  );
  for (const path of [folder, `${folder}/dir`, `${folder}/empty`]) {
    const found = unpacked(system.packed(path)!);
    deepEqual(found.map(([name]) => name).sort(compareNames), system.readNames(path).sort(compareNames));
    for (const [name, packed] of found) {
      const stat: Partial<FileStat> = system.lstat(`${path}/${name}`);
      for (const key of ["allocatedBytes", "deviceMajor", "deviceMinor"] as const) delete stat[key];
      deepEqual(packed, stat, name);
    }
  }
  equal(codeOf(() => system.packed!(`${folder}/missing`)), "ENOENT");
  equal(codeOf(() => system.packed!(`${folder}/link`)), "ENOTDIR");
  equal(codeOf(() => system.packed!(`${folder}/file`)), "ENOTDIR");
});

contract("types, modes, owners, sizes and links agree with stat(1)", (system, folder) => {
  shell(
    folder,
    "head -c 123456 /dev/zero > file; chmod 6751 file; ln file hard; ln -s file link; ln -s nowhere dangling",
  );
  shell(folder, "mkdir dir; chmod 1777 dir; mkfifo -m 640 fifo; touch none; chmod 0 none");
  using _listener = Deno.listen({ transport: "unix", path: `${folder}/socket` });
  const names = ["file", "hard", "link", "dangling", "dir", "fifo", "none", "socket"];
  const types: Record<string, string> = {
    link: "symlink",
    dangling: "symlink",
    dir: "dir",
    fifo: "fifo",
    socket: "socket",
  };
  for (const name of names) {
    const stat = system.lstat(`${folder}/${name}`);
    equal(stat.type, types[name] ?? "file", name);
    const { mode, uid, gid, sizeBytes, inode, device, links, allocatedBytes } = stat;
    const line = [mode.toString(8), uid, gid, sizeBytes, inode, device, links, allocatedBytes / 512].join(" ");
    equal(line, shell(folder, `stat -c '%a %u %g %s %i %d %h %b' ${name}`), name);
  }
  const device = system.lstat("/dev/null");
  deepEqual([device.type, device.deviceMajor, device.deviceMinor], ["chardev", 1, 3]);
});

contract("times", (system, folder) => {
  const cases = [
    { date: "1700000000.123456789", ns: "1700000000123456789", ms: "1700000000123000000" },
    { date: "1700000000", ns: "1700000000000000000", ms: "1700000000000000000" },
    { date: "0", ns: "0", ms: "0" },
    { date: "0.000000001", ns: "1", ms: "0" },
    { date: "4294967295.999999999", ns: "4294967295999999999", ms: "4294967295999000000" },
    { date: "4294967296.000000001", ns: "4294967296000000001", ms: "4294967296000000000" },
    { date: "-0.5", ns: "-500000000" },
    { date: "-1000000000.000000001", ns: "-1000000000000000001" },
  ];
  for (const { date, ns, ms } of cases) {
    shell(folder, `touch -d @${date} file; ln -sfn target link; touch -h -d @${date} link`);
    const expected = system.fidelity.nanoseconds ? ns : ms;
    if (expected === undefined) continue; // what fidelityWarning() says: Deno gives a time after 1970
    for (const name of ["file", "link"]) equal(system.lstat(`${folder}/${name}`).mtimeNs, expected, `${name} ${date}`);
  }
  const seconds = BigInt(shell(folder, "stat -c %Z file")) * 1_000_000_000n;
  const ctime = BigInt(system.lstat(`${folder}/file`).ctimeNs);
  ok(ctime >= seconds && ctime < seconds + 1_000_000_000n);
});

contract("targets of links", (system, folder) => {
  shell(folder, String.raw`ln -s ../somewhere/else a; ln -s $'bad\xff' b; ln -s "$(printf 'x%.0s' {1..4000})" long`);
  equal(system.readLink(`${folder}/a`), "../somewhere/else");
  equal(system.readLink(`${folder}/long`), "x".repeat(4000));
  if (system.fidelity.rawNames) equal(system.readLink(`${folder}/b`), "bad\udcff");
  else equal(codeOf(() => system.readLink(`${folder}/b`)), "EILSEQ");
  equal(codeOf(() => system.readLink(folder)), "EINVAL");
});

contract("reading at offsets, also over 4 GiB", (system, folder) => {
  shell(folder, "printf 0123456789 > file; printf END | dd of=big bs=1 seek=5000000000 status=none");
  const file = system.openForReading(`${folder}/file`);
  const into = new Uint8Array(8);
  equal(file.read(into.subarray(2, 6), 3), 4);
  deepEqual([...into], [0, 0, 51, 52, 53, 54, 0, 0]);
  equal(file.read(into, 6), 4);
  equal(file.read(into, 10), 0);
  equal(file.read(into, 5_000_000_000), 0);
  equal(file.read(new Uint8Array(0), 0), 0);
  equal(file.stat().sizeBytes, 10);
  file.close();
  file.close();
  const big = system.openForReading(`${folder}/big`);
  equal(big.read(into, 5_000_000_000), 3);
  equal(new TextDecoder().decode(into.subarray(0, 3)), "END");
  equal(big.read(into, 2 ** 32 - 4), 8);
  equal(big.stat().sizeBytes, 5_000_000_003);
  big.close();
});

contract("what may not be read as a file is refused, and nothing is waited for", (system, folder) => {
  shell(folder, "echo x > file; ln -s file link; mkfifo fifo; mkdir dir; ln -s dir dirlink; ln -s loop loop");
  const name = "n".repeat(300), path = "p/".repeat(2500);
  const cases: [string, string | undefined, () => unknown][] = [
    ["missing", "ENOENT", () => system.openForReading(`${folder}/missing`)],
    ["link", "ELOOP", () => system.openForReading(`${folder}/link`)],
    ["FIFO", "EINVAL", () => system.openForReading(`${folder}/fifo`)],
    ["folder", "EISDIR", () => system.openForReading(`${folder}/dir`)],
    ["below a file", "ENOTDIR", () => system.lstat(`${folder}/file/x`)],
    ["names of a file", "ENOTDIR", () => system.readNames(`${folder}/file`)],
    ["names of a link to a folder", "ENOTDIR", () => system.readNames(`${folder}/dirlink`)],
    ["names behind a link", undefined, () => system.readNames(`${folder}/dirlink/`)],
    ["stats of a link to a folder", "ENOTDIR", () => system.statNames(`${folder}/dirlink`, [])],
    ["loop on the way", "ELOOP", () => system.lstat(`${folder}/loop/x`)],
    ["NUL", "EINVAL", () => system.lstat(`${folder}/a\0b`)],
    ["no system's name", "EILSEQ", () => system.lstat(`${folder}/\ud800`)],
    ["long name", "ENAMETOOLONG", () => system.lstat(`${folder}/${name}`)],
    ["long path", "ENAMETOOLONG", () => system.lstat(`${folder}/${path}`)],
    ["empty path", "ENOENT", () => system.lstat("")],
    ["real path of nothing", "ENOENT", () => system.realPath(`${folder}/missing`)],
  ];
  for (const [what, code, action] of cases) equal(codeOf(action), code, what);
});

contract("what the user may not read is an error", (system, folder) => {
  shell(folder, "echo x > file; chmod 0 file; mkdir -m 0 dir; chmod 755 .");
  asOrdinaryUser(() => {
    equal(codeOf(() => system.openForReading(`${folder}/file`)), "EACCES");
    equal(codeOf(() => system.readNames(`${folder}/dir`)), "EACCES");
    equal(codeOf(() => system.lstat(`${folder}/dir/x`)), "EACCES");
    equal(system.lstat(`${folder}/file`).type, "file");
  });
  shell(folder, "chmod 755 dir");
});

contract("a file of another user is read, without O_NOATIME", (system, folder) => {
  shell(folder, "echo x > file; chmod 644 file; chmod 755 .");
  asOrdinaryUser(() => {
    const file = system.openForReading(`${folder}/file`);
    equal(file.read(new Uint8Array(9), 0), 2);
    file.close();
  });
});

contract("a sparse file of 1 TB", (system, folder) => {
  shell(
    folder,
    "truncate -s 1T file; for at in 0 1 700000; do printf x | dd of=file bs=1M seek=$at conv=notrunc status=none; done",
  );
  const sizeBytes = 2 ** 40;
  const file = system.openForReading(`${folder}/file`);
  const segments = [...file.dataSegments(sizeBytes)];
  if (system.fidelity.sparse) {
    deepEqual(segments.map(({ offset }) => offset), [0, 2 ** 20, 700_000 * 2 ** 20]);
    for (const { length } of segments) ok(length > 0 && length <= 2 ** 16);
    deepEqual([...file.dataSegments(100)], [{ offset: 0, length: 100 }]);
    ok(file.stat().allocatedBytes < 2 ** 20);
  } else deepEqual(segments, [{ offset: 0, length: sizeBytes }]);
  deepEqual([...file.dataSegments(0)], []);
  file.close();
});

contract("extended attributes and ACLs", (system, folder) => {
  shell(folder, "touch file; mkdir dir; ln -s file link; setfattr -n user.b -v two file; setfattr -n user.a file");
  shell(folder, "setfattr -n user.binary -v 0x00ff0a file; setfacl -m u:1234:rw file; setfacl -d -m g:99:rx dir");
  if (!system.fidelity.xattrs) return deepEqual(system.xattrs(`${folder}/file`), []);
  const found = system.xattrs(`${folder}/file`).map((
    { name, value },
  ) => [name, new TextDecoder("latin1").decode(value)]);
  deepEqual(found.map(([name]) => name), ["system.posix_acl_access", "user.a", "user.b", "user.binary"]);
  deepEqual(found.slice(1), [["user.a", ""], ["user.b", "two"], ["user.binary", "\0ÿ\n"]]);
  deepEqual(system.xattrs(`${folder}/dir`).map(({ name }) => name), ["system.posix_acl_default"]);
  deepEqual(system.xattrs(`${folder}/link`), []);
  equal(codeOf(() => system.xattrs(`${folder}/missing`)), "ENOENT");
  deepEqual(system.xattrs("/proc/self/status"), []);
}, { ignore: !hasProgram("setfattr") || !hasProgram("setfacl") });

contract("real paths, volumes, users and groups", (system, folder) => {
  shell(folder, "mkdir -p a/b; ln -s a/b link");
  equal(system.realPath(`${folder}/link/../b/.`), `${folder}/a/b`);
  const volume = system.volume(folder);
  ok(volume !== undefined && volume.kind !== "" && volume.freeBytes > 0);
  equal(system.volume("/proc")?.kind, "proc");
  equal(system.volume(`${folder}/missing`), undefined);
  deepEqual([system.userName(0), system.groupName(0), system.userId("root"), system.groupId("root")], [
    "root",
    "root",
    0,
    0,
  ]);
  const [user, group] = shell(folder, "getent passwd bin | cut -d: -f3,4").split(":").map(Number);
  deepEqual([system.userId("bin"), system.userName(user), system.groupName(group)], [user, "bin", "bin"]);
  deepEqual([system.userName(4_000_000_000), system.groupName(4_000_000_000)], [undefined, undefined]);
  deepEqual([system.userId("no such user"), system.groupId("a\0b")], [undefined, undefined]);
});
