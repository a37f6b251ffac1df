import type { Entry, EntryType } from "../model/entry.ts";
import type { Metadata } from "../platform/file_system.ts";
import type { LinkGroup } from "./restore_links.ts";
import type { PartNames } from "./restore_parts.ts";
import { type FileLayout, isInOneFrame, type PlannedChunk, type ReadPlan } from "./restore_plan.ts";

/** A file on its way back. */
export interface RestoreFile {
  path: string;
  /** Where it is written: `path`, or beside it so that nobody meets half a file there. */
  writePath: string;
  /** Of its folder. */
  parts: PartNames;
  /** Nothing stood at its path: it replaces nothing, also not what came since. */
  fresh: boolean;
  /** An existing file is changed, and gets its length and its holes when all of its chunks are there. */
  inPlace: boolean;
  /** What stands there has the content already. */
  standing?: boolean;
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

/** What the snapshot says of a file. */
export interface FoundFile {
  entry: Entry;
  path: string;
  layout: FileLayout;
  metadata: Metadata;
}

export function fileToRestore(
  { path, layout, metadata }: FoundFile,
  parts: PartNames,
  fresh: boolean,
  group: LinkGroup | undefined,
): RestoreFile {
  return {
    path,
    writePath: path,
    parts,
    fresh,
    inPlace: false,
    metadata,
    layout,
    whole: isInOneFrame(layout),
    missing: 0,
    bytesWritten: 0,
    failed: false,
    group,
  };
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
  /** Where it is made first if something stands at its path. */
  part: string | undefined;
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
  links: { path: string; part: string | undefined; to: LinkGroup; other?: RestoreOther }[];
  /** What stands in restored folders and not in the snapshot. */
  deletions: string[];
}
