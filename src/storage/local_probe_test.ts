import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { type FileCall, interceptedFiles, systemFailure } from "../../tests/faults/intercepted_files.ts";
import { SimulatedFiles } from "../../tests/faults/simulated_files.ts";
import { fails } from "../../tests/contract/object_store.ts";
import { utf8 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { FileOps } from "./file_ops.ts";
import { openLocalStore } from "./local.ts";
import { fileSystemVolume } from "./volume.ts";

const FOLDER = "/srv/backup";

function refusing(code: string, ...refused: FileCall["call"][]): FileOps {
  return interceptedFiles(new SimulatedFiles({ links: true }), ({ call }) => {
    if (refused.includes(call)) throw systemFailure(code);
  });
}

Deno.test("probe() of a real folder finds what it can do, and leaves nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "axiom-probe-" });
  const store = await openLocalStore(`${folder}/new`, { make: true });
  const report = await store.probe();
  const { hardLinks, exclusiveCreate, exclusiveRename, fileSync, folderSync, chmod, caseSensitive } = report;
  if (Deno.build.os === "linux") {
    for (const can of [hardLinks, exclusiveCreate, exclusiveRename, fileSync, folderSync, chmod, caseSensitive]) {
      ok(can);
    }
    ok(report.freeBytes! > 0);
    equal(report.fileSystem, (await fileSystemVolume(folder))?.kind);
    deepEqual(store.traits.missing, []);
  }
  equal(report.staleListingMs, store.traits.staleListingMs);
  ok(report.staleListingReason);
  for await (const { name } of Deno.readDir(`${folder}/new/tmp`)) ok(false, `${name} is left`);
  await store.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("(35) probe() reports what is refused", async (t) => {
  const cases: { refused: FileCall["call"][]; cannot: string[]; missing: string[] }[] = [
    { refused: ["link"], cannot: ["hardLinks"], missing: ["hard links"] },
    { refused: ["rename"], cannot: ["exclusiveRename"], missing: [] },
    {
      refused: ["link", "rename"],
      cannot: ["hardLinks", "exclusiveRename"],
      missing: ["hard links", "a rename that never replaces"],
    },
    { refused: ["chmod"], cannot: ["chmod"], missing: ["access rights of files"] },
    { refused: ["sync"], cannot: ["fileSync"], missing: ["fsync of a file"] },
    { refused: ["syncFolder"], cannot: ["folderSync"], missing: ["fsync of a folder"] },
  ];
  for (const { refused, cannot, missing } of cases) {
    await t.step(refused.join(" and "), async () => {
      const store = await openLocalStore(FOLDER, { ops: refusing("ENOTSUP", ...refused), make: true });
      const report = Object.entries(await store.probe());
      deepEqual(report.flatMap(([name, value]) => value === false ? [name] : []), cannot);
      deepEqual(store.traits.missing.toSorted(), missing.toSorted());
    });
  }
});

Deno.test("a file system that accepts modes and forgets them is found out", async () => {
  const files = new SimulatedFiles({ links: true });
  files.chmod = () => Promise.resolve();
  const store = await openLocalStore(FOLDER, { ops: files, make: true });
  equal((await store.probe()).chmod, false);
});

Deno.test("a disk that cannot be written to fails the probe as it fails a put", async () => {
  const files = new SimulatedFiles({ links: true });
  let code = "EROFS";
  const ops = interceptedFiles(files, ({ call }) => {
    if (call === "createFile" && code) throw systemFailure(code);
  });
  const store = await openLocalStore(FOLDER, { ops, make: true });
  await fails(store.probe(), "storage_denied", /read-only/);
  code = "ENOSPC";
  await fails(store.put("index/a", utf8("a")), "storage_full");
  code = "";
  await store.put("index/a", utf8("a"));
});

Deno.test("for how long listings may be stale depends on the kind of file system", async (t) => {
  const cases = [["ext4", 0], ["nfs", 60_000], ["cifs", 10_000], ["smb3", 10_000], ["fuse.sshfs", 20_000]] as const;
  for (const [kind, staleListingMs] of cases) {
    await t.step(kind, async () => {
      const files = new SimulatedFiles({ links: true });
      const volume = () => Promise.resolve({ kind, freeBytes: 0 });
      const ops = Object.assign(interceptedFiles(files, () => {}), { volume });
      const store = await openLocalStore(FOLDER, { ops, make: true });
      equal(store.traits.staleListingMs, staleListingMs);
      equal((await openLocalStore(FOLDER, { ops, staleListingMs: 5 })).traits.staleListingMs, 5);
    });
  }
});

Deno.test("(8) the age of what lies in tmp/ is judged by the disk's clock, wherever this machine's stands", async () => {
  for (const nowMs of [0, Date.now() + 10 * LIMITS.storeTemporaryAgeMs]) {
    let diskMs = nowMs;
    const files = new SimulatedFiles({ links: true, nowMs: () => diskMs });
    const dead = await openLocalStore(FOLDER, { ops: files, make: true });
    await (await dead.create()).write(utf8("never finished"));
    diskMs += LIMITS.storeTemporaryAgeMs - 1;
    await (await (await openLocalStore(FOLDER, { ops: files })).create()).abort();
    equal((await files.readNames(`${FOLDER}/tmp`)).length, 1, "too young");
    diskMs += 1;
    await (await (await openLocalStore(FOLDER, { ops: files })).create()).abort();
    deepEqual(await files.readNames(`${FOLDER}/tmp`), []);
  }
});
