import { setImmediate } from "node:timers";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { releaseFreeMemory } from "../platform/memory.ts";
import type { DedupSegment } from "./dedup_table.ts";
import type { PlainFrame } from "./frame_builder.ts";
import type {
  CompareFile,
  CompareResult,
  FrameGrant,
  FrameRequest,
  FromWorker,
  LoadFrame,
  LoadResult,
  LoadTask,
  RestoreSettings,
  SavedFile,
  SaveFile,
  SaveSettings,
  SealedFrame,
  ToWorker,
} from "./worker_protocol.ts";
import type { Bytes } from "../base/bytes.ts";

/** Who owns the packs: gives places to frames and takes what was sealed. */
export interface FrameSink {
  /** May wait, which is how a slow store holds up the workers. */
  grant(request: FrameRequest): Promise<FrameGrant>;
  accept(frame: SealedFrame): Promise<void>;
}

/** What the pool needs of a worker. */
export interface DataPathWorker {
  postMessage(message: ToWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

function startWorker(): DataPathWorker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "data-path" });
}

interface Lane {
  worker: DataPathWorker;
  /** Files handed over and not yet back. */
  files: number;
  bytes: number;
  loads: number;
}

interface Waiting<Job, Result> {
  job: Job;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * One data-path worker per core. Files wait here until a worker has less than two batches; `saveFile` holds its caller
 * back once `LIMITS.filesInFlightMax` wait. The first failure of a worker, or of the sink, fails everything that waits.
 */
export class WorkerPool {
  /** Started when the first work comes: a backup of nothing new needs none. */
  #lanes: Lane[] = [];
  /** What every worker is told before anything else. */
  readonly #settings: ToWorker[] = [];
  readonly #queue: Waiting<SaveFile, SavedFile>[] = [];
  readonly #saving = new Map<number, Waiting<SaveFile, SavedFile> & { lane: Lane }>();
  readonly #loading = new Map<number, Waiting<LoadFrame, LoadResult> & { lane: Lane }>();
  readonly #comparing = new Map<number, Waiting<CompareFile, CompareResult> & { lane: Lane }>();
  readonly #sealing = new Map<number, Waiting<PlainFrame, void>>();
  readonly #room: (() => void)[] = [];
  readonly #flushes: (() => void)[] = [];
  readonly #releases: (() => void)[] = [];
  #sink: FrameSink | undefined;
  #sinkWork = new Set<Promise<void>>();
  #failure: unknown;
  #failed: (error: unknown) => void = () => {};
  #jobs = 0;
  #handledBytes = 0;
  #nextLane = 0;
  #isDispatchDue = false;
  /** Rejects with the first failure. */
  readonly broken: Promise<never>;

  constructor(readonly size: number, readonly start: () => DataPathWorker = startWorker) {
    this.broken = new Promise((_, reject) => this.#failed = reject);
    this.broken.catch(() => {});
  }

  #started(): Lane[] {
    if (this.#lanes.length === 0) {
      this.#lanes = Array.from({ length: this.size }, () => this.#laneOf(this.start()));
      for (const message of this.#settings) for (const lane of this.#lanes) this.#post(lane, message);
    }
    return this.#lanes;
  }

  #tellAll(message: ToWorker): void {
    this.#settings.push(message);
    for (const lane of this.#lanes) this.#post(lane, message);
  }

  #laneOf(worker: DataPathWorker): Lane {
    const lane: Lane = { worker, files: 0, bytes: 0, loads: 0 };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(lane, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`A data-path worker failed: ${event.message}`));
    };
    return lane;
  }

  #post(lane: Lane, message: ToWorker, transfer: Transferable[] = []): void {
    lane.worker.postMessage(message, transfer);
  }

  configureSave(settings: SaveSettings, sink: FrameSink): void {
    this.#sink = sink;
    this.#tellAll({ type: "save_settings", settings });
  }

  configureRestore(settings: RestoreSettings): void {
    this.#tellAll({ type: "restore_settings", settings });
  }

  addSegment(segment: DedupSegment): void {
    this.#tellAll({ type: "segment", segment });
  }

  /** False also where the pool is broken, of which {@linkcode room} tells. */
  get hasRoom(): boolean {
    return this.#failure === undefined && this.#queue.length + this.#saving.size < LIMITS.filesInFlightMax;
  }

  /** Resolves once there is room for one more file. */
  async room(): Promise<void> {
    while (this.#queue.length + this.#saving.size >= LIMITS.filesInFlightMax) {
      this.#throwIfBroken();
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
    this.#throwIfBroken();
  }

  saveFile(file: Omit<SaveFile, "job">): Promise<SavedFile> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#queue.push({ job: { ...file, job: this.#jobs++ }, resolve, reject });
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
    if (this.#queue.length === 0) return;
    for (const lane of this.#started()) {
      const batch: SaveFile[] = [];
      while (
        this.#queue.length > 0 && lane.files < LIMITS.batchFilesMax * LIMITS.batchesPerWorkerMax &&
        lane.bytes < LIMITS.batchBytesMax * LIMITS.batchesPerWorkerMax
      ) {
        const waiting = this.#queue.shift()!;
        batch.push(waiting.job);
        lane.files++;
        lane.bytes += bytesOf(waiting.job);
        this.#saving.set(waiting.job.job, { ...waiting, lane });
      }
      if (batch.length > 0) this.#post(lane, { type: "save", files: batch });
    }
  }

  /** Seals a frame on the next worker; resolves when the sink took it. */
  sealFrame(frame: PlainFrame, idKey: Bytes): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const lane = this.#started()[this.#nextLane++ % this.size];
      const job = this.#jobs++;
      this.#sealing.set(job, { job: frame, resolve, reject });
      this.#post(lane, { type: "frame", job, frame, idKey }, [
        frame.plain.buffer,
        frame.ids.buffer,
        frame.lengths.buffer,
      ]);
    });
  }

  /** Waits until every worker sealed what it has open and the sink took it. */
  async flush(): Promise<void> {
    this.#throwIfBroken();
    const flushed = this.#lanes.map((lane) => {
      this.#post(lane, { type: "flush" });
      return new Promise<void>((resolve) => this.#flushes.push(resolve));
    });
    await Promise.race([Promise.all(flushed), this.broken]);
    while (this.#sinkWork.size > 0) await Promise.race([Promise.all(this.#sinkWork), this.broken]);
    this.#throwIfBroken();
  }

  /** Decodes a frame on the least busy worker and does `task` with its chunks. */
  load(frame: LoadFrame, task: LoadTask): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const lane = this.#started().reduce((best, other) => other.loads < best.loads ? other : best);
      const job = this.#jobs++;
      lane.loads++;
      this.#loading.set(job, { job: frame, resolve, reject, lane });
      this.#post(lane, { type: "load", job, frame, task }, [frame.sealed.buffer]);
    });
  }

  /** Looks on the least busy worker which chunks a file of the target holds already. */
  compare(file: CompareFile): Promise<CompareResult> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const lane = this.#started().reduce((best, other) => other.loads < best.loads ? other : best);
      const job = this.#jobs++;
      lane.loads++;
      this.#comparing.set(job, { job: file, resolve, reject, lane });
      this.#post(lane, { type: "compare", job, file });
    });
  }

  #receive(lane: Lane, message: FromWorker): void {
    switch (message.type) {
      case "ready":
        return;
      case "saved":
        return this.#saved(message.files);
      case "request":
        return this.#forSink(async (sink) => {
          const grant = await sink.grant(message.request);
          this.#post(lane, { type: "grant", number: message.number, grant });
        });
      case "sealed":
        this.#handled(message.frame.plainBytes);
        return this.#forSink(async (sink) => {
          await sink.accept(message.frame);
          if (message.job !== undefined) this.#take(this.#sealing, message.job)?.resolve();
        });
      case "flushed":
        return this.#flushes.shift()?.();
      case "released":
        return this.#releases.shift()?.();
      case "loaded": {
        const waiting = this.#take(this.#loading, message.job);
        if (waiting === undefined) return;
        this.#handled(waiting.job.plainBytes);
        waiting.lane.loads--;
        return waiting.resolve(message.result);
      }
      case "compared": {
        const waiting = this.#take(this.#comparing, message.job);
        if (waiting === undefined) return;
        waiting.lane.loads--;
        return waiting.resolve(message.result);
      }
      case "failed":
        return this.#fail(workerFailure(message));
    }
  }

  #saved(files: SavedFile[]): void {
    for (const saved of files) {
      const waiting = this.#take(this.#saving, saved.job);
      if (waiting === undefined) continue;
      waiting.lane.files--;
      waiting.lane.bytes -= bytesOf(waiting.job);
      waiting.resolve(saved);
    }
    this.#dispatch();
    for (const resolve of this.#room.splice(0)) resolve();
  }

  #handled(plainBytes: number): void {
    this.#handledBytes += plainBytes;
    if (this.#handledBytes < LIMITS.bytesBetweenReleases) return;
    this.#handledBytes = 0;
    releaseFreeMemory();
  }

  #take<Value>(waiting: Map<number, Value>, job: number): Value | undefined {
    const value = waiting.get(job);
    waiting.delete(job);
    return value;
  }

  #forSink(work: (sink: FrameSink) => Promise<void>): void {
    const promise: Promise<void> = work(this.#sink!).catch((error) => this.#fail(error)).finally(() =>
      this.#sinkWork.delete(promise)
    );
    this.#sinkWork.add(promise);
  }

  #throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#failed(this.#failure);
    const waiting = [this.#saving, this.#loading, this.#comparing, this.#sealing].flatMap((map) => [...map.values()]);
    for (const { reject } of [...this.#queue.splice(0), ...waiting]) reject(this.#failure);
    for (const map of [this.#saving, this.#loading, this.#comparing, this.#sealing]) map.clear();
    for (const resolve of this.#room.splice(0)) resolve();
  }

  /**
   * Has the workers close the folder that they restore into: a worker that is ended closes nothing. Never throws; of workers
   * that failed something may stay open.
   */
  async releaseTarget(): Promise<void> {
    if (this.#failure !== undefined) return;
    const released = this.#lanes.map((lane) => {
      this.#post(lane, { type: "release" });
      return new Promise<void>((resolve) => this.#releases.push(resolve));
    });
    await Promise.race([Promise.all(released), this.broken]).catch(() => {});
  }

  /** Ends the workers at once; whatever waits fails. */
  close(): void {
    for (const lane of this.#lanes) lane.worker.terminate();
    this.#fail(new AxiomError("interrupted", "The workers were stopped"));
  }
}

function bytesOf(file: SaveFile): number {
  return file.region?.segments.reduce((sum, segment) => sum + segment.length, 0) ?? file.sizeBytes;
}

function workerFailure(message: Extract<FromWorker, { type: "failed" }>): unknown {
  if (message.report !== undefined) {
    return new AxiomError(message.report.kind, message.report.message, { hint: message.report.hint });
  }
  const error = new Error(message.message);
  error.stack = message.stack;
  return error;
}
