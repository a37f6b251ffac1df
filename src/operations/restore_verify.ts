import { concat } from "../base/bytes.ts";
import { displayName } from "../base/names.ts";
import { CHUNK_KIND_NAMES } from "../model/chunk.ts";
import type { TargetTree } from "../platform/file_system.ts";
import type { RepositoryKeys } from "../repository/keys.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { RestoreTally } from "./restore_tally.ts";
import type { RestoreFile } from "./restore_walk.ts";

/** Reads every restored file again and recomputes its chunks; returns how many are right. */
export async function verifyRestored(
  files: readonly RestoreFile[],
  pool: WorkerPool,
  target: TargetTree,
  tally: RestoreTally,
  keys: RepositoryKeys,
): Promise<number> {
  const slots = new Semaphore(2 * pool.size);
  let verified = 0;
  await Promise.all(
    files.filter((file) => !file.failed).map((file) =>
      slots.run(async () => {
        const why = await faultOf(file, pool, target, keys);
        if (why === undefined) verified++;
        else {tally.fault(file.path, {
            kind: "target_unwritable",
            message: `Cannot trust ${displayName(file.path)}: ${why}`,
          });}
      })
    ),
  );
  return verified;
}

async function faultOf(
  file: RestoreFile,
  pool: WorkerPool,
  target: TargetTree,
  keys: RepositoryKeys,
): Promise<string | undefined> {
  const { path, layout } = file;
  const stat = target.lstat(path);
  if (stat === undefined) return "it is not there";
  if (stat.sizeBytes !== layout.sizeBytes) return `it has ${stat.sizeBytes} bytes, not ${layout.sizeBytes}`;
  const places = new Float64Array(2 * layout.chunks.length);
  layout.chunks.forEach(({ offset, length }, i) => places.set([offset, length], 2 * i));
  const idKey = keys.chunkIdKey(CHUNK_KIND_NAMES[layout.kind]);
  const { same, fault } = await pool.compare({ path, ids: concat(layout.chunks.map(({ id }) => id)), places, idKey });
  if (fault !== undefined) return fault.message;
  const bad = same.indexOf(0);
  return bad < 0 ? undefined : `what was written at byte ${layout.chunks[bad].offset} reads back as something else`;
}
