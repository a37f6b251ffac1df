/**
 * The part of a restore or check that a worker does: open → decompress → verify → write. A chunk is written only after its
 * id was recomputed, and a file that a frame holds whole is made only if all of its chunks are right.
 */
import { type Bytes, equalBytes, free } from "../base/bytes.ts";
import { AxiomError, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import {
  type FileSystem,
  type SourceFile,
  SystemError,
  type TargetFile,
  type TargetTree,
} from "../platform/file_system.ts";
import { dirtyHoleOf } from "./dirty_hole.ts";
import { openFrame } from "./frame.ts";
import { forEachChunk } from "./frame_builder.ts";
import { type ChunkIdentifier, chunkIdentifier } from "./identify.ts";
import type { StageRegistry } from "./registry.ts";
import type {
  CompareFile,
  CompareResult,
  FrameWrite,
  LoadFrame,
  LoadResult,
  LoadTask,
  RestoreSettings,
  WriteFault,
  WriteOutcome,
} from "./worker_protocol.ts";

export class RestoreLane {
  #target: TargetTree | undefined;
  #buffer: Bytes | undefined;
  #identifier: { key: Bytes; identify: ChunkIdentifier } | undefined;

  constructor(readonly files: FileSystem, readonly registry: StageRegistry) {}

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
    try {
      const codec = this.registry.codecForFormat(frame.codec.formatId, frame.codec.pluginId);
      const cipher = this.registry.cipherForFormat(frame.cipher.formatId, frame.cipher.pluginId);
      plain = await openFrame(codec, cipher, frame.place, frame.plainBytes, frame.sealed);
    } catch (error) {
      if (!(error instanceof AxiomError)) throw error;
      return { fault: reportError(error), badChunks: [], outcomes: [] };
    }
    const chunks: Uint8Array[] = [];
    const bad = new Set<number>();
    const identify = this.#identifierFor(frame.idKey);
    const wanted = wantedChunks(task);
    forEachChunk({ ...frame, plain }, (id, chunk, number) => {
      chunks.push(chunk);
      if (wanted?.has(number) !== false && !equalBytes(identify(chunk), id)) bad.add(number);
    });
    const outcomes = task.type === "write" ? task.writes.flatMap((write) => this.#write(write, chunks, bad)) : [];
    free(frame.sealed);
    free(plain);
    return { badChunks: [...bad], outcomes };
  }

  #identifierFor(key: Bytes): ChunkIdentifier {
    if (this.#identifier === undefined || !equalBytes(this.#identifier.key, key)) {
      this.#identifier = { key, identify: chunkIdentifier(key) };
    }
    return this.#identifier.identify;
  }

  #write(write: FrameWrite, chunks: readonly Uint8Array[], bad: ReadonlySet<number>): WriteOutcome[] {
    for (let i = 0; i < write.parts.length; i += 2) if (bad.has(write.parts[i])) return [];
    try {
      return [write.whole === undefined ? this.#change(write, chunks) : this.#make(write, write.whole, chunks)];
    } catch (error) {
      return [{ file: write.file, bytes: 0, fault: writeFault(error) }];
    }
  }

  #change({ file, path, parts }: FrameWrite, chunks: readonly Uint8Array[]): WriteOutcome {
    const handle = this.#target!.openFile(path);
    try {
      return { file, bytes: writeParts(handle, parts, chunks).bytes };
    } finally {
      handle.close();
    }
  }

  /** Nothing of it stays after a failure: it may have its final name already. */
  #make(
    { file, path, parts }: FrameWrite,
    whole: NonNullable<FrameWrite["whole"]>,
    chunks: readonly Uint8Array[],
  ): WriteOutcome {
    const handle = this.#target!.createFile(path);
    try {
      try {
        const { bytes, end } = writeParts(handle, parts, chunks);
        if (end !== whole.sizeBytes) handle.truncate(whole.sizeBytes);
        const losses = handle.setMetadata(whole.metadata);
        return { file, bytes, ...(losses.length > 0 ? { losses } : {}) };
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

function writeParts(file: TargetFile, parts: readonly number[], chunks: readonly Uint8Array[]) {
  let bytes = 0, end = 0;
  for (let i = 0; i < parts.length; i += 2) {
    const chunk = chunks[parts[i]] as Bytes;
    file.write(chunk, parts[i + 1]);
    bytes += chunk.length;
    end = Math.max(end, parts[i + 1] + chunk.length);
  }
  return { bytes, end };
}

/** Numbers of the chunks that a task needs; undefined for all. */
function wantedChunks(task: LoadTask): ReadonlySet<number> | undefined {
  if (task.type === "verify") return undefined;
  const wanted = new Set<number>();
  for (const { parts } of task.writes) for (let i = 0; i < parts.length; i += 2) wanted.add(parts[i]);
  return wanted;
}

function writeFault(error: unknown): WriteFault {
  if (!(error instanceof SystemError)) throw error;
  return { code: error.code, message: error.message };
}
