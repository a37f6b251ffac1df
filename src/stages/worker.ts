/** Entry of a data-path worker: one per core, owned by a `WorkerPool`. It reads files and computes; it never sees the store. */
import { free, MIB } from "../base/bytes.ts";
import { AxiomError, messageOf, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { FrameSealer } from "./frame_sealer.ts";
import { chunkIdentifier } from "./identify.ts";
import { RestoreLane } from "./restore_lane.ts";
import { builtInStages } from "./registry.ts";
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

const scope = self as unknown as {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

function post(message: FromWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}

const grants = new Map<number, (grant: FrameGrant) => void>();
let requests = 0;

function requestPlace(request: FrameRequest): Promise<FrameGrant> {
  const number = requests++;
  const answer = new Promise<FrameGrant>((resolve) => grants.set(number, resolve));
  post({ type: "request", number, request });
  return answer;
}

const registry = builtInStages();
const files = openFileSystem();
const sealer = new FrameSealer(registry, requestPlace);
const restore = new RestoreLane(files, registry);
let save: SaveLane | undefined;

function deliver(frame: SealedFrame, job?: number): void {
  post({ type: "sealed", frame, job }, [frame.sealed.buffer]);
}

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case "save_settings":
      save = await SaveLane.create(files, sealer, message.settings, deliver);
      return;
    case "save":
      return await saveBatch(message.files);
    case "frame":
      sealer.seal(message.frame, chunkIdentifier(message.idKey))
        .then((frame) => deliver(frame, message.job))
        .catch(fail)
        .finally(() => free(message.frame.plain));
      return;
    case "flush":
      await save!.flush();
      post({ type: "flushed" });
      return;
    case "restore_settings":
      restore.configure(message.settings);
      return;
    case "load":
      post({ type: "loaded", job: message.job, result: await restore.load(message.frame, message.task) });
      return;
    case "compare":
      post({ type: "compared", job: message.job, result: restore.compare(message.file) });
      return;
  }
}

/** One answer for many small files: a message costs more than such a file. */
async function saveBatch(batch: SaveFile[]): Promise<void> {
  let done: SavedFile[] = [];
  const deliver = () => {
    if (done.length > 0) {
      post({ type: "saved", files: done }, done.flatMap(({ ids, lengths }) => [ids.buffer, lengths.buffer]));
    }
    done = [];
  };
  for (const file of batch) {
    done.push(await save!.save(file));
    if (done.length >= LIMITS.batchFilesMax / 2 || file.sizeBytes >= MIB) deliver();
  }
  deliver();
}

let queue: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }) => {
  if (data.type === "grant") {
    grants.get(data.number)?.(data.grant);
    grants.delete(data.number);
  } else if (data.type === "segment") {
    save?.dedup.attachSegment(data.segment);
  } else {
    queue = queue.then(() => handle(data)).catch(fail);
  }
};

function fail(error: unknown): void {
  const report = error instanceof AxiomError ? reportError(error) : undefined;
  post({ type: "failed", report, message: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
}

post({ type: "ready" });
