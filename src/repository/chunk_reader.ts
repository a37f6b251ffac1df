import { type Bytes, equalBytes, fromHexInto } from "../base/bytes.ts";
import { AxiomError, DAMAGE_HINTS } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_ID_BYTES, CHUNK_KIND_NAMES, ChunkKind } from "../model/chunk.ts";
import type { ChunkPlace } from "../model/index_entries.ts";
import type { PackRecord } from "../model/index_object.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import type { ChunkIndex, ChunkLocation } from "./chunk_index.ts";
import type { RepositoryKeys } from "./keys.ts";
import type { PackReader } from "./pack_reader.ts";

/** Documents of a folder were stored one after another, but some in a frame that a worker finished a little later. */
const NEAR_FRAMES = 8;
/** Read while the one before is used: more would only be held. */
const FRAMES_AHEAD = 2;

interface Frame {
  pack: string;
  number: number;
  read: Promise<Bytes>;
  /** Once it was read. */
  plain: Bytes | undefined;
}

/**
 * Reads single chunks by id, each verified. Frames are kept decoded for a while, because chunks that are read together
 * were mostly stored together. A chunk that lies in several packs is read from the first that gives the right bytes.
 */
export class ChunkReader {
  readonly #frames = new Map<string, Frame>();
  #frameBytes = 0;
  /** Which a chunk was read from last. */
  #last: Frame | undefined;
  readonly #identify: ReturnType<typeof chunkIdentifier>[];
  readonly #id = new Uint8Array(CHUNK_ID_BYTES);

  /** @param readsAhead For who reads most documents of a tree in the order of its folders */
  constructor(
    readonly packs: PackReader,
    readonly index: ChunkIndex,
    keys: RepositoryKeys,
    readonly signal?: AbortSignal,
    readonly readsAhead = false,
  ) {
    this.#identify = CHUNK_KIND_NAMES.map((kind) => chunkIdentifier(keys.chunkIdKey(kind)));
  }

  /** A document by its hexadecimal id; what `TreeReader` reads with. */
  readonly document = (id: string): Bytes | Promise<Bytes> => {
    const bytes = fromHexInto(this.#id, id);
    return this.#kept(bytes, ChunkKind.tree) ?? this.read(bytes.slice(), ChunkKind.tree);
  };

  /** The chunk, if the frame that {@linkcode read} looks into first is at hand and it is whole. */
  #kept(id: Bytes, kind: ChunkKind): Bytes | undefined {
    const location = this.index.first(id, kind);
    if (location === undefined) return undefined;
    const { pack: { name }, place: { frame: number, offset, length } } = location;
    const last = this.#last;
    const frame = last?.number === number && last.pack === name ? last : this.#frames.get(frameName(name, number));
    if (frame?.plain === undefined) return undefined;
    const chunk = frame.plain.subarray(offset, offset + length);
    if (!equalBytes(this.#identify[kind](chunk), id)) return undefined;
    if (frame !== last) this.#use(frame, location);
    return chunk;
  }

  /** Throws `object_missing` if no index knows the chunk, `data_damaged` if no copy of it is whole. */
  async read(id: Bytes, kind: ChunkKind): Promise<Bytes> {
    const locations = this.index.lookup(id).filter((location) => location.place.kind === kind);
    let failure: unknown;
    for (const location of locations) {
      try {
        return await this.#readAt(location, id);
      } catch (error) {
        if (!(error instanceof AxiomError) || error.kind === "interrupted") throw error;
        failure = error.kind === "data_damaged" ? damaged(id, location, error) : error;
      }
    }
    throw failure ?? new AxiomError("object_missing", `Cannot read the chunk ${short(id)}: no pack holds it`, {
      hint: "Run `axiom check` to see which files it belongs to",
    });
  }

  async #readAt(location: ChunkLocation, id: Bytes): Promise<Bytes> {
    const { pack, place } = location;
    const frame = this.#frame(pack, place.frame);
    this.#use(frame, location);
    const plain = await frame.read;
    const chunk = plain.subarray(place.offset, place.offset + place.length);
    if (!equalBytes(this.#identify[place.kind](chunk), id)) {
      throw new AxiomError("data_damaged", "its bytes are not what its id says");
    }
    return chunk;
  }

  #frame(pack: PackRecord, number: number): Frame {
    const key = frameName(pack.name, number);
    const known = this.#frames.get(key);
    if (known !== undefined) return known;
    const frame: Frame = { pack: pack.name, number, read: this.#read(pack, number), plain: undefined };
    this.#frames.set(key, frame);
    const keep = (plain: Bytes) => {
      if (this.#frames.get(key) !== frame) return; // evicted meanwhile
      frame.plain = plain;
      this.#frameBytes += plain.length;
      this.#evict();
    };
    frame.read.then(keep, () => void (this.#frames.get(key) === frame && this.#frames.delete(key)));
    return frame;
  }

  async #read(pack: PackRecord, number: number): Promise<Bytes> {
    const table = await this.packs.table(pack, this.signal);
    return await this.packs.readFrame(pack, table, number, this.signal);
  }

  /** The frame stays longest from now on; where frames are read in turn, the next are read meanwhile. */
  #use(frame: Frame, { pack, place }: ChunkLocation): void {
    const last = this.#last;
    if (frame === last) return;
    this.#last = frame;
    const key = frameName(frame.pack, frame.number);
    if (this.#frames.delete(key)) this.#frames.set(key, frame);
    if (!this.readsAhead || last?.pack !== frame.pack || Math.abs(frame.number - last.number) > NEAR_FRAMES) return;
    this.#readAhead(pack, place).catch(() => {}); // who needs such a frame sees why it cannot be read
  }

  async #readAhead(pack: PackRecord, { frame: from, kind }: ChunkPlace): Promise<void> {
    const { frames } = await this.packs.table(pack, this.signal);
    const end = Math.min(from + NEAR_FRAMES, frames.length);
    for (let number = from + 1, left = FRAMES_AHEAD; number < end && left > 0; number++) {
      if (frames[number].kind !== kind) continue;
      this.#frame(pack, number);
      left--;
    }
  }

  /** A frame that is still being read counts for nothing yet. */
  #evict(): void {
    for (const [key, frame] of this.#frames) {
      if (this.#frameBytes <= LIMITS.frameCacheBytes || this.#frames.size === 1) return;
      this.#frames.delete(key);
      this.#frameBytes -= frame.plain?.length ?? 0;
    }
  }
}

function frameName(pack: string, number: number): string {
  return `${pack} ${number}`;
}

function damaged(id: Bytes, { pack }: ChunkLocation, cause: AxiomError): AxiomError {
  return new AxiomError(
    "data_damaged",
    `Cannot read the chunk ${short(id)} in the pack ${pack.name}: ${cause.message}`,
    {
      hint: DAMAGE_HINTS.content,
      cause,
    },
  );
}

function short(id: Bytes): string {
  return Array.from(id.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
