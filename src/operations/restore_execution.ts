import { AxiomError, throwIfAborted } from "../base/errors.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { TargetTree } from "../platform/file_system.ts";
import { fetchFrames } from "../repository/frame_fetcher.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { WorkerPool } from "../stages/worker_pool.ts";
import type { LoadFrame, WriteOutcome } from "../stages/worker_protocol.ts";
import { isDamage } from "./damage.ts";
import type { RestoreOptions } from "./restore.ts";
import type { RestoreBatch, RestoreFile } from "./restore_file.ts";
import { FrameWrites, type Uses } from "./restore_frame_writes.ts";
import { RestoreSalvage } from "./restore_salvage.ts";
import type { RestoreTally } from "./restore_tally.ts";
import { RestoreWriter } from "./restore_writer.ts";

/** Frames that are read ahead per worker: one being decoded, the others waiting. */
const FRAMES_PER_WORKER = 3;

/** Writes what was planned: pack by pack, each frame of a batch read and decoded once, on all workers. */
export class RestoreExecution {
  readonly #slots: Semaphore;
  readonly #writer: RestoreWriter;
  readonly #salvage: RestoreSalvage;
  /** Ends the restore: a full target is not a fault of one file. */
  #stop: unknown;

  constructor(
    readonly repository: Repository,
    view: IndexView,
    readonly pool: WorkerPool,
    target: TargetTree,
    readonly tally: RestoreTally,
    options: RestoreOptions,
    readonly signal?: AbortSignal,
  ) {
    this.#slots = new Semaphore(FRAMES_PER_WORKER * pool.size);
    this.#writer = new RestoreWriter(target, tally, options);
    this.#salvage = new RestoreSalvage(repository, view, this.#writer, tally, signal);
  }

  async run(batch: RestoreBatch): Promise<void> {
    this.#throwIfStopped();
    for (const file of batch.files) if (file.missing === 0) this.#writer.complete(file);
    const running = new Set<Promise<void>>();
    for (const [pack, frames] of batch.plan.packs()) {
      for await (const { number, frame } of this.#fetch(pack, frames)) {
        const release = await this.#slots.acquire(this.signal);
        this.#throwIfStopped();
        const job: Promise<void> = this.#load(frame, frames.get(number)!)
          .catch((error) => this.#stop ??= error)
          .finally(() => {
            release();
            running.delete(job);
          });
        running.add(job);
      }
    }
    await Promise.all(running);
    this.#throwIfStopped();
  }

  #throwIfStopped(): void {
    throwIfAborted(this.signal);
    if (this.#stop !== undefined) throw this.#stop;
  }

  /** A pack that cannot be read is no end: other packs may hold the same chunks. */
  async *#fetch(pack: PackRecord, frames: ReadonlyMap<number, Uses>) {
    const left = new Set(frames.keys());
    try {
      const table = await this.repository.packs.table(pack, this.signal);
      for await (const fetched of fetchFrames(this.repository.packs, pack, table, frames.keys(), this.signal)) {
        left.delete(fetched.number);
        yield fetched;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      for (const number of left) for (const use of frames.get(number)!) await this.#salvage.bringBack(use, error);
    }
  }

  async #load(frame: LoadFrame, uses: Uses): Promise<void> {
    const writes = new FrameWrites(frame, uses);
    const { fault, badChunks, outcomes } = await this.pool.load(frame, { type: "write", writes: writes.packed });
    const lost = writes.filesWithout(fault === undefined ? badChunks : "all");
    const told = new Map(outcomes.map((outcome) => [outcome.file, outcome]));
    writes.files.forEach((file, i) => {
      if (!lost.has(file)) this.#settle(file, told.get(i), writes.chunksOf(i), writes.bytesOf(i));
    });
    if (lost.size === 0) return;
    const why = new AxiomError("data_damaged", fault?.message ?? "a chunk holds other bytes than its id says");
    for (const use of uses) if (lost.has(use.owner)) await this.#salvage.bringBack(use, why);
  }

  #settle(file: RestoreFile, outcome: WriteOutcome | undefined, chunks: number, bytes: number): void {
    if (outcome?.fault !== undefined) return this.#writer.failed(file, outcome.fault);
    file.bytesWritten += bytes;
    this.tally.bytesWritten += bytes;
    file.missing -= chunks;
    if (outcome?.losses !== undefined) this.tally.losses(file.path, outcome.losses);
    if (file.missing === 0) this.#writer.complete(file);
    else this.tally.progress(file.path);
  }
}
