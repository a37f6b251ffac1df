import { free, MIB } from "../base/bytes.ts";
import { AxiomError, messageOf, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { FileSystem } from "../platform/file_system.ts";
import type { DedupSegment } from "./dedup_table.ts";
import { FrameSealer } from "./frame_sealer.ts";
import { LiveStages } from "./live_stages.ts";
import type { StageRegistry } from "./registry.ts";
import { RestoreLane } from "./restore_lane.ts";
import { SaveLane } from "./save_lane.ts";
import type {
  FrameGrant,
  FrameRequest,
  FromWorker,
  SavedFile,
  SaveFile,
  SealedFrame,
  ToWorker,
} from "./worker_protocol.ts";

/** Sends a message to the owner of the packs; what is in `transfer` must not be used afterwards. */
export type PostToOwner = (message: FromWorker, transfer: Transferable[]) => void;

/** What a data-path worker does with the messages that it gets: it reads files and computes; it never sees the store. */
export class DataPath {
  readonly #post: PostToOwner;
  readonly #files: FileSystem;
  readonly #sealer: FrameSealer;
  readonly #restore: RestoreLane;
  readonly #stages: LiveStages;
  readonly #grants = new Map<number, (grant: FrameGrant) => void>();
  #save: SaveLane | undefined;
  /** Came before there was a table to attach them to. */
  readonly #earlySegments: DedupSegment[] = [];
  #requests = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(files: FileSystem, registry: StageRegistry, post: PostToOwner) {
    this.#post = post;
    this.#files = files;
    this.#stages = new LiveStages(registry, post);
    this.#sealer = new FrameSealer(this.#stages, (request) => this.#requestPlace(request));
    this.#restore = new RestoreLane(files, this.#stages);
  }

  /** Messages are handled one after another, except answers, which what is being handled may wait for. */
  receive(message: ToWorker): void {
    if (message.type === "grant") {
      this.#grants.get(message.number)?.(message.grant);
      this.#grants.delete(message.number);
    } else if (message.type === "stages") {
      this.#stages.become(message.version, message.offers);
    } else if (message.type === "stage_answer") {
      this.#stages.answer(message.number, message);
    } else if (message.type === "segment") {
      if (this.#save === undefined) this.#earlySegments.push(message.segment);
      else this.#save.dedup.attachSegment(message.segment);
    } else {
      this.#queue = this.#queue.then(() => this.#handle(message)).catch((error) => this.#fail(error));
    }
  }

  async #handle(message: Exclude<ToWorker, { type: "grant" | "segment" | "stages" | "stage_answer" }>): Promise<void> {
    switch (message.type) {
      case "save_settings":
        this.#save = await SaveLane.create(
          this.#files,
          this.#sealer,
          message.settings,
          (frame) => this.#deliver(frame),
        );
        for (const segment of this.#earlySegments.splice(0)) this.#save.dedup.attachSegment(segment);
        return;
      case "save":
        return await this.#saveBatch(message.files);
      case "frame":
        this.#sealer.seal(message.frame)
          .then((frame) => this.#deliver(frame, message.job))
          .catch((error) => this.#fail(error))
          .finally(() => free(message.frame.plain));
        return;
      case "flush":
        await this.#save!.flush();
        return this.#post({ type: "flushed" }, []);
      case "restore_settings":
        return this.#restore.configure(message.settings);
      case "release":
        this.#restore.close();
        return this.#post({ type: "released" }, []);
      case "load": {
        const result = await this.#restore.load(message.frame, message.task);
        return this.#post({ type: "loaded", job: message.job, result }, []);
      }
      case "compare":
        return this.#post({ type: "compared", job: message.job, result: this.#restore.compare(message.file) }, []);
    }
  }

  #requestPlace(request: FrameRequest): Promise<FrameGrant> {
    const number = this.#requests++;
    const answer = new Promise<FrameGrant>((resolve) => this.#grants.set(number, resolve));
    this.#post({ type: "request", number, request }, []);
    return answer;
  }

  #deliver(frame: SealedFrame, job?: number): void {
    this.#post({ type: "sealed", frame, job }, [frame.sealed.buffer]);
  }

  /** One answer for many small files: a message costs more than such a file. */
  async #saveBatch(batch: SaveFile[]): Promise<void> {
    let done: SavedFile[] = [];
    const deliver = () => {
      if (done.length > 0) this.#post({ type: "saved", files: done }, []);
      done = [];
    };
    for (const file of batch) {
      done.push(await this.#save!.save(file));
      if (done.length >= LIMITS.batchFilesMax / 2 || file.sizeBytes >= MIB) deliver();
    }
    deliver();
  }

  #fail(error: unknown): void {
    const report = error instanceof AxiomError ? reportError(error) : undefined;
    const stack = error instanceof Error ? error.stack : undefined;
    this.#post({ type: "failed", report, message: messageOf(error), stack }, []);
  }
}
