import { createHash, type Hash } from "node:crypto";
import { type Bytes, free } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { ChunkKind } from "../model/chunk.ts";
import { packKey } from "../model/object_keys.ts";
import { type DictionaryEntry, PACK_BYTES_MIN, type PackFrame, type PackTable } from "../model/pack_table.ts";
import { Semaphore } from "../resilience/semaphore.ts";
import type { FormatOrigin } from "../stages/codec.ts";
import { forEachId } from "../stages/frame_builder.ts";
import { paddingBytes, sealPackEnd } from "../stages/pack.ts";
import type { StageRegistry } from "../stages/registry.ts";
import type { FrameSink } from "../stages/worker_pool.ts";
import type { FrameGrant, FrameRequest, SealedFrame } from "../stages/worker_protocol.ts";
import type { ObjectStore, ObjectWriter } from "../storage/object_store.ts";
import type { DecoderKeeper } from "./decoder_keeper.ts";
import type { RepositoryKeys } from "./keys.ts";
import { frameKey } from "./pack_reader.ts";
import { StageUsage } from "./stage_usage.ts";

/** Up to this size a session's first pack takes every kind, so that a small backup is one pack. */
const MIXED_BYTES_MAX = 1024 * 1024;

const EARLY_END = 5 / 8;
const SMALL_PADDING = 1 / 512;

/** A pack that is durable in the store, as an index describes it. */
export interface WrittenPack {
  /** SHA-256 of the stored bytes, hexadecimal. */
  name: string;
  epoch: number;
  salt: Bytes;
  storedBytes: number;
  tableBytes: number;
  table: PackTable;
}

class OpenPack {
  readonly dictionary: DictionaryEntry[] = [];
  readonly frames: PackFrame[] = [];
  readonly hash: Hash = createHash("sha256");
  writer: ObjectWriter | undefined;
  /** Gives back the room of a frame, by its number. */
  readonly releases: (() => void)[] = [];
  /** Bytes that were promised to frames, and that arrived. */
  grantedBytes = 0;
  grantedChunks = 0;
  writtenBytes = 0;
  granted = 0;
  arrived = 0;
  full = false;
  /** A write failed: how much of it arrived is unknown. */
  broken = false;
  /** Writes follow each other. */
  tail: Promise<void> = Promise.resolve();

  constructor(readonly number: number, readonly epoch: number, readonly salt: Bytes) {}

  place(role: "codec" | "cipher", origin: FormatOrigin): number {
    const { pluginId, version, formatId, decoder } = origin;
    const at = this.dictionary.findIndex((entry) =>
      entry.role === role && entry.pluginId === pluginId && entry.version === version && entry.formatId === formatId &&
      entry.decoder === decoder
    );
    return at >= 0 ? at : this.dictionary.push({ role, pluginId, version, formatId, decoder }) - 1;
  }
}

/**
 * Gives sealed frames their places in packs and streams packs into the store. Data and metadata go to packs of their own
 * once a session has written 1 MiB. A pack gets its name, and becomes visible, when its last frame arrived.
 */
export class PackWriter implements FrameSink {
  readonly #open = new Map<string, OpenPack>();
  readonly #packs = new Map<number, OpenPack>();
  /** Ends of packs that are being written, and those that failed: they are told of at the end. */
  readonly #completing = new Set<Promise<void>>();
  readonly #room = new Semaphore(LIMITS.framesAtWriterMax);
  #numbers = 0;
  #mixed = true;
  storedBytes = 0;
  readonly usage = new StageUsage();

  constructor(
    readonly store: ObjectStore,
    readonly keys: RepositoryKeys,
    readonly registry: StageRegistry,
    readonly packBytes: number,
    readonly random: Random,
    readonly onPack: (pack: WrittenPack) => Promise<void>,
    readonly signal?: AbortSignal,
    readonly decoders?: DecoderKeeper,
  ) {}

  async grant(request: FrameRequest): Promise<FrameGrant> {
    this.decoders?.note("codec", request.codec);
    this.decoders?.note("cipher", request.cipher);
    if (request.again !== undefined) {
      return this.#place(this.#packs.get(request.again.pack)!, request.again.frame, request);
    }
    const release = await this.#room.acquire(this.signal);
    const pack = this.#packFor(request);
    const frame = pack.granted++;
    pack.releases.push(release);
    pack.grantedBytes += request.storedBytes;
    pack.grantedChunks += request.chunks;
    pack.frames.push(undefined as unknown as PackFrame);
    return this.#place(pack, frame, request);
  }

  #place(pack: OpenPack, frame: number, { kind, codec, cipher }: FrameRequest): FrameGrant {
    return {
      pack: pack.number,
      place: {
        epoch: pack.epoch,
        repositoryId: this.keys.repositoryId,
        salt: pack.salt,
        kind,
        codec: pack.place("codec", codec),
        cipher: pack.place("cipher", cipher),
        frame,
        key: frameKey(this.keys, pack.epoch, pack.salt, kind, cipher),
      },
    };
  }

  #packFor(request: FrameRequest): OpenPack {
    const shared = this.#open.get("data");
    if (this.#mixed && shared !== undefined && shared.grantedBytes + request.storedBytes > MIXED_BYTES_MAX) {
      this.#mixed = false;
    }
    const group = this.#mixed || request.kind !== ChunkKind.tree ? "data" : "tree";
    const pack = this.#open.get(group);
    if (pack !== undefined && !this.#isFull(pack, request)) return pack;
    if (pack !== undefined) this.#shut(group, pack);
    const fresh = new OpenPack(this.#numbers++, this.keys.epoch, this.random(32));
    this.#open.set(group, fresh);
    this.#packs.set(fresh.number, fresh);
    return fresh;
  }

  /** Ends a pack before it is too large, and in its last third where little padding is due: that would be 1 % of all. */
  #isFull(pack: OpenPack, request: FrameRequest): boolean {
    if (pack.granted === 0) return false;
    if (pack.granted >= LIMITS.framesPerPackMax) return true;
    if (pack.dictionary.length + 2 > LIMITS.packDictionaryEntriesMax) return true;
    if (pack.grantedChunks + request.chunks > LIMITS.chunksPerPackMax) return true;
    if (pack.grantedBytes + request.storedBytes > this.packBytes - PACK_BYTES_MIN) return true;
    if (pack.grantedBytes < this.packBytes * EARLY_END) return false;
    const overhead = this.registry.tableCipher.overheadBytes(0);
    const padding = paddingBytes(pack.grantedBytes, pack.granted, pack.grantedChunks, overhead);
    return padding < this.packBytes * SMALL_PADDING;
  }

  #shut(group: string, pack: OpenPack): void {
    this.#open.delete(group);
    pack.full = true;
    pack.tail = pack.tail.then(() => this.#finishIfComplete(pack));
    pack.tail.catch(() => {});
  }

  accept(frame: SealedFrame): Promise<void> {
    const pack = this.#packs.get(frame.pack)!;
    const written = pack.tail.then(() => this.#append(pack, frame)).finally(() => pack.releases[frame.frame]());
    pack.tail = written;
    return written;
  }

  async #append(pack: OpenPack, frame: SealedFrame): Promise<void> {
    pack.writer ??= await this.store.create(); // not aborted: an interrupted session keeps what arrived
    const chunks: PackFrame["chunks"] = [];
    forEachId(frame, (id, offset, length) => chunks.push({ id, offset, length }));
    pack.frames[frame.frame] = {
      kind: frame.kind,
      codec: frame.codec,
      cipher: frame.cipher,
      offset: pack.writtenBytes,
      storedBytes: frame.sealed.length,
      plainBytes: frame.plainBytes,
      chunks,
    };
    this.usage.count(pack.dictionary, frame);
    pack.hash.update(frame.sealed);
    pack.writtenBytes += frame.sealed.length;
    pack.arrived++;
    await pack.writer.write(frame.sealed).catch((error) => {
      pack.broken = true;
      throw error;
    });
    free(frame.sealed);
    await this.#finishIfComplete(pack);
  }

  async #finishIfComplete(pack: OpenPack): Promise<void> {
    if (!pack.full || pack.arrived < pack.granted || !this.#packs.has(pack.number) || pack.writer === undefined) return;
    this.#packs.delete(pack.number);
    const completing = this.#complete(pack, pack.writer).then(() => void this.#completing.delete(completing));
    this.#completing.add(completing);
    await completing;
  }

  async #complete(pack: OpenPack, writer: ObjectWriter): Promise<void> {
    const table = { dictionary: pack.dictionary, frames: pack.frames };
    const place = { epoch: pack.epoch, salt: pack.salt, repositoryId: this.keys.repositoryId };
    const tableKey = this.keys.packTableKey(pack.epoch, pack.salt);
    const { end, tableBytes } = await sealPackEnd(
      table,
      pack.writtenBytes,
      place,
      tableKey,
      this.registry.tableCipher,
      this.random,
    );
    pack.hash.update(end);
    await writer.write(end);
    const name = pack.hash.digest("hex");
    await this.decoders?.keep(pack.dictionary); // whoever can see the pack can read it
    await writer.commit(packKey(name));
    const storedBytes = pack.writtenBytes + end.length;
    this.storedBytes += storedBytes;
    await this.onPack({ name, epoch: pack.epoch, salt: pack.salt, storedBytes, tableBytes, table });
  }

  /** Completes every open pack; call it when all frames that were granted a place have arrived. */
  async finish(): Promise<void> {
    const open = [...this.#packs.values()];
    for (const [group, pack] of [...this.#open]) this.#shut(group, pack);
    await Promise.all([...open.map((pack) => pack.tail), ...this.#completing]);
  }

  /** Completes open packs with the frames that arrived; those that never will leave an empty place. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#completing);
    const open = [...this.#packs.values()];
    await Promise.all(open.map(async (pack) => {
      await pack.tail.catch(() => {});
      if (pack.arrived === 0 || pack.broken) return await pack.writer?.abort();
      for (let i = 0; i < pack.frames.length; i++) pack.frames[i] ??= emptyFrame(pack);
      pack.arrived = pack.granted;
      pack.full = true;
      await this.#finishIfComplete(pack);
    }));
    this.#open.clear();
  }
}

function emptyFrame({ dictionary, writtenBytes }: OpenPack): PackFrame {
  const codec = dictionary.findIndex(({ role }) => role === "codec");
  const cipher = dictionary.findIndex(({ role }) => role === "cipher");
  return { kind: ChunkKind.data, codec, cipher, offset: writtenBytes, storedBytes: 0, plainBytes: 0, chunks: [] };
}
