import { type Bytes, fromHex, MIB } from "../base/bytes.ts";
import { AxiomError, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { Content, ContentElement, Entry } from "../model/entry.ts";
import type { ChunkReader } from "../repository/chunk_reader.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** What holes are read as; never written to. */
const ZEROS: Bytes = new Uint8Array(MIB);

/** Reads the bytes of files from the repository, in order, a few chunks ahead of whoever takes them. */
export class ContentStream {
  constructor(readonly trees: TreeReader, readonly chunks: ChunkReader, readonly signal?: AbortSignal) {}

  /**
   * Throws, before a byte of the file is read, `object_missing` if a chunk of it is in no pack and `data_damaged` if its
   * chunks have another length in all than the entry says.
   */
  async check(path: string, entry: Entry): Promise<void> {
    let bytes = 0;
    for await (const elements of this.trees.content(entry.content)) {
      throwIfAborted(this.signal);
      for (const element of elements) {
        const length = this.#lengthOf(element, kindOf(entry.content));
        if (length === undefined) {
          const message = `Cannot read ${displayName(path)}: no pack holds its chunk ${String(element).slice(0, 16)}`;
          throw new AxiomError("object_missing", message, { hint: "Run `axiom check` to see what else is affected" });
        }
        bytes += length;
      }
    }
    if (bytes === Number(entry.size)) return;
    const message = `Cannot read ${displayName(path)}: its content has ${bytes} bytes, not ${entry.size}`;
    throw new AxiomError("data_damaged", message, { hint: "Run `axiom check --read-data`" });
  }

  /** What is given is a view that must not be changed. Every chunk is verified; throws as {@linkcode ChunkReader.read}. */
  async *read(entry: Entry): AsyncGenerator<Bytes> {
    const ahead: { bytes: number; part: Promise<Bytes> | number }[] = [];
    let aheadBytes = 0;
    for await (const element of this.#elements(entry.content)) {
      throwIfAborted(this.signal);
      const kind = kindOf(entry.content);
      const bytes = this.#lengthOf(element, kind) ?? 0;
      const part = typeof element === "string" ? this.chunks.read(fromHex(element), kind) : bytes;
      if (typeof part !== "number") part.catch(() => {}); // thrown when its turn comes
      ahead.push({ bytes, part });
      aheadBytes += typeof part === "number" ? 0 : bytes;
      while (aheadBytes > LIMITS.readAheadBytes || ahead.length > LIMITS.readAheadChunks) {
        const next = ahead.shift()!;
        if (typeof next.part !== "number") aheadBytes -= next.bytes;
        yield* given(next.part);
      }
    }
    for (const { part } of ahead) yield* given(part);
  }

  async *#elements(content: Content | undefined): AsyncGenerator<ContentElement> {
    for await (const elements of this.trees.content(content)) yield* elements;
  }

  #lengthOf(element: ContentElement, kind: ChunkKind): number | undefined {
    if (typeof element !== "string") return Number(element.hole);
    return this.chunks.index.lookup(fromHex(element)).find(({ place }) => place.kind === kind)?.place.length;
  }
}

async function* given(part: Promise<Bytes> | number): AsyncGenerator<Bytes> {
  if (typeof part !== "number") yield await part;
  else for (let left = part; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

function kindOf(content: Content | undefined): ChunkKind {
  return content?.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
}
