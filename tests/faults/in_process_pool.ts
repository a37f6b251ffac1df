import type { FileSystem } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { DataPath } from "../../src/stages/data_path.ts";
import { builtInStages, type StageRegistry } from "../../src/stages/registry.ts";
import type { StageHost } from "../../src/stages/stage_link.ts";
import type { DataPathWorker } from "../../src/stages/worker_lane.ts";
import { WorkerPool } from "../../src/stages/worker_pool.ts";
import type { FromWorker, ToWorker } from "../../src/stages/worker_protocol.ts";

export interface InProcessOptions {
  workers?: number;
  files?: FileSystem;
  registry?: StageRegistry;
  /** Codecs and ciphers that run elsewhere. */
  host?: StageHost;
}

/**
 * A pool whose workers run in this thread, so that tests can put file systems and codecs of their own into them. Messages
 * are cloned and transferred as between threads.
 */
export function inProcessPool({ workers = 1, files, registry, host }: InProcessOptions = {}): WorkerPool {
  const worker = () => new InProcessWorker(files ?? openFileSystem(), registry ?? builtInStages());
  return new WorkerPool(workers, worker, host);
}

class InProcessWorker implements DataPathWorker {
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly #path: DataPath;
  #ended = false;

  constructor(files: FileSystem, registry: StageRegistry) {
    this.#path = new DataPath(files, registry, (message, transfer) => this.#answer(message, transfer));
  }

  postMessage(message: ToWorker, transfer: Transferable[]): void {
    const copy = cloned(message, transfer);
    this.#later(() => this.#path.receive(copy));
  }

  terminate(): void {
    this.#ended = true;
  }

  #answer(message: FromWorker, transfer: Transferable[]): void {
    const data = cloned(message, transfer);
    this.#later(() => this.onmessage?.(new MessageEvent("message", { data })));
  }

  #later(task: () => void): void {
    queueMicrotask(() => {
      if (this.#ended) return;
      try {
        task();
      } catch (error) {
        this.onerror?.(new ErrorEvent("error", { message: String(error), error, cancelable: true }));
      }
    });
  }
}

function cloned<T>(message: T, transfer: Transferable[]): T {
  return structuredClone(message, { transfer });
}
