import type { ErrorReport } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import { type MetadataLoss, SystemError } from "../platform/file_system.ts";

/** Counts what a restore did, and tells of it; losses of one sort are told once, with their number at the end. */
export class RestoreTally {
  filesTotal = 0;
  bytesTotal = 0;
  filesRestored = 0;
  filesUnchanged = 0;
  filesSkipped = 0;
  filesDeleted = 0;
  filesFailed = 0;
  foldersRestored = 0;
  othersRestored = 0;
  bytesRestored = 0;
  bytesWritten = 0;
  /** True if something of the repository was damaged, rather than of the target. */
  damaged = false;
  readonly #losses = new Map<string, { first: string; count: number }>();
  /** Paths that are not as the snapshot has them, as was told, with what of them is not; kept for a later comparison. */
  readonly #known: Map<string, Set<string>> | undefined;

  constructor(readonly onEvent: EventSink, keepsKnown = false) {
    if (keepsKnown) this.#known = new Map();
  }

  /** Whether it was told that `what` of a path, such as `all` or `owner`, is not as the snapshot has it. */
  isKnown(path: string, what: string): boolean {
    const known = this.#known?.get(path);
    return known !== undefined && (known.has("all") || known.has(what));
  }

  #know(path: string, what: string): void {
    const known = this.#known?.get(path);
    if (known === undefined) this.#known?.set(path, new Set([what]));
    else known.add(what);
  }

  skipped(path: string): void {
    this.filesSkipped++;
    this.#know(path, "all");
  }

  restored(path: string, sizeBytes: number): void {
    this.filesRestored++;
    this.bytesRestored += sizeBytes;
    this.progress(path);
  }

  unchanged(path: string, sizeBytes: number): void {
    this.filesUnchanged++;
    this.bytesRestored += sizeBytes;
    this.progress(path);
  }

  progress(path: string): void {
    this.onEvent({
      type: "progress",
      operation: "restore",
      filesDone: this.filesRestored + this.filesUnchanged + this.filesSkipped,
      filesTotal: this.filesTotal,
      bytesDone: this.bytesRestored,
      bytesTotal: this.bytesTotal,
      current: path,
    });
  }

  /** @param what `metadata` of a folder whose content is as the snapshot has it, as far as nothing else is told */
  fault(path: string, error: ErrorReport | SystemError, what: "all" | "metadata" = "all"): void {
    this.filesFailed++;
    this.#know(path, what);
    const report = error instanceof SystemError ? targetFault(path, error) : error;
    if (report.kind === "data_damaged" || report.kind === "object_missing") this.damaged = true;
    this.onEvent({ type: "error", error: report, path });
  }

  losses(path: string, losses: readonly MetadataLoss[]): void {
    for (const { what, code, detail } of losses) {
      this.#know(path, what);
      const key = `${what} ${code}`;
      const known = this.#losses.get(key);
      if (known !== undefined) known.count++;
      else {
        this.#losses.set(key, { first: path, count: 1 });
        const message = `Cannot set the ${what} of ${
          displayName(path)
        }: ${code} (${detail}); further files of this sort are only counted`;
        this.onEvent({ type: "warning", code: `lost_${what}`, message, path });
      }
    }
  }

  get lossCount(): number {
    return [...this.#losses.values()].reduce((sum, { count }) => sum + count, 0);
  }
}

function targetFault(path: string, error: SystemError): ErrorReport {
  const kind = "target_unwritable", cannot = `Cannot restore ${displayName(path)}`;
  if (error.code !== "ENOTEMPTY") return { kind, message: `${cannot}: ${error.message}` };
  const hint = "Move it away, or give --delete, which removes it if everything in it was selected";
  return { kind, message: `${cannot}: a folder that is not empty stands there`, hint };
}
