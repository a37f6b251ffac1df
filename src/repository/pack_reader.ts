import { type Bytes, toHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_KIND_NAMES, type ChunkKind } from "../model/chunk.ts";
import type { PackRecord } from "../model/index_object.ts";
import { packKey } from "../model/object_keys.ts";
import { type PackTable, TRAILER_BYTES } from "../model/pack_table.ts";
import type { StoredFrame, StoredTable } from "../model/stored_frame.ts";
import type { Cipher } from "../stages/codec.ts";
import type { DecoderHost } from "../stages/decoder_host.ts";
import { type FramePlace, openFrame } from "../stages/frame.ts";
import { openPackTable, openTrailer } from "../stages/pack.ts";
import { plainMacCipherFormat, type StageRegistry } from "../stages/registry.ts";
import type { LoadFrame } from "../stages/worker_protocol.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { RepositoryKeys } from "./keys.ts";
import { readDecoder } from "./stored_decoders.ts";

const TABLES_KEPT = 8;
const SHA_256 = /^[0-9a-f]{64}$/;

/** Key of a frame: unencrypted ones have a MAC key of their own. */
export function frameKey(
  keys: RepositoryKeys,
  epoch: number,
  salt: Bytes,
  kind: ChunkKind,
  cipher: Pick<Cipher, "formatId" | "keyBytes">,
): Bytes {
  return cipher.formatId === plainMacCipherFormat
    ? keys.plainMacKey(epoch, salt)
    : keys.packFrameKey(epoch, salt, kind, cipher);
}

/** Reads packs: their tables, kept for a while, and single frames. */
export class PackReader {
  readonly #tables = new Map<string, Promise<StoredTable>>();

  constructor(
    readonly store: ObjectStore,
    readonly keys: RepositoryKeys,
    readonly registry: StageRegistry,
    readonly decoders?: DecoderHost,
  ) {}

  /** The table of a pack that the index describes. */
  table(pack: PackRecord, signal?: AbortSignal): Promise<StoredTable> {
    const known = this.#tables.get(pack.name);
    const table = known ?? this.readTable(pack, signal);
    this.#tables.delete(pack.name);
    this.#tables.set(pack.name, table);
    if (known === undefined) {
      table.catch(() => this.#tables.delete(pack.name));
      if (this.#tables.size > TABLES_KEPT) this.#tables.delete(this.#tables.keys().next().value!);
    }
    return table;
  }

  /** Like {@linkcode table}, as it is stored now. */
  async readTable(pack: PackRecord, signal?: AbortSignal): Promise<StoredTable> {
    const length = pack.tableBytes + TRAILER_BYTES;
    const end = await this.store.get(packKey(pack.name), { offset: pack.storedBytes - length, length }, signal);
    const trailer = openTrailer(end.slice(pack.tableBytes), pack.storedBytes, pack.name);
    if (
      trailer.epoch !== pack.epoch || toHex(trailer.salt) !== toHex(pack.salt) || trailer.tableBytes !== pack.tableBytes
    ) {
      throw new AxiomError(
        "data_damaged",
        `Cannot read the pack ${pack.name}: its trailer is not what the index says`,
        {
          hint: "Run `axiom check`, then `axiom repair index`",
        },
      );
    }
    return await this.#openTable(pack.name, pack.storedBytes, end.slice(0, pack.tableBytes), trailer);
  }

  #openTable(
    name: string,
    storedBytes: number,
    sealed: Bytes,
    trailer: ReturnType<typeof openTrailer>,
  ): Promise<StoredTable> {
    const key = this.keys.packTableKey(trailer.epoch, trailer.salt);
    return openPackTable(sealed, trailer, storedBytes, this.keys.repositoryId, key, this.registry.tableCipher, name);
  }

  /** Describes a pack that no index knows, from its own end. */
  async describe(
    name: string,
    storedBytes: number,
    signal?: AbortSignal,
  ): Promise<{ pack: PackRecord; table: StoredTable }> {
    if (storedBytes < TRAILER_BYTES || storedBytes > LIMITS.packBytesMax) {
      throw new AxiomError("data_damaged", `Cannot read the pack ${name}: it has ${storedBytes} bytes`);
    }
    const key = packKey(name);
    const last = await this.store.get(key, { offset: storedBytes - TRAILER_BYTES, length: TRAILER_BYTES }, signal);
    const trailer = openTrailer(last, storedBytes, name);
    const offset = storedBytes - TRAILER_BYTES - trailer.tableBytes;
    const sealed = await this.store.get(key, { offset, length: trailer.tableBytes }, signal);
    const table = await this.#openTable(name, storedBytes, sealed, trailer);
    const { epoch, salt, tableBytes } = trailer;
    return { pack: { name, epoch, salt, storedBytes, tableBytes, kinds: kindsOf(table) }, table };
  }

  place(pack: PackRecord, table: PackTable, number: number): FramePlace {
    const frame = table.frames[number];
    const cipher = this.#cipherOf(table, frame);
    const kind = frame.kind as ChunkKind;
    return {
      epoch: pack.epoch,
      repositoryId: this.keys.repositoryId,
      salt: pack.salt,
      kind,
      codec: frame.codec,
      cipher: frame.cipher,
      frame: number,
      key: frameKey(this.keys, pack.epoch, pack.salt, kind, cipher),
    };
  }

  #cipherOf({ dictionary }: Pick<PackTable, "dictionary">, { cipher }: { cipher: number }): Cipher {
    const { formatId, pluginId } = dictionary[cipher];
    return this.registry.cipherForFormat(formatId, pluginId);
  }

  frameOf(pack: PackRecord, table: StoredTable, number: number): StoredFrame {
    const frame = table.frames[number];
    if (frame === undefined) {
      throw new AxiomError(
        "data_damaged",
        `Cannot read frame ${number} of pack ${pack.name}: it has ${table.frames.length}`,
      );
    }
    return frame;
  }

  /**
   * Sees to it that the formats of some frames can be read, if need be by what the repository stores; to be called before
   * their bytes are used. Fails as {@linkcode DecoderHost.provide} does.
   */
  async demandDecoders(table: StoredTable, numbers: Iterable<number>, signal?: AbortSignal): Promise<void> {
    if (this.decoders === undefined) return;
    const { codecs, ciphers } = this.registry;
    if (table.dictionary.every(({ role, formatId }) => (role === "codec" ? codecs : ciphers).reads(formatId))) return;
    const frames = [...numbers].map((number) => table.frames[number]).filter((frame) => frame !== undefined);
    for (const place of new Set(frames.flatMap(({ codec, cipher }) => [codec, cipher]))) {
      const entry = table.dictionary[place];
      const { codecs, ciphers } = this.registry;
      if ((entry.role === "codec" ? codecs : ciphers).reads(entry.formatId) || !SHA_256.test(entry.decoder)) continue;
      await this.decoders.provide(entry, () => readDecoder(this.store, entry.decoder, signal));
    }
  }

  /** The plain bytes of a frame, opened here; chunk ids are not verified. */
  async readFrame(pack: PackRecord, table: StoredTable, number: number, signal?: AbortSignal): Promise<Bytes> {
    const frame = this.frameOf(pack, table, number);
    await this.demandDecoders(table, [number], signal);
    const sealed = await this.store.get(
      packKey(pack.name),
      { offset: frame.offset, length: frame.storedBytes },
      signal,
    );
    const { formatId, pluginId } = table.dictionary[frame.codec];
    const codec = this.registry.codecForFormat(formatId, pluginId);
    const cipher = this.#cipherOf(table, frame);
    return await openFrame(codec, cipher, this.place(pack, table, number), frame.plainBytes, sealed);
  }

  /** A frame as a worker takes it; {@linkcode demandDecoders} comes before it. */
  loadFrame(pack: PackRecord, table: StoredTable, number: number, sealed: Bytes): LoadFrame {
    const frame = this.frameOf(pack, table, number);
    return {
      sealed,
      place: this.place(pack, table, number),
      codec: table.dictionary[frame.codec],
      cipher: table.dictionary[frame.cipher],
      plainBytes: frame.plainBytes,
      ...frame.idsAndLengths(),
      idKey: this.keys.chunkIdKey(CHUNK_KIND_NAMES[frame.kind]),
    };
  }
}

export function kindsOf(table: PackTable): number {
  return table.frames.reduce((kinds, frame) => kinds | (1 << frame.kind), 0);
}
