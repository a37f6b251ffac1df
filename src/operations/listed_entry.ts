import { type ErrorReport, reportError } from "../base/errors.ts";
import type { Entry, EntryType, EntryXattr } from "../model/entry.ts";
import { isDamage } from "./damage.ts";

/** An entry of a snapshot as people and scripts see it. */
export interface ListedEntry {
  /** From the root of the file system, as it was saved. */
  path: string;
  type: EntryType;
  /** Of a file. */
  sizeBytes?: number;
  mode: number;
  uid: number;
  gid: number;
  user?: string;
  group?: string;
  mtimeNs: string;
  ctimeNs: string;
  inode: string;
  links: number;
  /** Of a symbolic link. */
  target?: string;
  /** Of a device: major and minor number. */
  device?: [number, number];
  /** Large values are chunks of their own and have only their ids here. */
  xattrs: EntryXattr[];
}

export function listedEntry(path: string, entry: Entry): ListedEntry {
  return {
    path,
    type: entry.type,
    ...(entry.size === undefined ? {} : { sizeBytes: Number(entry.size) }),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    ...(entry.user === undefined ? {} : { user: entry.user }),
    ...(entry.group === undefined ? {} : { group: entry.group }),
    mtimeNs: entry.mtime,
    ctimeNs: entry.ctime,
    inode: entry.inode,
    links: entry.links ?? 1,
    ...(entry.target === undefined ? {} : { target: entry.target }),
    ...(entry.rdev === undefined ? {} : { device: entry.rdev }),
    xattrs: entry.xattrs ?? [],
  };
}

export function joinPath(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** With one `/` between names, one before the first and none at the end. */
export function absolutePath(path = "/"): string {
  return `/${path.split("/").filter((name) => name !== "" && name !== ".").join("/")}`;
}

/** What `error` says if it is damage, which costs a part of a tree and not the whole; anything else is thrown on. */
export function damageReport(error: unknown): ErrorReport {
  if (isDamage(error)) return reportError(error);
  throw error;
}
