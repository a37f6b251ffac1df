import { dirname, isAbsolute } from "node:path";
import { AxiomError } from "../base/errors.ts";
import { displayName } from "../base/names.ts";
import { type FileStat, type FileSystem, SystemError } from "../platform/file_system.ts";
import type { SavePolicy } from "./save_policy.ts";

/**
 * A backup of a repository into itself never ends well. Throws `usage` if the repository lies in a source and the rules do
 * not leave it out, or a source in the repository.
 *
 * @param location Of the repository; what is no path on this machine is in no source
 */
export function refuseOwnRepository(
  location: string,
  sources: readonly string[],
  policy: Pick<SavePolicy, "select">,
  files: FileSystem,
): void {
  const path = realPath(location, files);
  if (path === undefined) return;
  for (const source of sources) {
    const real = realPath(source, files);
    if (real !== undefined && isWithin(real, path, files) !== undefined) {
      throw refusal(location, `the source ${displayName(source)} is a part of it`, "Back up something else");
    }
    const below = real === undefined ? undefined : isWithin(path, real, files);
    if (below !== undefined && !isExcluded(source, below, policy, files)) {
      const pattern = below.length === 0 ? source : `/${below.join("/")}`;
      const hint = `Leave it out, as in --exclude '${displayName(pattern)}'`;
      throw refusal(location, `it lies in the source ${displayName(source)}`, hint);
    }
  }
}

/**
 * Throws `usage` if a restore would write into the repository, or remove it because the snapshot does not hold it.
 *
 * @param target Absolute; need not exist
 */
export function refuseTarget(location: string, target: string, deletes: boolean, files: FileSystem): void {
  const repository = realPath(location, files);
  const real = realPath(nearestExisting(target, files), files);
  if (repository === undefined || real === undefined) return;
  const refuse = (why: string, hint: string) =>
    new AxiomError("usage", `Cannot restore to ${displayName(target)}: ${why}`, { hint });
  if (isWithin(real, repository, files) !== undefined) {
    throw refuse(`it is a part of the repository ${location}`, "Choose another --target");
  }
  const isThere = realPath(target, files) !== undefined;
  if (deletes && isThere && isWithin(repository, real, files) !== undefined) {
    throw refuse(`--delete could remove the repository ${location}, which lies in it`, "Leave out --delete");
  }
}

function nearestExisting(path: string, files: FileSystem): string {
  let at = path;
  while (statOf(at, files) === undefined && dirname(at) !== at) at = dirname(at);
  return at;
}

/** Names that lead from the folder `above` to `path`, found by inode so that no link or mount hides them. */
export function isWithin(path: string, above: string, files: FileSystem): string[] | undefined {
  const wanted = statOf(above, files);
  const names: string[] = [];
  for (let at = path;; at = dirname(at)) {
    const stat = statOf(at, files);
    if (stat !== undefined && wanted !== undefined && stat.inode === wanted.inode && stat.device === wanted.device) {
      return names;
    }
    if (dirname(at) === at) return undefined;
    names.unshift(at.slice(dirname(at) === "/" ? 1 : dirname(at).length + 1));
  }
}

function isExcluded(
  source: string,
  below: readonly string[],
  policy: Pick<SavePolicy, "select">,
  files: FileSystem,
): boolean {
  let path = source === "/" ? "" : source;
  return below.some((name, at) => {
    path += `/${name}`;
    const stat = statOf(path, files);
    return stat === undefined || policy.select(path, below.slice(0, at + 1).join("/"), stat) !== "save";
  });
}

export function realPath(path: string, files: FileSystem): string | undefined {
  if (!isAbsolute(path)) return undefined;
  try {
    return files.realPath(path);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

function statOf(path: string, files: FileSystem): FileStat | undefined {
  try {
    return files.lstat(path);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

function refusal(location: string, why: string, hint: string): AxiomError {
  return new AxiomError("usage", `Cannot back up into the repository ${location}: ${why}`, { hint });
}
