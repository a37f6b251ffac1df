import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import type { Fidelity, Metadata, MetadataLoss, TargetTree, Xattr } from "./file_system.ts";
import {
  asOrdinaryUser,
  hasProgram,
  implementations,
  isLinux,
  isRoot,
  shell,
  withFolder,
} from "./file_system_fixture.ts";

type Test = (target: TargetTree, folder: string, fidelity: Fidelity) => void;

function contract(name: string, test: Test, options: { ignore?: boolean } = {}) {
  for (const { name: implementation, system } of implementations) {
    Deno.test({
      name: `TargetTree.setMetadata(), ${implementation}: ${name}`,
      ignore: !isLinux || options.ignore,
      fn: () =>
        withFolder((folder) => {
          const target = system.openTarget(folder);
          try {
            test(target, folder, system.fidelity);
          } finally {
            target.close();
          }
        }),
    });
  }
}

/** By the open file and by its path, which are different calls. */
function setBothWays(target: TargetTree, metadata: Metadata): [string, MetadataLoss[]][] {
  const file = target.createFile("by-file");
  const byFile = file.setMetadata(metadata);
  file.close();
  target.createFile("by-path").close();
  return [["by-file", byFile], ["by-path", target.setMetadata("by-path", metadata)]];
}

const ids = { uid: Deno.build.os === "windows" ? 0 : Deno.uid()!, gid: Deno.build.os === "windows" ? 0 : Deno.gid()! };

contract("modes, also of files that nobody may read", (target, folder) => {
  for (const mode of [0, 0o400, 0o644, 0o4755, 0o2755, 0o1777, 0o7777]) {
    for (const [path, losses] of setBothWays(target, { mode, mtimeNs: "0", ...ids })) {
      deepEqual(losses, []);
      equal(shell(folder, `stat -c %a ${path}`), mode.toString(8));
      target.remove(path);
    }
    target.makeFolder("dir");
    deepEqual(target.setMetadata("dir", { mode, mtimeNs: "0" }), []);
    equal(target.lstat("dir")?.mode, mode);
    target.removeFolder("dir");
  }
  deepEqual(target.setMetadata("", { mode: 0o711, mtimeNs: "0" }), []);
  equal(shell(folder, "stat -c %a ."), "711");
});

contract("times", (target, folder, fidelity) => {
  const cases = ["0", "1", "1700000000123456789", "1700000000999999999", "4294967296000000001", "9000000000000000001"];
  const before1970 = ["-1", "-1000000000", "-1000000001", "-2000000000000000001"];
  for (const mtimeNs of fidelity.nanoseconds ? [...cases, ...before1970] : cases) {
    target.makeFolder("dir");
    target.makeSymlink("link", "nowhere");
    const expected = fidelity.nanoseconds ? mtimeNs : String(BigInt(mtimeNs) / 1_000_000n * 1_000_000n);
    const losses = [...setBothWays(target, { mode: 0o600, mtimeNs }).map(([, list]) => list)].flat();
    for (const path of ["dir", "link"]) losses.push(...target.setMetadata(path, { mode: 0o700, mtimeNs }));
    deepEqual(losses, [], mtimeNs);
    for (const path of ["by-file", "by-path", "dir", "link"]) {
      equal(target.lstat(path)?.mtimeNs, expected, `${path} ${mtimeNs}`);
    }
    shell(folder, "rm -r *");
  }
});

contract("the access time is left alone where that is possible", (target, folder, fidelity) => {
  shell(folder, "touch file; touch -a -d @1000000 file");
  target.setMetadata("file", { mode: 0o600, mtimeNs: "5000000000" });
  equal(shell(folder, "stat -c '%X %Y' file"), fidelity.implementation === "portable" ? "5 5" : "1000000 5");
});

contract("times that cannot be set are lost, and told", (target, _folder, fidelity) => {
  const impossible = ["", "soon", "1.5", "99999999999999999999999999999", "-99999999999999999999999999999"];
  for (const mtimeNs of fidelity.nanoseconds ? impossible : [...impossible, "-1"]) {
    for (const [path, losses] of setBothWays(target, { mode: 0o600, mtimeNs })) {
      deepEqual(losses, [{ what: "times", detail: mtimeNs, code: "EINVAL" }]);
      target.remove(path);
    }
  }
});

contract("owners", (target, folder, fidelity) => {
  target.makeSymlink("link", "nowhere");
  const metadata = { mode: 0o6755, uid: 1234, gid: 4_000_000_000, mtimeNs: "0" };
  const results = [...setBothWays(target, metadata), ["link", target.setMetadata("link", metadata)] as const];
  for (const [path, losses] of results) {
    deepEqual(losses, []);
    equal(shell(folder, `stat -c '%u %g' ${path}`), "1234 4000000000");
    deepEqual(target.setMetadata(path, { ...metadata, uid: undefined, gid: 7 }), []);
    equal(shell(folder, `stat -c '%u %g' ${path}`), "1234 7");
    deepEqual(target.setMetadata(path, { mode: 0o6755, mtimeNs: "0" }), []);
    equal(shell(folder, `stat -c '%u %g' ${path}`), "1234 7");
  }
  equal(shell(folder, "stat -c %a by-file"), "6755");
  if (fidelity.implementation !== "portable") {
    const losses = target.setMetadata("by-file", { mode: 0o4755, uid: 0xffffffff, mtimeNs: "0" });
    deepEqual(losses.map(({ what, code }) => `${what} ${code}`), ["owner EINVAL", "mode EPERM"]);
  }
}, { ignore: !isRoot });

contract("without the right to give files away, set-uid is not set for the wrong owner", (target, folder) => {
  shell(folder, "chmod 777 .");
  const metadata = { mode: 0o6755, uid: 4321, gid: 4321, mtimeNs: "1000000" };
  asOrdinaryUser(() => {
    for (const [path, losses] of setBothWays(target, metadata)) {
      const { mode, uid, mtimeNs } = target.lstat(path)!;
      deepEqual({ mode, mtimeNs }, { mode: 0o755, mtimeNs: "1000000" });
      ok(uid !== 4321);
      deepEqual(losses, [
        { what: "owner", detail: "user 4321", code: "EPERM" },
        { what: "owner", detail: "group 4321", code: "EPERM" },
        { what: "mode", detail: "6755", code: "EPERM" },
      ]);
    }
  });
});

contract("a file of another user can be given nothing", (target, folder) => {
  shell(folder, "touch file; chmod 777 .; chmod 666 file");
  const losses = asOrdinaryUser(() => target.setMetadata("file", { mode: 0o600, mtimeNs: "0", xattrs: [] }));
  deepEqual(losses, [{ what: "mode", detail: "600", code: "EPERM" }, { what: "times", detail: "0", code: "EPERM" }]);
}, { ignore: !isRoot });

contract("extended attributes: exactly those given remain", (target, folder, fidelity) => {
  shell(
    folder,
    "touch file; mkdir dir; for p in file dir; do setfattr -n user.old -v 1 $p; setfattr -n user.same -v 2 $p; done",
  );
  const xattrs: Xattr[] = [
    { name: "user.empty", value: new Uint8Array(0) },
    { name: "user.new", value: utf8("3") },
    { name: "user.same", value: new Uint8Array(1000).fill(65) },
  ];
  for (const path of ["file", "dir"]) {
    const losses = target.setMetadata(path, { mode: 0o700, mtimeNs: "0", xattrs });
    if (!fidelity.xattrs) {
      deepEqual(losses, xattrs.map(({ name }) => ({ what: "xattr", detail: name, code: "ENOTSUP" })));
      continue;
    }
    deepEqual(losses, []);
    equal(
      shell(folder, `getfattr ${path} | grep = || getfattr ${path} | grep user | tr '\\n' ' '`),
      "user.empty user.new user.same",
    );
    deepEqual(target.xattrs(path), xattrs);
    equal(shell(folder, `getfattr --only-values -n user.same ${path} | wc -c`), "1000");
    target.setMetadata(path, { mode: 0o700, mtimeNs: "0" });
    equal(target.xattrs(path).length, 3, "left as they are");
    target.setMetadata(path, { mode: 0o700, mtimeNs: "0", xattrs: [] });
    deepEqual(target.xattrs(path), []);
  }
}, { ignore: !hasProgram("setfattr") });

contract("extended attributes that cannot be set are told, the others are set", (target, _folder, fidelity) => {
  const value = utf8("x");
  const xattrs = [
    { name: "user.good", value },
    { name: "nonsense", value },
    { name: "user.a\0b", value },
    { name: "user.\ud800", value },
    { name: `user.${"n".repeat(300)}`, value },
    { name: "", value },
    { name: "user.big", value: new Uint8Array(70_000) },
    { name: "user.last", value },
  ];
  for (const [path, losses] of setBothWays(target, { mode: 0o600, mtimeNs: "0", xattrs })) {
    ok(losses.every(({ what }) => what === "xattr"));
    if (!fidelity.xattrs) continue;
    deepEqual(losses.map(({ code }) => code), ["ENOTSUP", "EINVAL", "EINVAL", "ERANGE", "ERANGE", "E2BIG"]);
    deepEqual(target.xattrs(path).map(({ name }) => name), ["user.good", "user.last"]);
  }
}, { ignore: !hasProgram("setfattr") });

contract("POSIX ACLs are set after the mode and removed with the rest", (target, folder, fidelity) => {
  if (!fidelity.xattrs) return;
  shell(
    folder,
    "touch model; chmod 640 model; setfacl -m u:1234:rw,g:99:r model; mkdir dir; setfacl -d -m u:5:rwx dir",
  );
  const xattrs = target.xattrs("model");
  deepEqual(xattrs.map(({ name }) => name), ["system.posix_acl_access"]);
  const { mode } = target.lstat("model")!;
  const acl = (path: string) => shell(folder, `getfacl --omit-header --numeric ${path}`);
  target.createFile("dir/heir").close();
  for (const path of [...setBothWays(target, { mode, mtimeNs: "5", xattrs }).map(([path]) => path), "dir/heir"]) {
    deepEqual(target.setMetadata(path, { mode, mtimeNs: "5", xattrs }), []);
    equal(acl(path), acl("model"));
    deepEqual([target.lstat(path)?.mode, target.lstat(path)?.mtimeNs], [mode, "5"]);
    target.setMetadata(path, { mode: 0o640, mtimeNs: "5", xattrs: [] });
    equal(acl(path), "user::rw-\ngroup::r--\nother::---\n".trim());
  }
  target.setMetadata("dir", { mode: 0o755, mtimeNs: "0", xattrs: [] });
  equal(acl("dir"), "user::rwx\ngroup::r-x\nother::r-x");
}, { ignore: !hasProgram("setfacl") });

contract("attributes of the system: links and capabilities", (target, folder, fidelity) => {
  if (!fidelity.xattrs) return;
  target.makeSymlink("link", "nowhere");
  const trusted = [{ name: "trusted.axiom", value: utf8("on the link") }];
  deepEqual(target.setMetadata("link", { mode: 0o777, mtimeNs: "7", xattrs: trusted }), []);
  deepEqual(target.xattrs("link"), trusted);
  equal(target.lstat("link")?.mtimeNs, "7");
  deepEqual(target.setMetadata("link", { mode: 0o777, mtimeNs: "7", xattrs: [] }), []);
  deepEqual(target.xattrs("link"), []);

  const capability = {
    name: "security.capability",
    value: Uint8Array.from([1, 0, 0, 2, 0, 4, ...new Array(14).fill(0)]),
  };
  const label = { name: "security.selinux", value: utf8("system_u:object_r:etc_t:s0\0") };
  for (
    const [path, losses] of setBothWays(target, { mode: 0o755, ...ids, mtimeNs: "0", xattrs: [capability, label] })
  ) {
    deepEqual(losses, []);
    deepEqual(target.xattrs(path), [capability, label]);
    target.setMetadata(path, { mode: 0o755, mtimeNs: "0", xattrs: [] });
    deepEqual(target.xattrs(path), [label], "the system's own label stays");
  }
  equal(shell(folder, "getfattr -d -m - by-file | grep -c selinux"), "1");
}, { ignore: !isRoot || !hasProgram("setfattr") });
