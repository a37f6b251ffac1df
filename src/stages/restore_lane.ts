/**
 * The part of a restore or check that a worker does: open → decompress → verify → write. A chunk is written only after its
 * id was recomputed, and a file that a frame holds whole is made only if all of its chunks are right.
 */
import { type Bytes, equalBytes, free, standsAt } from "../base/bytes.ts";
import { collectGarbage } from "../base/garbage.ts";
import { AxiomError, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import {
  type FileSystem,
  type MetadataLoss,
  type SourceFile,
  SystemError,
  type TargetFile,
  type TargetTree,
} from "../platform/file_system.ts";
import { dirtyHoleOf } from "./dirty_hole.ts";
import { openFrame } from "./frame.ts";
import { type ChunkIdentifier, chunkIdentifier } from "./identify.ts";
import { metadataAt, type PackedWrites } from "./packed_writes.ts";
import type { Stages } from "./registry.ts";
import type {
  CompareFile,
  CompareResult,
  LoadFrame,
  LoadResult,
  LoadTask,
  RestoreSettings,
  WriteFault,
  WriteOutcome,
} from "./worker_protocol.ts";

const ID_BYTES = 32;

export class RestoreLane {
  #target: TargetTree | undefined;
  #buffer: Bytes | undefined;
  #identifier: { key: Bytes; identify: ChunkIdentifier } | undefined;

  constructor(readonly files: FileSystem, readonly stages: Stages) {}

  configure(settings: RestoreSettings): void {
    this.close();
    this.#target = this.files.openTarget(settings.target);
  }

  close(): void {
    this.#target?.close();
    this.#target = undefined;
  }

  /** Damage and faults of the target are part of the result. */
  async load(frame: LoadFrame, task: LoadTask): Promise<LoadResult> {
    let plain: Bytes;
    const { registry, release } = this.stages.use();
    try {
      const codec = registry.codecForFormat(frame.codec.formatId, frame.codec.pluginId);
      const cipher = registry.cipherForFormat(frame.cipher.formatId, frame.cipher.pluginId);
      plain = await openFrame(codec, cipher, frame.place, frame.plainBytes, frame.sealed);
    } catch (error) {
      if (!(error instanceof AxiomError)) throw error;
      return { fault: reportError(error), badChunks: [], outcomes: [] };
    } finally {
      release();
    }
    const chunks = chunksOf(frame.lengths, plain);
    const bad = this.#badChunks(frame, chunks, wantedChunks(task, chunks.length));
    const outcomes = task.type === "write" ? this.#write(task.writes, chunks, bad) : [];
    free(frame.sealed);
    free(plain);
    collectGarbage();
    return { badChunks: [...bad], outcomes };
  }

  /** @param wanted By number of the chunk: 0 of those that nobody asks for */
  #badChunks(frame: LoadFrame, chunks: readonly Bytes[], wanted: Uint8Array | undefined): ReadonlySet<number> {
    const identify = this.#identifierFor(frame.idKey);
    const bad = new Set<number>();
    for (let i = 0; i < chunks.length; i++) {
      if (wanted?.[i] !== 0 && !standsAt(frame.ids, ID_BYTES * i, identify(chunks[i]))) bad.add(i);
    }
    return bad;
  }

  #identifierFor(key: Bytes): ChunkIdentifier {
    if (this.#identifier === undefined || !equalBytes(this.#identifier.key, key)) {
      this.#identifier = { key, identify: chunkIdentifier(key) };
    }
    return this.#identifier.identify;
  }

  /** Tells of the files that are not simply as they should be; not of those that need a bad chunk and were left alone. */
  #write(writes: PackedWrites, chunks: readonly Bytes[], bad: ReadonlySet<number>): WriteOutcome[] {
    const outcomes: WriteOutcome[] = [];
    for (let file = 0; file < writes.paths.length; file++) {
      if (bad.size > 0 && needsAny(bad, writes, file)) continue;
      try {
        const losses = writes.sizes[file] < 0 ? this.#change(writes, file, chunks) : this.#make(writes, file, chunks);
        if (losses.length > 0) outcomes.push({ file, losses });
      } catch (error) {
        outcomes.push({ file, fault: writeFault(error) });
      }
    }
    return outcomes;
  }

  #change(writes: PackedWrites, file: number, chunks: readonly Bytes[]): MetadataLoss[] {
    const handle = this.#target!.openFile(writes.paths[file]);
    try {
      writeParts(handle, writes, file, chunks);
      return [];
    } finally {
      handle.close();
    }
  }

  /** Nothing of it stays after a failure: it may have its final name already. */
  #make(writes: PackedWrites, file: number, chunks: readonly Bytes[]): MetadataLoss[] {
    const path = writes.paths[file], sizeBytes = writes.sizes[file];
    const handle = this.#target!.createFile(path);
    try {
      try {
        if (writeParts(handle, writes, file, chunks) !== sizeBytes) handle.truncate(sizeBytes);
        return handle.setMetadata(metadataAt(writes, file));
      } finally {
        handle.close();
      }
    } catch (error) {
      this.#discard(path);
      throw error;
    }
  }

  /** The fault that led here is the one to tell. */
  #discard(path: string): void {
    try {
      this.#target!.remove(path);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  compare(file: CompareFile): CompareResult {
    const same = new Uint8Array(file.ids.length / 32);
    const buffer = this.#buffer ??= new Uint8Array(LIMITS.framePlainBytesMax);
    try {
      const source = this.#target!.openForReading(file.path);
      try {
        this.#compareChunks(source, file, same, buffer);
        const dirtyHole = dirtyHoleOf(source, file, buffer);
        return { same, ...(dirtyHole === undefined ? {} : { dirtyHole }) };
      } finally {
        source.close();
      }
    } catch (error) {
      return { same: same.fill(0), fault: writeFault(error) };
    }
  }

  #compareChunks(source: SourceFile, { ids, places, idKey }: CompareFile, same: Bytes, buffer: Bytes): void {
    const identify = this.#identifierFor(idKey);
    for (let i = 0; i < same.length; i++) {
      const [offset, length] = places.subarray(2 * i, 2 * i + 2);
      const chunk = buffer.subarray(0, length);
      if (source.read(chunk, offset) !== length) continue;
      same[i] = equalBytes(identify(chunk), ids.subarray(32 * i, 32 * (i + 1))) ? 1 : 0;
    }
  }
}

/** Returns where the last part ends. */
function writeParts(handle: TargetFile, writes: PackedWrites, file: number, chunks: readonly Bytes[]): number {
  let end = 0;
  for (let part = writes.starts[file]; part < writes.starts[file + 1]; part++) {
    const chunk = chunks[writes.chunks[part]], offset = writes.offsets[part];
    handle.write(chunk, offset);
    end = Math.max(end, offset + chunk.length);
  }
  return end;
}

function needsAny(bad: ReadonlySet<number>, { starts, chunks }: PackedWrites, file: number): boolean {
  return chunks.subarray(starts[file], starts[file + 1]).some((chunk) => bad.has(chunk));
}

function chunksOf(lengths: Uint32Array, plain: Bytes): Bytes[] {
  let offset = 0;
  return Array.from(lengths, (length) => plain.subarray(offset, offset += length));
}

/** By number of the chunk: 1 of those that a task needs; undefined for all. */
function wantedChunks(task: LoadTask, count: number): Uint8Array | undefined {
  if (task.type === "verify") return undefined;
  const wanted = new Uint8Array(count);
  for (const chunk of task.writes.chunks) wanted[chunk] = 1;
  return wanted;
}

function writeFault(error: unknown): WriteFault {
  if (!(error instanceof SystemError)) throw error;
  return { code: error.code, message: error.message };
}
