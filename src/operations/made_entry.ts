import type { Entry } from "../model/entry.ts";
import type { FileStat } from "../platform/file_system.ts";

export interface EntryOwner {
  uid: number;
  gid: number;
  user?: string;
  group?: string;
}

/** What stands in for a file that never was one: readable by its owner alone, because dumps hold secrets. */
const MODES = { file: 0o600, dir: 0o700 } as const;

/** @param timeNs Of its content */
export function madeEntry(name: string, type: keyof typeof MODES, owner: EntryOwner, timeNs: string): Entry {
  const { uid, gid, user, group } = owner;
  return {
    name,
    type,
    mode: MODES[type],
    uid,
    gid,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    mtime: timeNs,
    ctime: timeNs,
    inode: "0",
  };
}

export function madeStat({ mode, uid, gid, mtime, ctime, inode }: Entry, sizeBytes: number): FileStat {
  return {
    ...{ type: "file", mode, uid, gid, sizeBytes, mtimeNs: mtime, ctimeNs: ctime, inode, device: "0", links: 1 },
    ...{ allocatedBytes: sizeBytes, deviceMajor: 0, deviceMinor: 0 },
  };
}
