import { CHUNK_KIND_NAMES, type ChunkKind } from "../model/chunk.ts";
import type { PackRecord } from "../model/index_object.ts";
import type { StoredTable } from "../model/stored_frame.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import { FrameBuilder } from "../stages/frame_builder.ts";
import { type ChunkIdentifier, chunkIdentifier, verifyChunk } from "../stages/identify.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";

/** Frames on their way to packs; each is up to 4 MiB. */
const FRAMES_AT_ONCE = 4;

/** Stores chunks of packs again, in new packs of the writer: a frame for a frame, with the same codec and cipher. */
export class FrameCopier {
  readonly #identify: ChunkIdentifier[];
  readonly #sealing = new Semaphore(FRAMES_AT_ONCE);
  #failure: { error: unknown } | undefined;
  chunksCopied = 0;
  bytesCopied = 0;

  constructor(readonly writer: RepositoryWriter) {
    const { keys } = writer.repository;
    this.#identify = CHUNK_KIND_NAMES.map((kind) => chunkIdentifier(keys.chunkIdKey(kind)));
  }

  /** @param chunks Numbers of chunks of the frame, ascending; each is verified again. Throws `data_damaged`. */
  async copy(pack: PackRecord, table: StoredTable, number: number, chunks: readonly number[]): Promise<void> {
    if (chunks.length === 0) return;
    this.#throwFailure();
    const { repository, pool, signal } = this.writer;
    const frame = table.frames[number];
    const kind = frame.kind as ChunkKind;
    const release = await this.#sealing.acquire(signal);
    try {
      const plain = await repository.packs.readFrame(pack, table, number, signal);
      const copy = new FrameBuilder(this.#styleOf(table, number), new Uint8Array(plain.length));
      for (const chunk of chunks) {
        const { id, offset, length } = frame.chunks[chunk];
        const bytes = plain.subarray(offset, offset + length);
        verifyChunk(this.#identify[kind], id, bytes);
        copy.append(id, bytes);
      }
      this.chunksCopied += chunks.length;
      this.bytesCopied += copy.plainBytes;
      pool.sealFrame(copy.finish())
        .catch((error) => void (this.#failure ??= { error }))
        .finally(release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Resolves when every copy is in a pack that is durable and indexed. */
  async flush(): Promise<void> {
    (await this.#sealing.acquire(this.writer.signal, FRAMES_AT_ONCE))();
    this.#throwFailure();
    await this.writer.flush();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** In the formats that are stored, if something here writes them; frames that are not encrypted stay so. */
  #styleOf(table: StoredTable, number: number): FrameStyle {
    const { registry } = this.writer.repository.context;
    const { kind, codec, cipher } = table.frames[number];
    const { formatId: format, pluginId: writer } = table.dictionary[codec];
    const reader = registry.codecForFormat(format, writer);
    const { pluginId, levels } = registry.codecs.has(reader.pluginId) ? reader : registry.codec("compression_zstd");
    const { formatId } = table.dictionary[cipher];
    const isWritten = registry.ciphers.all.some((each) => each.formatId === formatId);
    const sealed = isWritten ? formatId : this.writer.metadata.style.cipher;
    return { kind: kind as ChunkKind, codec: pluginId, level: levels.default, cipher: sealed, owner: -1 };
  }
}
