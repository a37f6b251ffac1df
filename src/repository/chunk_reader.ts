import { type Bytes, equalBytes, fromHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { CHUNK_KIND_NAMES, ChunkKind } from "../model/chunk.ts";
import { chunkIdentifier } from "../stages/identify.ts";
import type { ChunkIndex, ChunkLocation } from "./chunk_index.ts";
import type { RepositoryKeys } from "./keys.ts";
import type { PackReader } from "./pack_reader.ts";

/**
 * Reads single chunks by id, each verified. Frames are kept decoded for a while, because chunks that are read together
 * were mostly stored together. A chunk that lies in several packs is read from the first that gives the right bytes.
 */
export class ChunkReader {
  readonly #frames = new Map<string, Promise<Bytes>>();
  #frameBytes = 0;
  readonly #identify: ReturnType<typeof chunkIdentifier>[];

  constructor(
    readonly packs: PackReader,
    readonly index: ChunkIndex,
    keys: RepositoryKeys,
    readonly signal?: AbortSignal,
  ) {
    this.#identify = CHUNK_KIND_NAMES.map((kind) => chunkIdentifier(keys.chunkIdKey(kind)));
  }

  /** A document by its hexadecimal id; what `TreeReader` reads with. */
  readonly document = (id: string): Promise<Bytes> => this.read(fromHex(id), ChunkKind.tree);

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

  async #readAt({ pack, place }: ChunkLocation, id: Bytes): Promise<Bytes> {
    const plain = await this.#frame(pack.name, place.frame, async () => {
      const table = await this.packs.table(pack, this.signal);
      return await this.packs.readFrame(pack, table, place.frame, this.signal);
    });
    const chunk = plain.subarray(place.offset, place.offset + place.length);
    if (!equalBytes(this.#identify[place.kind](chunk), id)) {
      throw new AxiomError("data_damaged", "its bytes are not what its id says");
    }
    return chunk;
  }

  #frame(pack: string, number: number, read: () => Promise<Bytes>): Promise<Bytes> {
    const key = `${pack} ${number}`;
    const known = this.#frames.get(key);
    if (known !== undefined) {
      this.#frames.delete(key);
      this.#frames.set(key, known);
      return known;
    }
    const frame = read();
    this.#frames.set(key, frame);
    const forget = () => void (this.#frames.get(key) === frame && this.#frames.delete(key));
    frame.then((plain) => this.#keep(plain.length), forget);
    return frame;
  }

  async #keep(bytes: number): Promise<void> {
    this.#frameBytes += bytes;
    while (this.#frameBytes > LIMITS.frameCacheBytes && this.#frames.size > 1) {
      const [key, frame] = this.#frames.entries().next().value!;
      this.#frames.delete(key);
      this.#frameBytes -= await frame.then((plain) => plain.length, () => 0); // who asked for it sees a failure
    }
  }
}

function damaged(id: Bytes, { pack }: ChunkLocation, cause: AxiomError): AxiomError {
  return new AxiomError(
    "data_damaged",
    `Cannot read the chunk ${short(id)} in the pack ${pack.name}: ${cause.message}`,
    {
      hint: "Run `axiom check --read-data` to see what else is damaged",
      cause,
    },
  );
}

function short(id: Bytes): string {
  return Array.from(id.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
