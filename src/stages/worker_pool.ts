import { AxiomError } from "../base/errors.ts";
import { collectGarbage } from "../base/garbage.ts";
import { LIMITS } from "../base/limits.ts";
import { releaseFreeMemory } from "../platform/memory.ts";
import type { DedupSegment } from "./dedup_table.ts";
import { FileQueue } from "./file_queue.ts";
import type { PlainFrame } from "./frame_builder.ts";
import { OpenRequests } from "./open_requests.ts";
import type { StageHost } from "./stage_link.ts";
import { type DataPathWorker, startWorker, workerFailure, WorkerLane } from "./worker_lane.ts";
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

/** Who owns the packs: gives places to frames and takes what was sealed. */
export interface FrameSink {
  /** May wait, which is how a slow store holds up the workers. */
  grant(request: FrameRequest): Promise<FrameGrant>;
  accept(frame: SealedFrame): Promise<void>;
}

/**
 * One data-path worker per core. Files wait here until a worker has less than two batches; `saveFile` holds its caller
 * back once `LIMITS.filesInFlightMax` wait. The first failure of a worker, or of the sink, fails everything that waits.
 */
export class WorkerPool {
  /** Started when work comes: a backup of nothing new needs none, and one frame needs one. */
  readonly #lanes: WorkerLane[] = [];
  /** What every worker is told before anything else. */
  readonly #settings: ToWorker[] = [];
  readonly #files = new FileQueue(() => this.#started());
  readonly #loading = new OpenRequests<LoadFrame, LoadResult>();
  readonly #comparing = new OpenRequests<CompareFile, CompareResult>();
  readonly #sealing = new OpenRequests<undefined, void>();
  readonly #flushes: (() => void)[] = [];
  readonly #releases: (() => void)[] = [];
  #sink: FrameSink | undefined;
  #sinkWork = new Set<Promise<void>>();
  #failure: unknown;
  #failed: (error: unknown) => void = () => {};
  #handledBytes = 0;
  #nextLane = 0;
  /** Rejects with the first failure. */
  readonly broken: Promise<never>;

  /** @param stages Offers stages that are not built in */
  constructor(
    readonly size: number,
    readonly start: () => DataPathWorker = startWorker,
    readonly stages?: StageHost,
  ) {
    this.broken = new Promise((_, reject) => this.#failed = reject);
    this.broken.catch(() => {});
  }

  /**
   * For whoever is sure to need workers, and has something to do while they come up.
   *
   * @param count All of them by default
   */
  prestart(count = this.size): void {
    if (this.#failure === undefined) this.#started(count);
  }

  /** @param count How many are of use */
  #started(count = this.size): readonly WorkerLane[] {
    while (this.#lanes.length < count) {
      const lane = this.#laneOf(this.start());
      for (const message of this.#settings) lane.post(message);
      this.#lanes.push(lane);
    }
    return this.#lanes;
  }

  #tellAll(message: ToWorker): void {
    this.#settings.push(message);
    for (const lane of this.#lanes) lane.post(message);
  }

  #laneOf(worker: DataPathWorker): WorkerLane {
    const lane = new WorkerLane(worker, this.stages);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(lane, data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`A data-path worker failed: ${event.message}`));
    };
    return lane;
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
    return this.#files.hasRoom;
  }

  /** Resolves once there is room for one more file. */
  room(): Promise<void> {
    return this.#files.room();
  }

  saveFile(file: Omit<SaveFile, "job">): Promise<SavedFile> {
    return this.#files.add(file);
  }

  /** Seals a frame on the next worker; resolves when the sink took it. */
  async sealFrame(frame: PlainFrame): Promise<void> {
    this.throwIfBroken();
    const lanes = this.#started(Math.min(this.#nextLane + 1, this.size));
    const lane = lanes[this.#nextLane++ % lanes.length];
    const transfer = [frame.plain.buffer, frame.ids.buffer, frame.lengths.buffer, frame.checks.buffer];
    await this.#sealing.ask(undefined, (job) => lane.post({ type: "frame", job, frame }, transfer));
  }

  /** Waits until every worker sealed what it has open and the sink took it. */
  async flush(): Promise<void> {
    this.throwIfBroken();
    const flushed = this.#lanes.map((lane) => {
      lane.post({ type: "flush" });
      return new Promise<void>((resolve) => this.#flushes.push(resolve));
    });
    await Promise.race([Promise.all(flushed), this.broken]);
    while (this.#sinkWork.size > 0) await Promise.race([Promise.all(this.#sinkWork), this.broken]);
    this.throwIfBroken();
  }

  /** Decodes a frame on the least busy worker and does `task` with its chunks. */
  async load(frame: LoadFrame, task: LoadTask): Promise<LoadResult> {
    const lane = this.#leastBusy();
    const transfer = [frame.sealed.buffer];
    return await this.#loading.ask(frame, (job) => lane.post({ type: "load", job, frame, task }, transfer));
  }

  /** Looks on the least busy worker which chunks a file of the target holds already. */
  async compare(file: CompareFile): Promise<CompareResult> {
    const lane = this.#leastBusy();
    return await this.#comparing.ask(file, (job) => lane.post({ type: "compare", job, file }));
  }

  #leastBusy(): WorkerLane {
    this.throwIfBroken();
    const lane = this.#started().reduce((best, other) => other.loads < best.loads ? other : best);
    lane.loads++;
    return lane;
  }

  #receive(lane: WorkerLane, message: FromWorker): void {
    switch (message.type) {
      case "ready":
        return;
      case "saved":
        return this.#files.saved(message.files);
      case "request":
        return this.#forSink(async (sink) => {
          const grant = await sink.grant(message.request);
          lane.post({ type: "grant", number: message.number, grant });
        });
      case "sealed":
        this.#handled(message.frame.plainBytes);
        return this.#forSink(async (sink) => {
          await sink.accept(message.frame);
          if (message.job !== undefined) this.#sealing.answer(message.job, undefined);
        });
      case "flushed":
        return this.#flushes.shift()?.();
      case "released":
        return this.#releases.shift()?.();
      case "loaded": {
        const loaded = this.#loading.answer(message.job, message.result);
        if (loaded !== undefined) this.#handled(loaded.plainBytes);
        lane.loads--;
        return;
      }
      case "compared":
        this.#comparing.answer(message.job, message.result);
        lane.loads--;
        return;
      case "stage_call":
      case "stage_refused":
      case "stages_left":
        return lane.link?.receive(message);
      case "failed":
        return this.#fail(workerFailure(message));
    }
  }

  #handled(plainBytes: number): void {
    this.#handledBytes += plainBytes;
    if (this.#handledBytes < LIMITS.bytesBetweenReleases) return;
    this.#handledBytes = 0;
    collectGarbage();
    releaseFreeMemory();
  }

  #forSink(work: (sink: FrameSink) => Promise<void>): void {
    const promise: Promise<void> = work(this.#sink!).catch((error) => this.#fail(error)).finally(() =>
      this.#sinkWork.delete(promise)
    );
    this.#sinkWork.add(promise);
  }

  /** For whoever works on without asking the pool for anything: nothing of it will be kept. */
  throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#failed(this.#failure);
    for (const waiting of [this.#files, this.#loading, this.#comparing, this.#sealing]) waiting.fail(this.#failure);
  }

  /**
   * Has the workers close the folder that they restore into: a worker that is ended closes nothing. Never throws; of workers
   * that failed something may stay open.
   */
  async releaseTarget(): Promise<void> {
    if (this.#failure !== undefined) return;
    const released = this.#lanes.map((lane) => {
      lane.post({ type: "release" });
      return new Promise<void>((resolve) => this.#releases.push(resolve));
    });
    await Promise.race([Promise.all(released), this.broken]).catch(() => {});
  }

  /** Ends the workers at once; whatever waits fails. */
  close(): void {
    for (const lane of this.#lanes) lane.close();
    this.#fail(new AxiomError("interrupted", "The workers were stopped"));
  }
}
