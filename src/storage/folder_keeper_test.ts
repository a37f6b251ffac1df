import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { systemFailure } from "../../tests/faults/intercepted_files.ts";
import { denoFileOps, type FileOps } from "./file_ops.ts";
import { FolderKeeper } from "./folder_keeper.ts";

/** Syncs end only when `finish` is called. */
function heldOps() {
  const started: string[] = [];
  const finish: ((error?: Error) => void)[] = [];
  const ops: FileOps = {
    ...denoFileOps,
    makeFolder: () => Promise.resolve(),
    syncFolder: (path) => {
      started.push(path);
      return new Promise((resolve, reject) => finish.push((error) => error ? reject(error) : resolve()));
    },
  };
  return { ops, started, finish };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("those who ask while a folder is being synced share the next sync, never the running one", async () => {
  const { ops, started, finish } = heldOps();
  const folders = new FolderKeeper("/r", ops, () => {});
  const first = folders.sync("a");
  const later = [folders.sync("a"), folders.sync("a"), folders.sync("a")];
  const other = folders.sync("b");
  deepEqual(started, ["/r/a", "/r/b"]);
  finish[0]();
  await first;
  await settled();
  deepEqual(started, ["/r/a", "/r/b", "/r/a"]);
  finish[1]();
  finish[2]();
  await Promise.all([...later, other]);
  const last = folders.sync("a");
  finish[3]();
  await last;
  equal(started.length, 4);
});

Deno.test("a sync that failed fails its own callers; those after it get one of their own", async () => {
  const { ops, finish } = heldOps();
  const folders = new FolderKeeper("/r", ops, () => {});
  const first = folders.sync("a"), second = folders.sync("a");
  finish[0](systemFailure("EIO"));
  await rejects(first, { code: "EIO" });
  await settled();
  finish[1]();
  await second;
});

Deno.test("folders that failed to be made are tried again", async () => {
  const made: string[] = [];
  let code: string | undefined = "EIO";
  const ops: FileOps = {
    ...denoFileOps,
    makeFolder: (path) => {
      made.push(path);
      return code ? Promise.reject(systemFailure(code)) : Promise.resolve();
    },
    syncFolder: () => Promise.resolve(),
  };
  const folders = new FolderKeeper("/r", ops, () => {});
  await rejects(folders.ensure("a/b"), { code: "EIO" });
  code = undefined;
  await Promise.all([folders.ensure("a/b"), folders.ensure("a/b"), folders.ensure("a")]);
  deepEqual(made, ["/r/a", "/r/a", "/r/a/b"]);
});

Deno.test("a refused sync is told once and not tried again", async () => {
  let [refused, tried] = [0, 0];
  const ops: FileOps = { ...denoFileOps, syncFolder: () => (tried++, Promise.reject(systemFailure("EINVAL"))) };
  const folders = new FolderKeeper("/r", ops, () => refused++);
  await folders.sync("a");
  await folders.sync("b");
  deepEqual([refused, tried], [1, 1]);
});
