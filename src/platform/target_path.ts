import { SystemError } from "./file_system.ts";

/** The folder of a path within a target, and the last name; the target itself has no name. */
export interface TargetPath {
  folder: string;
  name: string;
}

const WINDOWS_RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;
// deno-lint-ignore no-control-regex
const WINDOWS_FORBIDDEN = /[\\:*?"<>|\u0000-\u001f]|[. ]$/;

function isName(name: string, windows: boolean): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("\0")) return false;
  return !windows || !(WINDOWS_FORBIDDEN.test(name) || WINDOWS_RESERVED.test(name));
}

/**
 * Splits a path within a target, or throws `EINVAL` if it is not made of plain names: absolute, `.`, `..`, empty names,
 * NUL, and on Windows whatever that system would take for another path, a stream or a device.
 */
export function splitTargetPath(path: string, call: string, windows = false): TargetPath {
  if (path === "") throw new SystemError("EINVAL", call, path);
  const end = path.lastIndexOf("/");
  const target = { folder: end < 0 ? "" : path.slice(0, end), name: path.slice(end + 1) };
  if (!isName(target.name, windows) || end === 0) throw new SystemError("EINVAL", call, path);
  return target;
}

/** Throws like {@linkcode splitTargetPath}; the empty path has no names. */
export function namesOfTargetPath(path: string, call: string, windows = false): string[] {
  if (path === "") return [];
  const names = path.split("/");
  if (!names.every((name) => isName(name, windows))) throw new SystemError("EINVAL", call, path);
  return names;
}

export function joinPath(folder: string, name: string): string {
  return folder === "" || folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** What `action` returns, undefined if it throws `ENOENT`. */
export function undefinedIfMissing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof SystemError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
