import { createHash } from "node:crypto";
import { encodeName } from "../base/names.ts";
import type { EntryType } from "../model/entry.ts";
import type { Metadata } from "../platform/file_system.ts";
import type { LinkGroup } from "./restore_links.ts";
import type { FileLayout, PlannedChunk, ReadPlan } from "./restore_plan.ts";

/** A file on its way back. */
export interface RestoreFile {
  number: number;
  path: string;
  /** Where it is written: `path`, or beside it so that nobody meets half a file there. */
  writePath: string;
  /** An existing file is changed, and gets its length and its holes when all of its chunks are there. */
  inPlace: boolean;
  /** It is right already, down to its metadata. */
  untouched?: boolean;
  metadata: Metadata;
  layout: FileLayout;
  /** One frame holds all of it and nothing of it exists: a worker makes it in one go. */
  whole: boolean;
  /** Chunks that are not written yet. */
  missing: number;
  bytesWritten: number;
  failed: boolean;
  /** Of a file with several names. */
  group: LinkGroup | undefined;
  /** Chunks of a file changed in place that cannot be had: what the target has there stays. */
  lost?: PlannedChunk[];
}

export function markFailed(file: RestoreFile): void {
  file.failed = true;
  if (file.group !== undefined) file.group.failed = true;
}

/** Files whose content is restored together: so many that a frame is rarely needed by two batches, and no more. */
export interface RestoreBatch {
  plan: ReadPlan<RestoreFile>;
  files: RestoreFile[];
}

/** What has no content of its own. */
export interface RestoreOther {
  path: string;
  type: EntryType;
  target: string | undefined;
  rdev: [number, number] | undefined;
  metadata: Metadata;
  group: LinkGroup | undefined;
}

/** What a restore has to do once all content is there. */
export interface RestoreWork {
  /** In the order in which they were made; their metadata is set in reverse. */
  folders: { path: string; metadata: Metadata }[];
  /** Symbolic links and nodes, made when all content is there. */
  others: RestoreOther[];
  /** Further names of files and of others. */
  links: { path: string; to: LinkGroup; other?: RestoreOther }[];
  /** What stands in restored folders and not in the snapshot. */
  deletions: string[];
}

const PART = ".axiom-part-";

/** Where a file is written that must not be seen half-written; the same in every run, so that one goes on with the last one's. */
export function partName(path: string): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return `${folder}${PART}${createHash("sha256").update(encodeName(path)).digest("hex").slice(0, 16)}`;
}
