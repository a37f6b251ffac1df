/** Entry of a data-path worker: one per core, owned by a `WorkerPool`. */
import "../platform/quick_start.ts";
import { openFileSystem } from "../platform/open_file_system.ts";
import { DataPath } from "./data_path.ts";
import { builtInStages } from "./registry.ts";
import type { FromWorker, ToWorker } from "./worker_protocol.ts";

const scope = self as unknown as {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

const path = new DataPath(
  openFileSystem(),
  builtInStages(),
  (message, transfer) => scope.postMessage(message, transfer),
);
scope.onmessage = ({ data }) => path.receive(data);
scope.postMessage({ type: "ready" }, []);
