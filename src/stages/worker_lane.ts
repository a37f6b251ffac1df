import { AxiomError } from "../base/errors.ts";
import { keepFreedMemory } from "../platform/memory.ts";
import type { FileLane } from "./file_queue.ts";
import { type StageHost, StageLink } from "./stage_link.ts";
import type { FromWorker, SaveFile, ToWorker } from "./worker_protocol.ts";

/** What the pool needs of a worker. */
export interface DataPathWorker {
  postMessage(message: ToWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  terminate(): void;
}

export function startWorker(): DataPathWorker {
  keepFreedMemory();
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "data-path" });
}

/** A worker with what it has to do. */
export class WorkerLane implements FileLane {
  files = 0;
  bytes = 0;
  loads = 0;
  readonly link: StageLink | undefined;

  /** @param stages Offered to it from now on */
  constructor(readonly worker: DataPathWorker, stages: StageHost | undefined) {
    this.link = stages && new StageLink(stages, (message, transfer) => this.post(message, transfer));
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  sendFiles(files: SaveFile[]): void {
    this.post({ type: "save", files });
  }

  close(): void {
    this.worker.terminate();
    this.link?.close();
  }
}

/** What a worker said of its end, as it was there. */
export function workerFailure(message: Extract<FromWorker, { type: "failed" }>): unknown {
  if (message.report !== undefined) {
    return new AxiomError(message.report.kind, message.report.message, { hint: message.report.hint });
  }
  const error = new Error(message.message);
  error.stack = message.stack;
  return error;
}
