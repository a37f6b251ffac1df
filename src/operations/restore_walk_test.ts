import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { LIMITS } from "../base/limits.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import { userIds } from "../platform/host.ts";
import type { ChunkIndex } from "../repository/chunk_index.ts";
import type { RepositoryKeys } from "../repository/keys.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import type { RestoreContext, RestoreOptions } from "./restore.ts";
import { RestoreTally } from "./restore_tally.ts";
import { RestoreWalk } from "./restore_walk.ts";

userIds(); // loads the C library, which stays open

/** An empty target; files cannot be made there if `fails`. */
function emptyTarget(fails: boolean): TargetTree {
  return {
    path: "/target",
    lstat: () => undefined,
    createFile: (path: string) => {
      if (fails) throw new SystemError("EACCES", "open", path);
      return { truncate() {}, close() {} };
    },
  } as unknown as TargetTree;
}

Deno.test("a batch has no more files than it may, whether they can be made or not", async (t) => {
  const most = LIMITS.restoreBatchFiles;
  const trees = new MemoryTrees();
  const names = Array.from({ length: 2 * most + 1 }, (_, i) => `f${i}`);
  const snapshot = await trees.snapshot(new Map(names.map((name) => [name, { type: "file", size: "0" }])));
  const options: RestoreOptions = {
    snapshot,
    target: "/target",
    overwrite: "always",
    delete: false,
    verify: false,
    dryRun: false,
  };
  for (const fails of [false, true]) {
    await t.step(fails ? "none can" : "all can", async () => {
      const sizes: number[] = [];
      const tally = new RestoreTally(() => {});
      const walk = new RestoreWalk(
        trees.reader,
        {} as ChunkIndex,
        {} as WorkerPool,
        emptyTarget(fails),
        tally,
        options,
        { owners: false } as RestoreContext,
        {} as RepositoryKeys,
        ({ files }) => Promise.resolve(void sizes.push(files.length)),
      );
      await walk.plan({ folder: snapshot.snapshot.root, entry: undefined });
      deepEqual(sizes, [most, most, 1]);
      equal(tally.filesFailed, fails ? names.length : 0);
    });
  }
});

Deno.test("names with a prefix are found in a folder of any size, and only leaves that may hold some are read", async () => {
  const trees = new MemoryTrees();
  const wanted = [".axiom-part-1", ".axiom-part-2", ".axiom-part-ff"];
  const others = [".axiom-part", ".axiom-parts", ".axiom-parz", "-", ".b"];
  for (const count of [0, 20_000]) {
    const many = Array.from({ length: count }, (_, i) => `${i % 2 ? "-" : "x"}${i}`);
    const id = await trees.write(new Map([...wanted, ...others, ...many].map((name) => [name, { type: "file" }])));
    trees.reads.length = 0;
    deepEqual((await trees.reader.namesWith(id, ".axiom-part-")).sort(), wanted);
    const { length } = trees.reads;
    equal(length <= 8, true, `${length} documents read of ${count} entries`);
  }
});
