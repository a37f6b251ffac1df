import { dirname, resolve } from "node:path";
import { messageOf } from "../base/errors.ts";

/** Why a folder cannot be used or made: what stands there, or above it, and is none; else what `error` says. */
export function folderFault(path: string, error: unknown): string {
  const obstacle = obstacleTo(resolve(path));
  return obstacle ?? messageOf(error);
}

function obstacleTo(path: string): string | undefined {
  for (let at = path;; at = dirname(at)) {
    const info = lookAt(at);
    if (info?.isDirectory) return undefined;
    if (info !== undefined) return `${at} is ${whatOf(info)}, not a folder`;
    if (dirname(at) === at) return undefined;
  }
}

function whatOf({ isFile, isSymlink }: Deno.FileInfo): string {
  if (isSymlink) return "a symbolic link that leads to nothing";
  return isFile ? "a file" : "a special file";
}

/** The link itself where it leads to nothing; undefined where nothing can be seen. */
function lookAt(path: string): Deno.FileInfo | undefined {
  for (const look of [Deno.statSync, Deno.lstatSync]) {
    try {
      return look(path);
    } catch {
      continue;
    }
  }
  return undefined;
}
