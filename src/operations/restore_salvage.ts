import { type AxiomError, isKind } from "../base/errors.ts";
import { type Bytes, fromHex } from "../base/bytes.ts";
import type { ChunkKind } from "../model/chunk.ts";
import { SystemError } from "../platform/file_system.ts";
import type { ChunkReader } from "../repository/chunk_reader.ts";
import type { IndexView } from "../repository/index_view.ts";
import type { Repository } from "../repository/repository.ts";
import { isDamage } from "./damage.ts";
import type { RestoreFile } from "./restore_file.ts";
import type { FrameUse } from "./restore_plan.ts";
import type { RestoreTally } from "./restore_tally.ts";
import type { RestoreWriter } from "./restore_writer.ts";

/** Reads chunks whose frame is lost from wherever else they are. */
export class RestoreSalvage {
  readonly #reader: ChunkReader;
  /** Of the index as it became meanwhile. */
  #later: Promise<ChunkReader> | undefined;

  constructor(
    readonly repository: Repository,
    view: IndexView,
    readonly writer: RestoreWriter,
    readonly tally: RestoreTally,
    readonly signal?: AbortSignal,
  ) {
    this.#reader = repository.chunks(view, signal);
  }

  /** @param why The chunk's frame is lost */
  async bringBack({ owner, chunk }: FrameUse<RestoreFile>, why: AxiomError): Promise<void> {
    if (owner.failed) return;
    let bytes: Bytes, part: string;
    try {
      part = await owner.parts.of(owner.path);
      bytes = await this.#readAnywhere(fromHex(chunk.id), owner.layout.kind);
    } catch (error) {
      if (!isDamage(error)) throw error;
      return this.writer.lost(owner, chunk, why, error);
    }
    try {
      this.writer.write(owner, chunk.offset, bytes, part);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return this.writer.failed(owner, { code: error.code, message: error.message });
    }
    owner.missing--;
    owner.bytesWritten += bytes.length;
    this.tally.bytesWritten += bytes.length;
    if (owner.missing === 0) this.writer.complete(owner);
  }

  /** A pack that is gone may have been copied by another client since the index was read: it is read again, once. */
  async #readAnywhere(id: Bytes, kind: ChunkKind): Promise<Bytes> {
    try {
      return await this.#reader.read(id, kind);
    } catch (error) {
      if (!isKind(error, "object_missing")) throw error;
    }
    this.#later ??= this.repository.loadIndex(this.signal).then((view) => this.repository.chunks(view, this.signal));
    return await (await this.#later).read(id, kind);
  }
}
