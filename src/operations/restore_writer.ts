import { AxiomError, DAMAGE_HINTS, reportError } from "../base/errors.ts";
import type { Bytes } from "../base/bytes.ts";
import { displayName } from "../base/names.ts";
import { SystemError, type TargetTree } from "../platform/file_system.ts";
import type { WriteFault } from "../stages/worker_protocol.ts";
import type { RestoreOptions } from "./restore.ts";
import { markFailed, type RestoreFile } from "./restore_file.ts";
import { holesOf, type PlannedChunk } from "./restore_plan.ts";
import { explained } from "./restore_names.ts";
import { dropPart } from "./restore_parts.ts";
import { RestoreRemoval } from "./restore_removal.ts";
import type { RestoreTally } from "./restore_tally.ts";
import { isFull, targetFull } from "./target_full.ts";

/** Ranges that a message names; of more it says how many. */
const RANGES_TOLD = 5;

/** What becomes of single files at the target while their content comes: written, completed, given up. */
export class RestoreWriter {
  readonly #removal: RestoreRemoval;

  constructor(readonly target: TargetTree, readonly tally: RestoreTally, options: RestoreOptions) {
    this.#removal = new RestoreRemoval(target, tally, options);
  }

  /**
   * Of a file that should have been made whole nothing exists yet; chunk by chunk it is written where nobody takes it for
   * whole. Throws `SystemError`.
   *
   * @param part Where that is
   */
  write(file: RestoreFile, offset: number, bytes: Bytes, part: string): void {
    const exists = !file.whole;
    if (!exists) file.writePath = part;
    const handle = exists ? this.target.openFile(file.writePath) : this.target.createFile(part);
    file.whole = false;
    try {
      if (!exists) handle.truncate(file.layout.sizeBytes);
      handle.write(bytes, offset);
    } finally {
      handle.close();
    }
  }

  /** All bytes are there that can be had. */
  complete(file: RestoreFile): void {
    if (file.failed) return;
    if (file.lost !== undefined) return this.#partlyRestored(file);
    try {
      if (!file.untouched) this.#finish(file);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.failed(file, { code: error.code, message: error.message });
    }
    if (file.standing) this.tally.unchanged(file.path, file.layout.sizeBytes);
    else this.tally.restored(file.path, file.layout.sizeBytes);
  }

  #finish(file: RestoreFile): void {
    const { path, writePath, layout } = file;
    const holes = file.inPlace ? [...holesOf(layout)] : [];
    if (holes.length > 0 || (file.inPlace && this.target.lstat(path)?.sizeBytes !== layout.sizeBytes)) {
      const handle = this.target.openFile(path);
      try {
        handle.truncate(layout.sizeBytes);
        for (const { offset, length } of holes) handle.punchHole(offset, length);
      } finally {
        handle.close();
      }
    }
    if (!file.whole) this.tally.losses(path, this.target.setMetadata(writePath, file.metadata));
    if (writePath === path) return;
    if (file.fresh) return this.target.renameNew(writePath, path);
    if (this.target.lstat(path)?.type === "dir") this.#removal.makeWay(path);
    this.target.rename(writePath, path);
  }

  /** Throws `target_full`. */
  failed(file: RestoreFile, fault: WriteFault): void {
    const error = new SystemError(fault.code, "write", file.path);
    if (isFull(error)) throw targetFull(file.path, error);
    if (file.failed) return;
    markFailed(file);
    this.#dropPart(file);
    this.tally.fault(file.path, explained(this.target, file.path, error));
  }

  /** No copy of a chunk is whole. A file that is changed where it stands gets all the others. */
  lost(file: RestoreFile, chunk: PlannedChunk, why: AxiomError, cause: AxiomError): void {
    if (file.failed) return;
    if (file.inPlace) {
      (file.lost ??= []).push(chunk);
      if (--file.missing === 0) this.complete(file);
      return;
    }
    markFailed(file);
    this.#dropPart(file);
    const message = `Cannot restore ${displayName(file.path)}: ${why.message}`;
    const hint = why.hint ?? DAMAGE_HINTS.content;
    this.tally.fault(file.path, reportError(new AxiomError(why.kind, message, { hint, cause })));
  }

  #partlyRestored(file: RestoreFile): void {
    markFailed(file);
    const ranges = rangesOf(file.lost!);
    const told = ranges.slice(0, RANGES_TOLD).map(({ from, to }) => `${from}-${to - 1}`).join(", ");
    const more = ranges.length > RANGES_TOLD ? ` and ${ranges.length - RANGES_TOLD} more ranges` : "";
    const change = file.bytesWritten === 0 ? "nothing in the target was changed" : "everything else is restored";
    const message = `Cannot restore bytes ${told}${more} of ${displayName(file.path)}: ` +
      `no whole copy of them is in the repository; there the target keeps what it had, and ${change}`;
    const options = { hint: DAMAGE_HINTS.content };
    this.tally.fault(file.path, reportError(new AxiomError("data_damaged", message, options)));
  }

  #dropPart({ path, writePath }: RestoreFile): void {
    if (writePath !== path) dropPart(this.target, writePath);
  }
}

/** Chunks that follow each other become one range. */
function rangesOf(chunks: readonly PlannedChunk[]): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const { offset, length } of [...chunks].sort((a, b) => a.offset - b.offset)) {
    const last = ranges.at(-1);
    if (last?.to === offset) last.to += length;
    else ranges.push({ from: offset, to: offset + length });
  }
  return ranges;
}
