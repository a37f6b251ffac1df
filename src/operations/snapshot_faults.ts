import type { EventSink } from "../base/events.ts";
import type { Snapshot, SnapshotFault } from "../model/snapshot.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { absolutePath } from "./listed_entry.ts";

/** How many files and folders a snapshot lacks, or has as they were before, because they could not be saved. */
export function faultCount({ statistics, faults = [] }: Snapshot): number {
  return Math.max(statistics.files_failed, faults.length);
}

/** Those at `path` and below it that the snapshot names, which are not all where there are very many. */
export function faultsBelow({ faults = [] }: Snapshot, path?: string): SnapshotFault[] {
  const top = absolutePath(path);
  if (top === "/") return faults;
  return faults.filter((fault) => fault.path === top || fault.path.startsWith(`${top}/`));
}

/** Whoever reads what is not complete has to know, also long after the backup that said so. */
export function warnOfFaults({ id, snapshot }: StoredSnapshot, path: string | undefined, onEvent: EventSink): void {
  const all = faultCount(snapshot);
  const below = faultsBelow(snapshot, path).length;
  const count = all > (snapshot.faults?.length ?? 0) ? all : below;
  if (count === 0) return;
  const short = id.slice(0, 8);
  const what = count === 1 ? "1 file or folder" : `${count} files or folders`;
  const message = `The snapshot ${short} is not complete: ${what} could not be saved when it was made; ` +
    `\`axiom ls --faults ${short}\` lists them`;
  onEvent({ type: "warning", code: "snapshot_incomplete", message });
}
