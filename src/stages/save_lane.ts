/**
 * The part of a backup that a worker does: read → chunk → identify → known? → frame → compress → seal → decode again and
 * compare. Nothing leaves a lane before it was decoded from the sealed bytes, and each chunk of it compared.
 */
import { type Bytes, free } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { FileStat, FileSystem, SourceFile } from "../platform/file_system.ts";
import { SystemError } from "../platform/file_system.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import { Cutter } from "./chunk.ts";
import { DedupTable } from "./dedup_table.ts";
import { deriveGear } from "./gear.ts";
import { chooseChunker } from "./choose_chunker.ts";
import { FileRecord } from "./file_record.ts";
import { FrameBuilder } from "./frame_builder.ts";
import type { FrameSealer } from "./frame_sealer.ts";
import { chunkIdentifier } from "./identify.ts";
import { sourceFault } from "./source_fault.ts";
import type { FrameStyle, SavedFile, SaveFile, SaveSettings, SealedFrame } from "./worker_protocol.ts";

type Identify = (chunk: Uint8Array) => Bytes;

/** What a file should still be once it was read. */
type Expected = Pick<FileStat, "sizeBytes" | "mtimeNs" | "ctimeNs">;

const READ_TRIES = 3;
const SPARE_MAX = 2;
/** Least that is read at a time while the rest of the window holds an unfinished chunk. */
const READ_BYTES = 1024 * 1024;

export class SaveLane {
  readonly #files: FileSystem;
  readonly #sealer: FrameSealer;
  readonly #deliver: (frame: SealedFrame) => void;
  readonly #settings: SaveSettings;
  readonly #dedup: DedupTable;
  readonly #identify: { data: Identify; plain: Identify };
  readonly #gear: { data: Uint32Array; plain: Uint32Array };
  readonly #open = new Map<string, FrameBuilder>();
  /** Buffers of frames that are sealed: memory that is used again is not mapped and cleared again. */
  readonly #spare: Bytes[] = [];
  readonly #sealing = new Semaphore(LIMITS.framesPerWorkerMax);
  readonly #window: Bytes = new Uint8Array(LIMITS.framePlainBytesMax + READ_BYTES);
  #failure: unknown;

  static async create(
    files: FileSystem,
    sealer: FrameSealer,
    settings: SaveSettings,
    deliver: (frame: SealedFrame) => void,
  ): Promise<SaveLane> {
    const { data, plain } = settings.chunkerKeys;
    return new SaveLane(files, sealer, settings, deliver, {
      data: await deriveGear(data),
      plain: await deriveGear(plain),
    });
  }

  private constructor(
    files: FileSystem,
    sealer: FrameSealer,
    settings: SaveSettings,
    deliver: (frame: SealedFrame) => void,
    gear: { data: Uint32Array; plain: Uint32Array },
  ) {
    this.#files = files;
    this.#sealer = sealer;
    this.#deliver = deliver;
    this.#settings = settings;
    this.#dedup = DedupTable.attach(settings.dedup);
    this.#identify = { data: chunkIdentifier(settings.idKeys.data), plain: chunkIdentifier(settings.idKeys.plain) };
    this.#gear = gear;
  }

  get dedup(): DedupTable {
    return this.#dedup;
  }

  /** Saves a file, or one region, of which only its owner can judge whether to read it all again; a fault of the source is part of the result, any other failure is thrown. */
  async save(file: SaveFile): Promise<SavedFile> {
    let expected: Expected = file;
    for (let tries = 1;; tries++) {
      const record = new FileRecord(file.job);
      const after = await this.#saveOnce(file, expected, record);
      const isDone = !record.changed || after === undefined || file.region !== undefined;
      if (isDone || tries === READ_TRIES) return record.result();
      expected = after;
    }
  }

  /** Reads a file that should be as `expected`, and looks afterwards whether it is. */
  async #saveOnce(file: SaveFile, expected: Expected, record: FileRecord): Promise<FileStat | undefined> {
    let source: SourceFile | undefined;
    try {
      source = this.#files.openForReading(file.path);
      await this.#read(source, expected.sizeBytes, file, record);
      const after = source.stat();
      if (after.inode !== file.inode) {
        record.fault = new AxiomError("source_changed", `Cannot read ${file.path}: another file took its place`);
        return undefined;
      }
      record.changed = !isSame(expected, after);
      if (!isSame(file, after)) record.stat = after;
      if (this.#settings.xattrs && file.region?.first !== false) this.#readXattrs(file.path, record);
      return after;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      record.fault = sourceFault(file.path, error);
      return undefined;
    } finally {
      source?.close();
    }
  }

  #readXattrs(path: string, record: FileRecord): void {
    try {
      record.xattrs = this.#files.xattrs(path);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      record.xattrFault = sourceFault(path, error);
    }
  }

  async #read(source: SourceFile, sizeBytes: number, file: SaveFile, record: FileRecord): Promise<void> {
    if (file.region === undefined && sizeBytes <= this.#settings.bounds.min) {
      return await this.#readSmall(source, sizeBytes, file, record);
    }
    const { from, segments } = file.region ?? { from: 0, segments: [{ offset: 0, length: sizeBytes }] };
    record.chunker = file.chunker ?? chooseChunker(source, file.path, sizeBytes, file.chunkerRule, file.lastChunker);
    let end = from;
    for (const segment of segments) {
      if (segment.offset > end) record.hole(segment.offset - end);
      end = segment.offset + segment.length;
      const position = await this.#readSegment(source, segment, file, record);
      // What follows keeps its place though the file got shorter meanwhile.
      if (position < end && file.region !== undefined) record.hole(end - position);
    }
  }

  /** One chunk, read straight into its frame. */
  async #readSmall(source: SourceFile, sizeBytes: number, file: SaveFile, record: FileRecord): Promise<void> {
    if (sizeBytes === 0) return;
    const frame = await this.#frameFor(file.style, sizeBytes);
    const chunk = frame.room().subarray(0, sizeBytes);
    const length = source.read(chunk, 0);
    if (length === 0) return;
    const read = length === sizeBytes ? chunk : chunk.subarray(0, length);
    const id = this.#identifierOf(file.style)(read);
    const isNew = this.#dedup.claim(id);
    if (isNew) frame.keep(id, length);
    record.chunk(id, length, isNew);
    await this.#finishIfFull(frame);
  }

  /** Returns where it ended, before the end of the segment if the file did. */
  async #readSegment(
    source: SourceFile,
    segment: { offset: number; length: number },
    file: SaveFile,
    record: FileRecord,
  ): Promise<number> {
    const kind = file.style.kind === ChunkKind.plain ? "plain" : "data";
    const cutter = new Cutter(record.chunker!, this.#settings.bounds, this.#gear[kind]);
    const identify = this.#identify[kind];
    const window = this.#window;
    const end = segment.offset + segment.length;
    let position = segment.offset;
    let filled = 0;
    for (;;) {
      const wanted = Math.min(window.length - filled, end - position);
      const length = wanted === 0 ? 0 : source.read(window.subarray(filled, filled + wanted), position);
      filled += length;
      position += length;
      const last = length < wanted || position === end;
      let used = 0;
      for (
        let cut = cutter.next(window, used, filled, last);
        cut > used;
        cut = cutter.next(window, used, filled, last)
      ) {
        const chunk = window.subarray(used, cut);
        const id = identify(chunk);
        const isNew = this.#dedup.claim(id);
        if (isNew) await this.#append(file.style, id, chunk);
        record.chunk(id, chunk.length, isNew);
        used = cut;
      }
      window.copyWithin(0, used, filled);
      filled -= used;
      if (last) return position;
    }
  }

  #identifierOf(style: FrameStyle): Identify {
    return style.kind === ChunkKind.plain ? this.#identify.plain : this.#identify.data;
  }

  async #append(style: FrameStyle, id: Uint8Array, chunk: Uint8Array): Promise<void> {
    const frame = await this.#frameFor(style, chunk.length);
    frame.append(id, chunk);
    await this.#finishIfFull(frame);
  }

  /** The open frame of a style, with room for `bytes` more. */
  async #frameFor(style: FrameStyle, bytes: number): Promise<FrameBuilder> {
    const key = styleKey(style);
    let frame = this.#open.get(key);
    if (frame !== undefined && !frame.hasRoom(bytes)) {
      await this.#finish(frame);
      frame = undefined;
    }
    if (frame === undefined) {
      if (this.#open.size >= LIMITS.openFramesMax) await this.#finish(this.#open.values().next().value!);
      frame = new FrameBuilder(style, this.#spare.pop() ?? new Uint8Array(LIMITS.framePlainBytesMax));
    } else {
      this.#open.delete(key);
    }
    this.#open.set(key, frame);
    return frame;
  }

  async #finishIfFull(frame: FrameBuilder): Promise<void> {
    if (frame.plainBytes >= this.#settings.frameTargetBytes) await this.#finish(frame);
  }

  /** Starts sealing; waits only while as many frames as allowed are being sealed. */
  async #finish(builder: FrameBuilder): Promise<void> {
    this.#open.delete(styleKey(builder.style));
    if (builder.chunkCount === 0) return void this.#spare.push(builder.buffer);
    const frame = builder.finish();
    const release = await this.#sealing.acquire();
    if (this.#failure !== undefined) throw this.#failure;
    this.#sealer.seal(frame)
      .then(this.#deliver)
      .catch((error) => this.#failure ??= error)
      .finally(() => {
        if (this.#spare.length < SPARE_MAX) this.#spare.push(builder.buffer);
        else free(builder.buffer);
        release();
      });
  }

  /** Seals what is open and waits until all of it has left. */
  async flush(): Promise<void> {
    for (const frame of [...this.#open.values()]) await this.#finish(frame);
    const release = await this.#sealing.acquire(undefined, LIMITS.framesPerWorkerMax);
    release();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function styleKey(style: FrameStyle): string {
  return `${style.kind} ${style.owner} ${style.codec} ${style.level} ${style.cipher}`;
}

function isSame(a: Expected, b: Expected): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
}
