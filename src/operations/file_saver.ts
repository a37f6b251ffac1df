import type { Bytes } from "../base/bytes.ts";
import { AxiomError, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { ChunkKind } from "../model/chunk.ts";
import type { ChunkerRecord, Content, Entry } from "../model/entry.ts";
import { type FileStat, type FileSystem, SystemError, type Xattr } from "../platform/file_system.ts";
import { writeContentNodes } from "../repository/tree_writer.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { chooseChunker, type ChunkerRule } from "../stages/choose_chunker.ts";
import { sourceFault } from "../stages/source_fault.ts";
import type { FrameStyle, SavedFile } from "../stages/worker_protocol.ts";
import { isCutUp, isHuge, regionsOf } from "./file_regions.ts";

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

/** Saves the content of single files by the workers: small ones in batches, huge and sparse ones in regions. */
export class FileSaver {
  constructor(readonly files: FileSystem, readonly writer: RepositoryWriter) {}

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
