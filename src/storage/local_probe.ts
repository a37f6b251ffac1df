import { LIMITS } from "../base/limits.ts";
import { codeOf, isRefused } from "./file_errors.ts";
import type { OpenFile } from "./file_ops.ts";
import { type LocalPlace, MISSING } from "./local_place.ts";
import { TEMPORARY } from "./object_key.ts";

/** What a local store can do; tried, not looked up. */
export interface ProbeReport {
  location: string;
  /** Kind of the file system, such as `ext4`; undefined where unknown. */
  fileSystem?: string;
  freeBytes?: number;
  hardLinks: boolean;
  /** Whether two clients that make one file at once are told apart. */
  exclusiveCreate: boolean;
  /** Whether a folder is never renamed over one that holds something; needed only without hard links. */
  exclusiveRename: boolean;
  fileSync: boolean;
  folderSync: boolean;
  chmod: boolean;
  caseSensitive: boolean;
  staleListingMs: number;
  /** Why, with its source. */
  staleListingReason: string;
}

/**
 * Tries everything in `tmp/`, enters what is refused into `place.missing`, and leaves nothing. Fails only as a put would:
 * no space, no permission, no answer.
 *
 * @param onMade Gets the modification time of the file just made, by the clock of the machine that holds it
 */
export async function probePlace(
  place: LocalPlace,
  onMade?: (modifiedMs: number) => Promise<void>,
): Promise<ProbeReport> {
  const name = `${place.randomName()}-probe`;
  const path = place.temporaryPath(name);
  const file = await place.ops.createFile(path);
  try {
    const { modifiedMs, mode } = await place.ops.stat(path);
    if (modifiedMs !== undefined) await onMade?.(modifiedMs);
    const hardLinks = await canLink(place, path);
    const exclusiveRename = await canRenameExclusively(place);
    const chmod = await canChmod(place, path, mode !== undefined);
    const fileSync = await canSync(file);
    await place.folders.sync(TEMPORARY);
    if (!hardLinks) place.missing.add(MISSING.link);
    if (!hardLinks && !exclusiveRename) place.missing.add(MISSING.exclusiveRename);
    if (!chmod) place.missing.add(MISSING.chmod);
    if (!fileSync) place.missing.add(MISSING.fileSync);
    const volume = await place.ops.volume(place.location);
    return {
      location: place.location,
      fileSystem: place.kind,
      freeBytes: volume?.freeBytes,
      hardLinks,
      exclusiveCreate: await canCreateExclusively(place, path),
      exclusiveRename,
      fileSync,
      folderSync: !place.missing.has(MISSING.folderSync),
      chmod,
      caseSensitive: !(await place.look(place.temporaryPath(name.toUpperCase()))),
      staleListingMs: place.staleListingMs,
      staleListingReason: place.staleListingReason,
    };
  } finally {
    file.close();
    await place.tidy(path);
  }
}

async function canLink(place: LocalPlace, path: string): Promise<boolean> {
  const other = place.temporaryPath();
  try {
    await place.ops.link(path, other);
  } catch (error) {
    if (isRefused(error, "EMLINK", "EACCES", "EXDEV")) return false;
    throw error;
  }
  try {
    await place.ops.link(path, other);
    return false; // it replaced
  } catch (error) {
    return codeOf(error) === "EEXIST";
  } finally {
    await place.tidy(other);
  }
}

async function canCreateExclusively(place: LocalPlace, path: string): Promise<boolean> {
  let second: OpenFile | undefined;
  try {
    second = await place.ops.createFile(path);
  } catch (error) {
    return codeOf(error) === "EEXIST";
  } finally {
    second?.close();
  }
  return false;
}

/** A folder goes to a free name, and not over one that holds something. */
async function canRenameExclusively(place: LocalPlace): Promise<boolean> {
  const [source, moved, other] = [place.temporaryPath(), place.temporaryPath(), place.temporaryPath()];
  try {
    for (const path of [source, `${source}/x`, other, `${other}/y`]) await place.ops.makeFolder(path);
    if (!(await succeeds(place.ops.rename(source, moved)))) return false;
    return !(await succeeds(place.ops.rename(moved, other))) && await place.look(`${other}/y`) !== undefined;
  } finally {
    for (const path of [source, moved, other]) {
      for (const inner of ["/x", "/y", ""]) await place.tidy(path + inner);
    }
  }
}

async function succeeds(call: Promise<void>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (isRefused(error, "EXDEV", "EACCES", "EEXIST", "ENOTEMPTY", "EISDIR")) return false;
    throw error;
  }
}

/** @param shown Whether this system shows modes at all; some accept a change and ignore it */
async function canChmod(place: LocalPlace, path: string, shown: boolean): Promise<boolean> {
  try {
    await place.ops.chmod(path, 0o400);
    const { mode } = await place.ops.stat(path);
    return !shown || mode === 0o400;
  } catch (error) {
    if (isRefused(error, "EACCES")) return false;
    throw error;
  }
}

async function canSync(file: OpenFile): Promise<boolean> {
  try {
    await file.sync();
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/**
 * Removes what dead writers left in `tmp/`: what is a day older than a file made just now, by the same clock.
 *
 * @param nowMs Modification time of that file
 * @param isOpen Whether a path belongs to a writer of this process
 */
export async function clearTemporary(
  place: LocalPlace,
  nowMs: number,
  isOpen: (path: string) => boolean,
): Promise<void> {
  for (const name of await place.ops.readNames(place.pathOf(TEMPORARY))) {
    const path = place.temporaryPath(name);
    const info = await place.look(path);
    if (info?.modifiedMs === undefined || nowMs - info.modifiedMs < LIMITS.storeTemporaryAgeMs || isOpen(path)) {
      continue;
    }
    if (info.type === "folder") {
      for (const inner of await place.ops.readNames(path).catch(() => [])) await place.tidy(`${path}/${inner}`);
    }
    await place.tidy(path);
  }
}
