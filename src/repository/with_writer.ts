import type { WorkerPool } from "../stages/worker_pool.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import type { Repository } from "./repository.ts";
import { RepositoryWriter, type WriterIdentity } from "./writer.ts";

export interface WriterNeeds {
  /** Ended with the writer. */
  pool: WorkerPool;
  identity: WriterIdentity;
  /** Of metadata. */
  style: FrameStyle;
  signal?: AbortSignal;
}

/** Runs `use` with a writer, whose session ends with it. If it fails, what arrived is made useful to the next run. */
export async function withWriter<T>(
  repository: Repository,
  { pool, identity, style, signal }: WriterNeeds,
  use: (writer: RepositoryWriter) => Promise<T>,
): Promise<T> {
  let writer: RepositoryWriter | undefined;
  try {
    writer = await RepositoryWriter.begin(repository, pool, identity, style, signal);
    const result = await use(writer);
    pool.close();
    await writer.end();
    return result;
  } catch (error) {
    pool.close();
    await writer?.abandon();
    throw error;
  }
}
