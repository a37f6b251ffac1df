/**
 * What of a source is saved. Nothing here reads the file system: the scan asks for each entry below a source, and for each
 * folder before it descends. The sources themselves were named by a person and are saved whatever the rules say.
 */
import { compareBytes, utf8 } from "../base/bytes.ts";
import type { FileType } from "../platform/file_system.ts";
import type { Pattern } from "./pattern_list.ts";
import { PatternSet } from "./pattern_set.ts";

/** A folder that holds a file `name` which begins with `header` is saved without anything else in it. */
export interface FolderTag {
  readonly name: string;
  readonly header?: string;
}

/** The tag of a folder that holds a cache, and its first 43 bytes. Source: bford.info/cachedir. */
export const CACHE_TAG: FolderTag = { name: "CACHEDIR.TAG", header: "Signature: 8a477f597d28d172789f06886806bc55" };

export interface SelectionOptions {
  /** In order; the last that matches decides, so patterns of files come before those of flags. */
  readonly patterns: readonly Pattern[];
  readonly tags: readonly FolderTag[];
  /** Adds {@linkcode CACHE_TAG}. */
  readonly excludeCaches: boolean;
  readonly largerThanBytes: number | undefined;
  readonly oneFileSystem: boolean;
}

export interface Source {
  /** Absolute. */
  readonly path: string;
  /** As `FileStat.device`; undefined where it could not be told, and then nothing below it counts as another file system. */
  readonly device: string | undefined;
}

export type ExclusionReason = "pattern" | "size" | "folder";

export type EntryDecision =
  /** `descend` is false for a folder in which another file system begins: it is saved empty, as a place to mount at. */
  | { readonly keep: true; readonly descend: boolean }
  /** `by` is for messages: `*.tmp (--exclude)`. */
  | { readonly keep: false; readonly reason: ExclusionReason; readonly by: string };

/** What of a folder is saved: all that the entries' own decisions leave, or the tag alone. */
export type FolderDecision =
  | { readonly content: "all" }
  | { readonly content: "tag"; readonly name: string };

export interface Selector {
  /** @param path Relative to the source, with `/` between names; empty for the source itself */
  selectEntry(path: string, type: FileType, sizeBytes: number, device: string): EntryDecision;
  /**
   * @param names All names in the folder
   * @param readFirst The first bytes of a regular file in the folder; undefined if it is none or cannot be read, and then
   *   it is no tag: what cannot be judged is saved
   */
  selectFolder(
    path: string,
    names: readonly string[],
    readFirst: (name: string, bytesMax: number) => Uint8Array | undefined,
  ): FolderDecision;
}

const KEEP: EntryDecision = { keep: true, descend: true };
const KEEP_EMPTY: EntryDecision = { keep: true, descend: false };
const IN_PASSAGE: EntryDecision = {
  keep: false,
  reason: "folder",
  by: "its folder, which only leads to another source",
};
const ALL: FolderDecision = { content: "all" };

/**
 * One for each source, in their order. A source that lies in another one is saved with that one, whatever rules apply there:
 * it is kept, what leads to it is passed through, and nothing else of what they leave out comes with it.
 */
export function makeSelectors(options: SelectionOptions, sources: readonly Source[]): Selector[] {
  const paths = sources.map(({ path }) => path);
  return sources.map((source) => {
    const prefix = source.path === "/" ? "/" : `${source.path}/`;
    const inside = sources.filter(({ path }) => path.startsWith(prefix) && path !== source.path)
      .map(({ path, device }) => ({ path: path.slice(prefix.length), device }));
    return new SourceSelector(options, source, inside, new PatternSet(options.patterns, source.path, paths));
  });
}

const above = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

class SourceSelector implements Selector {
  readonly #tags: readonly { name: string; header: Uint8Array }[];
  readonly #largerThanBytes: number;
  /** What is no other file system; undefined for everything. */
  readonly #devices: ReadonlySet<string> | undefined;
  /** Paths below which nothing is one either, each with `/` at its end. */
  readonly #anywhere: readonly string[];
  /** Sources inside this one, and the folders that lead to them; relative, like all paths here. */
  readonly #named: ReadonlySet<string>;
  readonly #ways = new Set<string>();
  /** Those of the ways that the rules leave out. */
  readonly #passages = new Set<string>();

  constructor(
    options: SelectionOptions,
    source: Source,
    inside: readonly Source[],
    readonly patterns: PatternSet,
  ) {
    const tags = options.excludeCaches ? [CACHE_TAG, ...options.tags] : options.tags;
    this.#tags = tags.map(({ name, header }) => ({ name, header: utf8(header ?? "") }));
    this.#largerThanBytes = options.largerThanBytes ?? Infinity;
    const devices = [source, ...inside].flatMap(({ device }) => device ?? []);
    this.#devices = options.oneFileSystem && source.device !== undefined ? new Set(devices) : undefined;
    this.#anywhere = inside.filter(({ device }) => device === undefined).map(({ path }) => `${path}/`);
    this.#named = new Set(inside.map(({ path }) => path));
    for (const { path } of inside) for (let way = above(path); way !== ""; way = above(way)) this.#ways.add(way);
  }

  selectEntry(path: string, type: FileType, sizeBytes: number, device: string): EntryDecision {
    if (path === "" || this.#named.has(path)) return KEEP;
    const inPassage = this.#passages.size > 0 && this.#passages.has(above(path));
    const decision = inPassage ? IN_PASSAGE : this.#decide(path, type, sizeBytes, device);
    if (decision === KEEP || !this.#ways.has(path)) return decision;
    this.#passages.add(path);
    return KEEP;
  }

  #decide(path: string, type: FileType, sizeBytes: number, device: string): EntryDecision {
    const isFolder = type === "dir";
    const pattern = this.patterns.find(path, isFolder);
    if (pattern !== undefined) {
      return { keep: false, reason: "pattern", by: `${pattern.text} (${pattern.origin})` };
    }
    if (type === "file" && sizeBytes > this.#largerThanBytes) {
      return { keep: false, reason: "size", by: `${sizeBytes} bytes` };
    }
    // Only folders are asked: an overlay shows files with the device of the layer that holds them, and all would be lost.
    const isElsewhere = isFolder && this.#devices?.has(device) === false;
    return isElsewhere && !this.#anywhere.some((folder) => path.startsWith(folder)) ? KEEP_EMPTY : KEEP;
  }

  selectFolder(
    path: string,
    names: readonly string[],
    readFirst: (name: string, bytesMax: number) => Uint8Array | undefined,
  ): FolderDecision {
    if (path === "" || this.#named.has(path)) return ALL;
    const tag = this.#tags.find(({ name, header }) => {
      if (!names.includes(name)) return false;
      if (header.length === 0) return true;
      const first = readFirst(name, header.length);
      return first !== undefined && compareBytes(first.subarray(0, header.length), header) === 0;
    });
    if (tag === undefined) return ALL;
    if (!this.#ways.has(path)) return { content: "tag", name: tag.name };
    this.#passages.add(path);
    return ALL;
  }
}
