import type { Bytes } from "../base/bytes.ts";
import { AxiomError, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { ChunkerRecord, Content, ContentElement, Entry } from "../model/entry.ts";
import { type FileStat, type FileSystem, type SourceFile, SystemError, type Xattr } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";
import { writeContentNodes } from "../repository/tree_writer.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { chooseChunker, type ChunkerRule } from "../stages/choose_chunker.ts";
import { sourceFault } from "../stages/source_fault.ts";
import type { FrameStyle, SavedFile } from "../stages/worker_protocol.ts";
import { isDamage } from "./damage.ts";

/** What of one file's saving ends up in its entry. */
export interface SavedContent {
  /** Newer than the scan's, where the file changed in between. */
  stat?: FileStat;
  content?: Content;
  chunker?: ChunkerRecord;
  xattrs?: Xattr[];
  xattrFault?: SavedFile["xattrFault"];
  changed: boolean;
  chunksNew: number;
  bytesNew: number;
  fault?: SavedFile["fault"];
}

/** How one file is to be stored, by the rules in force. */
export interface FilePlan {
  style: FrameStyle;
  chunkerRule?: ChunkerRule;
}

/** Looks at a file that does not hold still; one that takes long to read, such as a running machine's disk, never will. */
const TRIES = 3;
const HUGE_TRIES = 2;

type Segment = { offset: number; length: number };

/** Saves the content of single files by the workers: small ones in batches, huge and sparse ones in regions. */
export class FileSaver {
  constructor(readonly files: FileSystem, readonly writer: RepositoryWriter, readonly trees: TreeReader) {}

  /**
   * A file whose place another one took, or which changed while its holes were looked for, is looked at again and saved as it
   * then is. Faults of the source are part of the result.
   */
  save(
    path: string,
    stat: FileStat,
    planOf: (stat: FileStat) => FilePlan,
    last: Entry | undefined,
  ): Promise<SavedContent> {
    if (isCutUp(stat)) return this.#saveUntilStill(path, stat, planOf, last);
    const plan = planOf(stat);
    return this.writer.pool.saveFile(this.#job(path, stat, plan, last)).then((part) => {
      if (part.fault === undefined) return this.#combine([part], plan, stat);
      return this.#saveUntilStill(path, stat, planOf, last, faulty([part], part.fault));
    });
  }

  /** @param first What came of the first try, where it was made already */
  async #saveUntilStill(
    path: string,
    stat: FileStat,
    planOf: (stat: FileStat) => FilePlan,
    last: Entry | undefined,
    first?: SavedContent,
  ): Promise<SavedContent> {
    for (let tries = 1, seen = stat;; tries++) {
      const saved = tries === 1 && first !== undefined ? first : await this.#saveAsSeen(path, seen, planOf(seen), last);
      const isDone = saved.fault === undefined && !(saved.changed && isCutUp(seen));
      if (isDone || tries === (isHuge(seen) ? HUGE_TRIES : TRIES)) return saved;
      const now = this.#lookAgain(path);
      if (now instanceof AxiomError) return { ...saved, fault: reportError(now) };
      if (saved.fault !== undefined && now.inode === seen.inode) return saved;
      seen = now;
    }
  }

  #lookAgain(path: string): FileStat | AxiomError {
    try {
      const stat = this.files.lstat(path);
      if (stat.type === "file") return stat;
      return new AxiomError("source_changed", `Cannot read ${displayName(path)}: it is a ${stat.type} now`);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return sourceFault(path, error);
    }
  }

  async #saveAsSeen(
    path: string,
    stat: FileStat,
    plan: FilePlan,
    last: Entry | undefined,
  ): Promise<SavedContent> {
    try {
      const parts = isCutUp(stat)
        ? await this.#saveRegions(path, stat, plan, last)
        : [await this.writer.pool.saveFile(this.#job(path, stat, plan, last))];
      return await this.#combine(parts, plan, stat);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return { changed: false, chunksNew: 0, bytesNew: 0, fault: reportError(sourceFault(path, error)) };
    }
  }

  #job(path: string, stat: FileStat, plan: FilePlan, last: Entry | undefined) {
    return {
      path,
      inode: stat.inode,
      sizeBytes: stat.sizeBytes,
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      style: plan.style,
      ...(plan.chunkerRule === undefined ? {} : { chunkerRule: plan.chunkerRule }),
      ...(last?.chunker === undefined ? {} : { lastChunker: last.chunker }),
    };
  }

  /** Regions go to all workers; at most as many wait as keep them busy, so that a sparse file of any size is no list. */
  async #saveRegions(path: string, stat: FileStat, plan: FilePlan, last: Entry | undefined): Promise<SavedFile[]> {
    const source = this.files.openForReading(path);
    try {
      const chunker = chooseChunker(source, path, stat.sizeBytes, plan.chunkerRule, last?.chunker);
      const parts: Promise<SavedFile>[] = [];
      let first = true;
      for (const region of regionsOf(source, stat.sizeBytes)) {
        await this.writer.pool.room();
        const part = this.writer.pool.saveFile({
          ...this.#job(path, stat, plan, last),
          chunker,
          region: { ...region, first },
        });
        part.catch(() => {}); // reported by Promise.all below
        parts.push(part);
        first = false;
      }
      return await Promise.all(parts);
    } finally {
      source.close();
    }
  }

  #combine(parts: SavedFile[], plan: FilePlan, stat: FileStat): SavedContent | Promise<SavedContent> {
    const fault = parts.find((part) => part.fault !== undefined)?.fault;
    if (fault !== undefined) return faulty(parts, fault);
    const elements = parts.length === 1 ? parts[0].elements : parts.flatMap((part) => part.elements);
    if (elements.length === 0) return combined(parts, undefined, stat);
    if (elements.length <= LIMITS.contentInlineChunksMax) {
      return combined(parts, contentOf({ elements }, plan), stat);
    }
    return writeContentNodes(elements, this.writer.metadata.put)
      .then((content) => combined(parts, contentOf(content, plan), stat));
  }

  /** Stores a large extended attribute as chunks of kind tree. */
  readonly putXattr = async (value: Bytes): Promise<string[]> => {
    const ids: string[] = [];
    const step = LIMITS.treeNodeBytesMax;
    for (let at = 0; at < value.length; at += step) {
      ids.push(await this.writer.metadata.put(value.slice(at, at + step)));
    }
    return ids;
  };

  /** Whether every chunk that an entry of an earlier snapshot names can be relied on; false if that cannot be found out. */
  canReuse({ xattrs, content, size }: Entry): boolean | Promise<boolean> {
    if (xattrs?.some(({ chunks }) => chunks?.some((id) => !this.writer.hasText(id, ChunkKind.tree)))) return false;
    if (content === undefined) return true;
    if (content.nodes !== undefined) return this.#canReuseNodes(content, Number(size));
    return this.#hasAll(content.elements ?? [], content);
  }

  async #canReuseNodes(content: Content, sizeBytes: number): Promise<boolean> {
    try {
      for await (const node of this.trees.contentNodes(content, sizeBytes)) {
        if (!this.writer.hasText(node, ChunkKind.tree)) return false;
      }
      for await (const elements of this.trees.content(content, sizeBytes)) {
        if (!this.#hasAll(elements, content)) return false;
      }
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      return false;
    }
  }

  #hasAll(elements: readonly ContentElement[], content: Content): boolean {
    const kind = content.kind === "plain" ? ChunkKind.plain : ChunkKind.data;
    return elements.every((element) => typeof element !== "string" || this.writer.hasText(element, kind));
  }
}

function contentOf(content: Content, plan: FilePlan): Content {
  return plan.style.kind === ChunkKind.plain ? { kind: "plain", ...content } : content;
}

function combined(parts: SavedFile[], content: Content | undefined, stat: FileStat): SavedContent {
  const first = parts[0], last = parts[parts.length - 1];
  const sizeBytes = sum(parts, "contentBytes");
  const seen = last.stat ?? stat;
  return {
    stat: seen.sizeBytes === sizeBytes ? seen : { ...seen, sizeBytes },
    content,
    chunker: first.chunker ?? last.chunker,
    xattrs: first.xattrs,
    xattrFault: first.xattrFault,
    changed: parts.some((part) => part.changed || (isCutUp(stat) && part.stat !== undefined)),
    chunksNew: sum(parts, "chunksNew"),
    bytesNew: sum(parts, "bytesNew"),
  };
}

function faulty(parts: SavedFile[], fault: SavedFile["fault"]): SavedContent {
  return { changed: false, chunksNew: sum(parts, "chunksNew"), bytesNew: sum(parts, "bytesNew"), fault };
}

function sum(parts: SavedFile[], member: "contentBytes" | "chunksNew" | "bytesNew"): number {
  return parts.reduce((total, part) => total + (part[member] ?? 0), 0);
}

/** Holes shorter than this are read as zeros: they would cost more than they save. */
const SPARSE_BYTES_MIN = 64 * 1024;

/** Whether a file is saved by regions: its holes were looked for, or several workers read it. */
function isCutUp({ allocatedBytes, sizeBytes }: FileStat): boolean {
  return isHuge({ sizeBytes }) || (allocatedBytes < sizeBytes && sizeBytes >= SPARSE_BYTES_MIN);
}

function isHuge({ sizeBytes }: Pick<FileStat, "sizeBytes">): boolean {
  return sizeBytes >= 2 * LIMITS.regionBytes;
}

/** A part of a file: `segments` hold data, and everything else from `from` to the end of the last one is holes. */
export interface Region {
  from: number;
  segments: Segment[];
}

/** Groups the parts of a file that hold data into regions of at most `LIMITS.regionBytes`. */
export function* regionsOf(source: Pick<SourceFile, "dataSegments">, sizeBytes: number): Generator<Region> {
  let region: Region = { from: 0, segments: [] };
  let bytes = 0;
  for (const segment of mergeSegments(source.dataSegments(sizeBytes), sizeBytes)) {
    let { offset, length } = segment;
    do {
      const part = Math.min(length, LIMITS.regionBytes - bytes);
      region.segments.push({ offset, length: part });
      bytes += part;
      offset += part;
      length -= part;
      if (bytes === LIMITS.regionBytes || region.segments.length === SEGMENTS_PER_REGION) {
        yield region;
        region = { from: offset, segments: [] };
        bytes = 0;
      }
    } while (length > 0);
  }
  if (region.segments.length > 0) yield region;
}

const SEGMENTS_PER_REGION = 1024;

/** Segments whose hole between them is short become one; a last empty one marks the end of a file that ends in a hole. */
function* mergeSegments(segments: Iterable<Segment>, sizeBytes: number): Generator<Segment> {
  let open: Segment = { offset: 0, length: 0 };
  for (const { offset, length } of segments) {
    if (offset - (open.offset + open.length) < SPARSE_BYTES_MIN) {
      open = { offset: open.offset, length: offset + length - open.offset };
    } else {
      yield open;
      open = { offset, length };
    }
  }
  yield open;
  if (open.offset + open.length < sizeBytes) yield { offset: sizeBytes, length: 0 };
}
