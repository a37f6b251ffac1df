import { setImmediate } from "node:timers";
import { LIMITS } from "../base/limits.ts";
import type { SavedFile, SaveFile } from "./worker_protocol.ts";

/** A worker as far as files are concerned. */
export interface FileLane {
  /** Handed over and not yet back. */
  files: number;
  bytes: number;
  sendFiles(files: SaveFile[]): void;
}

interface Waiting {
  job: SaveFile;
  resolve: (saved: SavedFile) => void;
  reject: (error: unknown) => void;
}

/** Files on their way through the workers; they wait here until a worker has less than two batches. */
export class FileQueue {
  readonly #waiting: Waiting[] = [];
  readonly #saving = new Map<number, Waiting & { lane: FileLane }>();
  readonly #forRoom: (() => void)[] = [];
  #isDispatchDue = false;
  #jobs = 0;
  #failure: { error: unknown } | undefined;

  /** @param lanes Called when there is something to do */
  constructor(readonly lanes: () => readonly FileLane[]) {}

  /** False also after a failure, of which {@linkcode room} tells. */
  get hasRoom(): boolean {
    return this.#failure === undefined && this.#waiting.length + this.#saving.size < LIMITS.filesInFlightMax;
  }

  /** Resolves once there is room for one more file; rejects with the first failure. */
  async room(): Promise<void> {
    while (this.#failure === undefined && !this.hasRoom) {
      await new Promise<void>((resolve) => this.#forRoom.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  add(file: Omit<SaveFile, "job">): Promise<SavedFile> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure.error);
      this.#waiting.push({ job: { ...file, job: this.#jobs++ }, resolve, reject });
      this.#dispatchSoon();
    });
  }

  /** What is queued in one turn of the event loop goes in one message: it costs as much as saving a small file. */
  #dispatchSoon(): void {
    if (this.#isDispatchDue) return;
    this.#isDispatchDue = true;
    setImmediate(() => {
      this.#isDispatchDue = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    if (this.#waiting.length === 0) return;
    for (const lane of this.lanes()) {
      const batch: SaveFile[] = [];
      while (
        this.#waiting.length > 0 && lane.files < LIMITS.batchFilesMax * LIMITS.batchesPerWorkerMax &&
        lane.bytes < LIMITS.batchBytesMax * LIMITS.batchesPerWorkerMax
      ) {
        const waiting = this.#waiting.shift()!;
        batch.push(waiting.job);
        lane.files++;
        lane.bytes += bytesOf(waiting.job);
        this.#saving.set(waiting.job.job, { ...waiting, lane });
      }
      if (batch.length > 0) lane.sendFiles(batch);
    }
  }

  /** What a worker is done with. */
  saved(files: readonly SavedFile[]): void {
    for (const saved of files) {
      const waiting = this.#saving.get(saved.job);
      if (waiting === undefined) continue;
      this.#saving.delete(saved.job);
      waiting.lane.files--;
      waiting.lane.bytes -= bytesOf(waiting.job);
      waiting.resolve(saved);
    }
    this.#dispatch();
    for (const resolve of this.#forRoom.splice(0)) resolve();
  }

  /** Fails everything that waits, and whatever comes later. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of [...this.#waiting.splice(0), ...this.#saving.values()]) reject(error);
    this.#saving.clear();
    for (const resolve of this.#forRoom.splice(0)) resolve();
  }
}

function bytesOf(file: SaveFile): number {
  return file.region?.segments.reduce((sum, segment) => sum + segment.length, 0) ?? file.sizeBytes;
}
