import { type Bytes, fromHex, MIB } from "../base/bytes.ts";
import { AxiomError, DAMAGE_HINTS, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Content, ContentElement, Entry } from "../model/entry.ts";
import type { ChunkLocation } from "../repository/chunk_index.ts";
import type { ChunkReader } from "../repository/chunk_reader.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** What holes are read as; never written to. */
const ZEROS: Bytes = new Uint8Array(MIB);

/** Reads the bytes of files from the repository, in order, a few chunks and frames ahead of whoever takes them. */
export class ContentStream {
  constructor(readonly trees: TreeReader, readonly chunks: ChunkReader, readonly signal?: AbortSignal) {}

  /**
   * Throws, before a byte of the file is read, `object_missing` if a chunk of it is in no pack and `data_damaged` if its
   * chunks have another length in all than the entry says.
   */
  async check(path: string, entry: Entry): Promise<void> {
    let bytes = 0;
    for await (const elements of this.trees.content(entry.content, Number(entry.size))) {
      throwIfAborted(this.signal);
      for (const element of elements) {
        const length = this.#lengthOf(element, kindOf(entry.content));
        if (length === undefined) {
          const message = `Cannot read ${displayName(path)}: no pack holds its chunk ${String(element).slice(0, 16)}`;
          throw new AxiomError("object_missing", message, { hint: DAMAGE_HINTS.missing });
        }
        bytes += length;
      }
    }
    if (bytes === Number(entry.size)) return;
    const message = `Cannot read ${displayName(path)}: its content has ${bytes} bytes, not ${entry.size}`;
    throw new AxiomError("data_damaged", message, { hint: DAMAGE_HINTS.content });
  }

  /** What is given is a view that must not be changed. Every chunk is verified; throws as {@linkcode ChunkReader.read}. */
  async *read(entry: Entry): AsyncGenerator<Bytes> {
    const kind = kindOf(entry.content);
    const ahead = new ReadAhead();
    for await (const element of this.#elements(entry)) {
      throwIfAborted(this.signal);
      ahead.add(this.#start(element, kind));
      while (ahead.isFull) yield* given(ahead.take().part);
    }
    while (!ahead.isEmpty) yield* given(ahead.take().part);
  }

  #start(element: ContentElement, kind: ChunkKind): Part {
    if (typeof element !== "string") return { bytes: 0, part: Number(element.hole) };
    const location = this.#locate(element, kind);
    const part = this.chunks.read(fromHex(element), kind);
    part.catch(() => {}); // thrown when its turn comes
    if (location === undefined) return { bytes: 0, part };
    return { bytes: location.place.length, frame: `${location.pack.name} ${location.place.frame}`, part };
  }

  async *#elements({ content, size }: Entry): AsyncGenerator<ContentElement> {
    for await (const elements of this.trees.content(content, Number(size))) yield* elements;
  }

  #lengthOf(element: ContentElement, kind: ChunkKind): number | undefined {
    if (typeof element !== "string") return Number(element.hole);
    return this.#locate(element, kind)?.place.length;
  }

  #locate(id: string, kind: ChunkKind): ChunkLocation | undefined {
    return this.chunks.index.lookup(fromHex(id)).find(({ place }) => place.kind === kind);
  }
}

/** A chunk that is being read, or the length of a hole. */
interface Part {
  bytes: number;
  /** Which is decoded and stays in memory as a whole while a chunk of it does. */
  frame?: string;
  part: Promise<Bytes> | number;
}

/** What was begun and not yet taken, in order. */
class ReadAhead {
  readonly #parts: Part[] = [];
  readonly #frames = new Map<string, number>();
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  get isFull(): boolean {
    return this.#bytes > LIMITS.readAheadBytes || this.#parts.length > LIMITS.readAheadChunks ||
      this.#frames.size > LIMITS.readAheadFrames;
  }

  add(part: Part): void {
    this.#parts.push(part);
    this.#bytes += part.bytes;
    if (part.frame !== undefined) this.#frames.set(part.frame, (this.#frames.get(part.frame) ?? 0) + 1);
  }

  take(): Part {
    const part = this.#parts.shift()!;
    this.#bytes -= part.bytes;
    if (part.frame !== undefined) {
      const left = this.#frames.get(part.frame)! - 1;
      if (left === 0) this.#frames.delete(part.frame);
      else this.#frames.set(part.frame, left);
    }
    return part;
  }
}

async function* given(part: Promise<Bytes> | number): AsyncGenerator<Bytes> {
  if (typeof part !== "number") yield await part;
  else for (let left = part; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

function kindOf(content: Content | undefined): ChunkKind {
  return content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
}
