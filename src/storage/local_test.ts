import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { type FileCall, interceptedFiles, systemFailure } from "../../tests/faults/intercepted_files.ts";
import { allOf, fails, sample } from "../../tests/contract/object_store.ts";
import { MIB, utf8 } from "../base/bytes.ts";
import type { ErrorKind } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { denoFileOps, type FileOps } from "./file_ops.ts";
import { type LocalOptions, type LocalStore, openLocalStore } from "./local.ts";
import { replaceDamaged } from "./repairer.ts";

const UNIX = Deno.build.os !== "windows";

/** Runs `use` on a store in a new folder of its own. */
async function inFolder(
  use: (store: LocalStore, folder: string) => Promise<void>,
  options: LocalOptions = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "axiom-local-" });
  const store = await openLocalStore(folder, options);
  try {
    await use(store, folder);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Fails the calls that `chosen` says, with an errno, while it says so. */
function failing(chosen: (call: FileCall) => string | false | undefined): FileOps {
  return interceptedFiles(denoFileOps, (call) => {
    const code = chosen(call);
    if (code) throw systemFailure(code);
  });
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("(2) put makes durable in this order: bytes, name, folder, and the folder's own name before", async () => {
  const calls: string[] = [];
  let recording = false;
  const ops = interceptedFiles(denoFileOps, ({ call, path, to }) => {
    if (recording) calls.push(`${call} ${place(to ?? path)}`);
  });
  let root = "";
  const place = (path: string) => path.replace(root, "").replace(/\/tmp\/[0-9a-f]{16}/, "/tmp/*");
  await inFolder(async (store, folder) => {
    root = folder;
    await (await store.create()).abort();
    recording = true;
    await store.put("packs/ab/abc", utf8("x"));
    deepEqual(calls.splice(0), [
      "createFile /tmp/*",
      "write /tmp/*",
      "chmod /tmp/*",
      "sync /tmp/*",
      "makeFolder /packs",
      "syncFolder ",
      "makeFolder /packs/ab",
      "syncFolder /packs",
      "link /packs/ab/abc",
      "remove /tmp/*",
      "syncFolder /packs/ab",
    ]);
    await store.put("packs/ab/abd", utf8("x"));
    ok(!calls.some((call) => call.startsWith("makeFolder")));
  }, { ops });
});

Deno.test("(35) a file system that can do less is named in traits.missing, once, and works", async (t) => {
  const cases: { call: FileCall["call"]; codes: string[]; missing: string }[] = [
    { call: "link", codes: ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES"], missing: "hard links" },
    { call: "chmod", codes: ["EPERM", "ENOTSUP", "EACCES", "ENOSYS"], missing: "access rights of files" },
    { call: "syncFolder", codes: ["EINVAL", "ENOTSUP", "EPERM", "EACCES", "EBADF"], missing: "fsync of a folder" },
    { call: "sync", codes: ["EINVAL", "ENOTSUP"], missing: "fsync of a file" },
  ];
  for (const { call, codes, missing } of cases) {
    for (const code of codes) {
      await t.step(`${call} is ${code}`, () =>
        inFolder(async (store, folder) => {
          deepEqual(store.traits.missing, []);
          await store.put("index/a", utf8("a"));
          await store.put("index/a", utf8("a"));
          await fails(store.put("index/a", utf8("b")), "object_exists");
          await store.put("index/b", utf8("b"));
          deepEqual(store.traits.missing, [missing]);
          deepEqual(await allOf(store, ""), { "index/a": 1, "index/b": 1 });
          deepEqual(await namesIn(`${folder}/tmp`), []);
        }, { ops: failing((made) => made.call === call && code) }));
    }
  }
});

Deno.test("what fails in between is a typed error, and leaves nothing in tmp/", async (t) => {
  const cases: { code: string; kind: ErrorKind; retriable: boolean; text: RegExp }[] = [
    { code: "ENOSPC", kind: "storage_full", retriable: false, text: /no space left in .* \(\d+ bytes free\)$/ },
    { code: "EDQUOT", kind: "storage_full", retriable: false, text: /quota is used up in .* \(\d+ bytes free\)$/ },
    { code: "EROFS", kind: "storage_denied", retriable: false, text: /mounted read-only$/ },
    { code: "EIO", kind: "storage_failed", retriable: false, text: /EIO/ },
    { code: "ESTALE", kind: "storage_busy", retriable: true, text: /ESTALE/ },
    { code: "EBUSY", kind: "storage_busy", retriable: true, text: /EBUSY/ },
    { code: "ETIMEDOUT", kind: "storage_busy", retriable: true, text: /ETIMEDOUT/ },
  ];
  const calls: FileCall["call"][] = ["createFile", "write", "sync", "makeFolder", "link", "syncFolder"];
  for (const { code, kind, retriable, text } of cases) {
    for (const call of calls) {
      await t.step(`${code} at ${call}`, async () => {
        let armed = false;
        await inFolder(async (store, folder) => {
          await (await store.create()).abort();
          armed = true;
          const error = await fails(store.put("index/a", sample(1000, 1)), kind, text);
          equal(error.retriable, retriable);
          if (kind !== "storage_busy") ok(error.hint);
          armed = false;
          deepEqual(await namesIn(`${folder}/tmp`), []);
          await store.put("index/a", sample(1000, 1));
          deepEqual(await store.get("index/a", "all"), sample(1000, 1));
        }, { ops: failing((made) => armed && made.call === call && code) });
      });
    }
  }
});

Deno.test("no permission is storage_denied, on a network share an input/output error may pass", async () => {
  let code = "EACCES";
  const ops: FileOps = {
    ...failing((made) => made.call === "createFile" && code),
    volume: () => Promise.resolve({ kind: "nfs", freeBytes: 1 }),
  };
  await inFolder(async (store) => {
    await fails(store.put("index/a", utf8("a")), "storage_denied", /no permission in .* \(EACCES\)/);
    code = "EIO";
    equal((await fails(store.put("index/a", utf8("a")), "storage_failed")).retriable, true);
  }, { ops });
});

Deno.test("a commit that met a busy store may be called again; one whose fsync failed may not", async () => {
  let failure: Partial<Record<FileCall["call"], string>> = {};
  const ops = failing(({ call }) => failure[call]);
  await inFolder(async (store, folder) => {
    const busy = await store.create();
    await busy.write(utf8("abc"));
    failure = { link: "EBUSY" };
    await fails(busy.commit("index/a"), "storage_busy");
    equal((await namesIn(`${folder}/tmp`)).length, 1);
    failure = {};
    await busy.commit("index/a");
    deepEqual(await store.get("index/a", "all"), utf8("abc"));

    const broken = await store.create();
    await broken.write(utf8("abc"));
    failure = { sync: "EIO" };
    await fails(broken.commit("index/b"), "storage_failed");
    failure = {};
    await broken.commit("index/b").then(() => ok(false), () => {});
    equal(await store.stat("index/b"), undefined);
    deepEqual(await namesIn(`${folder}/tmp`), []);
  }, { ops });
});

Deno.test("(2, 3) a torn object under its final name is found, kept aside and stored again", async () => {
  await inFolder(async (store, folder) => {
    for (const [name, left] of [["empty", ""], ["short", "every b"]]) {
      const key = `packs/ab/${name}`;
      await store.put(key, utf8("every byte"));
      await store.get(key, { offset: 0, length: 4 });
      await Deno.remove(`${folder}/${key}`);
      await Deno.writeTextFile(`${folder}/${key}`, left);
      const fresh = await openLocalStore(folder);
      deepEqual(await fresh.stat(key), { sizeBytes: left.length });
      await fails(fresh.get(key, { offset: 0, length: 10 }), "data_damaged", /has only/);
      await fails(
        fresh.put(key, utf8("every byte")),
        "object_exists",
        new RegExp(`it has ${left.length} bytes, the new one 10`),
      );
      const aside = await replaceDamaged(fresh, key, utf8("every byte"));
      deepEqual(await fresh.get(key, "all"), utf8("every byte"));
      equal(await Deno.readTextFile(`${folder}/${aside}`), left);
      await fresh.close();
    }
    equal(Object.keys(await allOf(store, "damaged/")).length, 2);
  });
});

Deno.test("a short object that another client replaced is read anew, not from a file kept open", async () => {
  await inFolder(async (store, folder) => {
    await Deno.mkdir(`${folder}/index`);
    await Deno.writeTextFile(`${folder}/index/a`, "sho");
    deepEqual(await store.get("index/a", { offset: 0, length: 3 }), utf8("sho"));
    const other = await openLocalStore(folder);
    await replaceDamaged(other, "index/a", utf8("short no more"));
    await other.close();
    deepEqual(await store.get("index/a", { offset: 6, length: 7 }), utf8("no more"));
  });
});

/** False without the right to mount. */
async function mountSmallDisk(folder: string): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  const mount = new Deno.Command("mount", { args: ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], stderr: "null" });
  return (await mount.output()).success;
}

Deno.test("(11, 13) a full disk fails the put, and a removal makes room again", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "axiom-full-" });
  const mounted = await mountSmallDisk(folder);
  const fill = async () => {
    const store = await openLocalStore(folder);
    await store.put("packs/00/a", sample(3 * MIB, 1));
    const error = await fails(store.put("packs/00/b", sample(2 * MIB, 2)), "storage_full", /no space left in .* free/);
    ok(error.hint);
    const writer = await store.create();
    await writer.write(sample(MIB / 2, 3));
    await fails(writer.write(sample(MIB, 3)), "storage_full");
    await writer.abort();
    deepEqual(await namesIn(`${folder}/tmp`), []);
    deepEqual(await allOf(store, ""), { "packs/00/a": 3 * MIB });
    await store.remove("packs/00/a");
    await store.put("packs/00/b", sample(2 * MIB, 2));
    await store.close();
  };
  try {
    await t.step({ name: "a tmpfs of 4 MiB, where mounting is allowed", ignore: !mounted, fn: fill });
  } finally {
    if (mounted) await new Deno.Command("umount", { args: [folder] }).output();
    await Deno.remove(folder);
  }
});

Deno.test("a listing leaves out what is no object, and says so", { ignore: !UNIX }, async () => {
  const foreign: string[] = [];
  await inFolder(async (store, folder) => {
    await store.put("packs/ab/abc", utf8("x"));
    await Deno.writeTextFile(`${folder}/packs/ab/.nfs000001`, "");
    await Deno.writeTextFile(`${folder}/README.TXT`, "");
    await Deno.mkdir(`${folder}/lost+found`);
    await Deno.writeTextFile(`${folder}/tmp/unfinished`, "");
    await Deno.symlink("nowhere", `${folder}/packs/dangling`);
    await new Deno.Command("mkfifo", { args: [`${folder}/packs/pipe`] }).output();
    deepEqual(await allOf(store, ""), { "packs/ab/abc": 1 });
    deepEqual(foreign.sort(), ["README.TXT", "lost+found", "packs/ab/.nfs000001", "packs/pipe"]);
    await fails(store.get("packs/pipe", "all"), "object_missing");
    await fails(store.put("packs/pipe", utf8("x")), "object_exists", /not a file/);
  }, { onForeign: (path) => foreign.push(path) });
});

Deno.test("what dead writers left in tmp/ a day ago is removed, by the clock of the disk", async () => {
  await inFolder(async (_, folder) => {
    const old = new Date(Date.now() - LIMITS.storeTemporaryAgeMs - 60_000);
    await Deno.mkdir(`${folder}/tmp/claim.index,a`, { recursive: true });
    for (const name of ["old", "young", "claim.index,a/old"]) await Deno.writeTextFile(`${folder}/tmp/${name}`, "x");
    for (const name of ["old", "claim.index,a"]) await Deno.utime(`${folder}/tmp/${name}`, old, old);
    await openLocalStore(folder);
    equal((await namesIn(`${folder}/tmp`)).length, 3, "opening alone removes nothing");
    const store = await openLocalStore(folder);
    const writer = await store.create();
    const [own] = (await namesIn(`${folder}/tmp`)).filter((name) => name !== "young");
    deepEqual(await namesIn(`${folder}/tmp`), [own, "young"].sort());
    await Deno.utime(`${folder}/tmp/young`, old, old);
    await (await store.create()).abort();
    ok((await namesIn(`${folder}/tmp`)).includes("young"), "once per open store is enough");
    await writer.abort();
  });
});

Deno.test("a store whose file in tmp/ was taken away says so and can be asked again", async () => {
  await inFolder(async (store, folder) => {
    const writer = await store.create();
    await writer.write(utf8("x"));
    for (const name of await namesIn(`${folder}/tmp`)) await Deno.remove(`${folder}/tmp/${name}`);
    const error = await fails(writer.commit("index/a"), "storage_busy", /its file in tmp\/ is gone|No such file/);
    equal(error.retriable, true);
    await writer.abort();
  }, { ops: failing(({ call }) => call === "chmod" && "EPERM") });
});

Deno.test("a stale handle of a network share is opened again, once", async () => {
  let stale = 0;
  const ops = failing(({ call }) => call === "readAt" && stale-- > 0 && "ESTALE");
  await inFolder(async (store) => {
    await store.put("index/a", utf8("abc"));
    await store.get("index/a", "all");
    stale = 1;
    deepEqual(await store.get("index/a", "all"), utf8("abc"));
    stale = 2;
    equal((await fails(store.get("index/a", "all"), "storage_busy", /ESTALE/)).retriable, true);
    deepEqual(await store.get("index/a", "all"), utf8("abc"));
  }, { ops });
});

Deno.test("an object that may not be removed while it is read-only, as on SMB, is removed", async () => {
  const modes = new Map<string, number>();
  const ops: FileOps = {
    ...denoFileOps,
    chmod: (path, mode) => Promise.resolve(void modes.set(path, mode)),
    remove: (path) =>
      path.endsWith("index/a") && modes.get(path) !== 0o600
        ? Promise.reject(systemFailure("EACCES"))
        : denoFileOps.remove(path),
  };
  await inFolder(async (store) => {
    await store.put("index/a", utf8("abc"));
    await store.remove("index/a");
    equal(await store.stat("index/a"), undefined);
  }, { ops });
  await inFolder(async (store) => {
    await store.put("index/a", utf8("abc"));
    await fails(store.remove("index/a"), "storage_denied", /Cannot remove index\/a: no permission/);
  }, { ops: failing(({ call, path }) => call === "remove" && path.endsWith("index/a") && "EPERM") });
});

Deno.test("close() ends writers that were left open", async () => {
  await inFolder(async (store, folder) => {
    await (await store.create()).write(utf8("x"));
    await store.close();
    deepEqual(await namesIn(`${folder}/tmp`), []);
  });
});

Deno.test("folders that vanish are made again; a repository that vanishes is not", async () => {
  await inFolder(async (store, folder) => {
    await store.put("packs/ab/abc", utf8("x"));
    await Deno.remove(`${folder}/packs`, { recursive: true });
    await store.put("packs/ab/abd", utf8("x"));
    deepEqual(await allOf(store, "packs/"), { "packs/ab/abd": 1 });
    await Deno.rename(folder, `${folder}.away`);
    await fails(store.get("packs/ab/abd", "all"), "storage_failed", /the folder is gone/);
    await fails(allOf(store, "packs/"), "storage_failed", /the folder is gone/);
    await fails(store.put("packs/ab/abe", utf8("x")), "storage_failed", /the folder is gone/);
    await Deno.rename(`${folder}.away`, folder);
  });
});

Deno.test("files are 0400 in folders of 0700", { ignore: !UNIX }, async () => {
  await inFolder(async (_, folder) => {
    const store = await openLocalStore(`${folder}/new/deeper`, { make: true });
    await store.put("packs/ab/abc", utf8("x"));
    const modeOf = async (path: string) => (await Deno.stat(`${folder}/new/deeper${path}`)).mode! & 0o777;
    for (const path of ["", "/packs", "/packs/ab", "/tmp"]) equal(await modeOf(path), 0o700, path);
    equal(await modeOf("/packs/ab/abc"), 0o400);
    await store.close();
  });
});

Deno.test("a repository behind a symbolic link, and one with a linked folder, works", { ignore: !UNIX }, async () => {
  await inFolder(async (inner, folder) => {
    await Deno.symlink(folder, `${folder}.link`);
    await Deno.mkdir(`${folder}/elsewhere.d`);
    await Deno.symlink(`${folder}/elsewhere.d`, `${folder}/packs`);
    const store = await openLocalStore(`${folder}.link/`);
    await store.put("packs/ab/abc", utf8("x"));
    deepEqual(await inner.get("packs/ab/abc", "all"), utf8("x"));
    deepEqual(await allOf(store, "packs/"), { "packs/ab/abc": 1 });
    await store.close();
    await Deno.remove(`${folder}.link`);
  });
});

Deno.test("a folder that is not there, or is a file, is repository_missing", async () => {
  await inFolder(async (_, folder) => {
    await fails(openLocalStore(`${folder}/none`), "repository_missing", /no such folder/);
    await Deno.writeTextFile(`${folder}/file`, "");
    await fails(openLocalStore(`${folder}/file`, { make: true }), "repository_missing", /is a file/);
    await fails(openLocalStore(`${folder}/file/below`), "repository_missing");
  });
});

Deno.test("an object larger than any pack is not read as a whole", async () => {
  await inFolder(async (store, folder) => {
    await store.put("index/a", utf8("x"));
    await Deno.remove(`${folder}/index/a`);
    const file = await Deno.create(`${folder}/index/a`);
    await file.truncate(LIMITS.packBytesMax + 1);
    file.close();
    await fails(store.get("index/a", "all"), "limit_exceeded", /268435457 bytes/);
    equal((await store.get("index/a", { offset: LIMITS.packBytesMax - 9, length: 10 })).length, 10);
  });
});
