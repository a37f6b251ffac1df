import { canonicalJson, type Json } from "../base/canonical_json.ts";
import { type AxiomError, type ErrorReport, reportError } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { displayName } from "../base/names.ts";
import type { Entry } from "../model/entry.ts";
import type { SnapshotFault } from "../model/snapshot.ts";
import type { FileStat, SystemError } from "../platform/file_system.ts";
import { sourceFault } from "../stages/source_fault.ts";
import type { SavedContent } from "./file_saver.ts";

/** More are counted, and then no one can say what is missing. */
export const FAULTS_KEPT = 1000;

/** Counts what a backup met, and tells of it. */
export class BackupTally {
  filesNew = 0;
  filesChanged = 0;
  filesUnmodified = 0;
  filesFailed = 0;
  dirsNew = 0;
  dirsChanged = 0;
  dirsUnmodified = 0;
  others = 0;
  excluded = 0;
  bytesProcessed = 0;
  bytesNew = 0;
  chunksNew = 0;
  readonly faults: SnapshotFault[] = [];
  /** What the parent has, from which progress guesses how much there will be. */
  expected: { files: number; bytes: number } | undefined;
  /** What was told last of something that could not be saved. */
  lastReport: ErrorReport | undefined;

  constructor(readonly onEvent: EventSink) {}

  get filesProcessed(): number {
    return this.filesNew + this.filesChanged + this.filesUnmodified;
  }

  get dirs(): number {
    return this.dirsNew + this.dirsChanged + this.dirsUnmodified;
  }

  unmodified(path: string, stat: FileStat): void {
    if (stat.type !== "file") {
      this.others++;
      return;
    }
    this.filesUnmodified++;
    this.bytesProcessed += stat.sizeBytes;
    this.#progress(path);
  }

  /** All of a folder but its folders. */
  matched(path: string, { files, bytes, others }: { files: number; bytes: number; others: number }): void {
    this.others += others;
    this.filesUnmodified += files;
    this.bytesProcessed += bytes;
    if (files > 0) this.#progress(path);
  }

  other(): void {
    this.others++;
  }

  folder(isKnown: boolean, isParents: boolean): void {
    if (isParents) this.dirsUnmodified++;
    else if (!isKnown) this.dirsNew++;
    else this.dirsChanged++;
  }

  saved(path: string, last: Entry | undefined, content: SavedContent, stat: FileStat): void {
    this.chunksNew += content.chunksNew;
    this.bytesNew += content.bytesNew;
    if (content.fault !== undefined) return this.report(path, content.fault);
    if (content.xattrFault !== undefined) this.report(path, content.xattrFault);
    if (last === undefined) this.filesNew++;
    else if (isSameContent(last, content)) this.filesUnmodified++;
    else this.filesChanged++;
    this.bytesProcessed += (content.stat ?? stat).sizeBytes;
    if (content.changed) {
      const message = `${displayName(path)} kept changing while it was read; what was saved is of no single moment`;
      this.onEvent({ type: "warning", code: "source_changed", message, path });
    }
    this.#progress(path);
  }

  /** A part of a file that is not done. */
  reading(path: string, sizeBytes: number): void {
    const { filesProcessed: filesDone, bytesProcessed } = this;
    const bytesDone = bytesProcessed + sizeBytes;
    const totals = this.expected === undefined ? {} : {
      filesTotal: Math.max(this.expected.files, filesDone),
      bytesTotal: Math.max(this.expected.bytes, bytesDone),
    };
    this.onEvent({ type: "progress", operation: "backup", filesDone, bytesDone, ...totals, current: path });
  }

  missingSource(path: string, error: SystemError): void {
    const message = `Cannot back up ${displayName(path)}: ${
      error.code === "ENOENT" ? "no such file or folder" : error.message
    }`;
    this.report(path, { kind: "source_missing", message });
  }

  /** What was named in a list. */
  lostSource(error: AxiomError): void {
    this.filesFailed++;
    if (this.faults.length < FAULTS_KEPT) this.faults.push({ path: "", reason: error.message });
    this.onEvent({ type: "error", error: reportError(error) });
  }

  fault(path: string, error: SystemError): void {
    this.report(path, reportError(sourceFault(path, error)));
  }

  report(path: string, error: ErrorReport): void {
    this.filesFailed++;
    this.lastReport = error;
    if (this.faults.length < FAULTS_KEPT) this.faults.push({ path, reason: error.message });
    this.onEvent({ type: "error", error, path });
  }

  #progress(path: string): void {
    this.reading(path, 0);
  }
}

export function isSameContent(last: Entry, { content }: Pick<SavedContent, "content">): boolean {
  return canonicalJson((last.content ?? null) as Json) === canonicalJson((content ?? null) as Json);
}
