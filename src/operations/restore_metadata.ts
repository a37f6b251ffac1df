import { type Bytes, concat, fromBase64 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Entry } from "../model/entry.ts";
import type { Metadata, Xattr } from "../platform/file_system.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** What of most entries is the same object. */
const NO_XATTRS: readonly Xattr[] = [];

/** Who restores and cannot give files away; `onOther` hears of each entry of somebody else. */
export interface Restorer {
  readonly uid: number;
  readonly gid: number;
  onOther(): void;
}

/** Set, or left as they become; false where nobody knows who restores. */
export type Owners = boolean | Restorer;

const S_ISUID = 0o4000, S_ISGID = 0o2000;

/**
 * What an entry says beside its content; without an owner that cannot be set, and then without the rights that a file
 * lends of that owner: a program of somebody else must not become one that runs as whoever restored it. Throws `limit_exceeded` where the extended
 * attributes are more than the format allows, before they are in memory.
 */
export async function metadataOf(entry: Entry, trees: TreeReader, owners: Owners): Promise<Metadata> {
  return withXattrs(entry, entry.xattrs === undefined ? NO_XATTRS : await xattrsOf(entry, trees), owners);
}

/** The same for an entry without extended attributes; there is nothing to wait for. */
export function metadataAtHand(entry: Entry, owners: Owners): Metadata {
  return withXattrs(entry, NO_XATTRS, owners);
}

function withXattrs(entry: Entry, xattrs: readonly Xattr[], owners: Owners): Metadata {
  const { mode, uid, gid, mtime } = entry;
  if (owners === true) return { mode, uid, gid, mtimeNs: mtime, xattrs };
  const lent = owners === false ? 0 : rightsOfOthers(entry, owners);
  return { mode: mode & ~lent, mtimeNs: mtime, xattrs };
}

/** Set-gid of a folder lends nothing: it says what group new files get. */
function rightsOfOthers({ type, uid, gid }: Entry, restorer: Restorer): number {
  if (uid !== restorer.uid || gid !== restorer.gid) restorer.onOther();
  return (uid === restorer.uid ? 0 : S_ISUID) | (gid === restorer.gid || type === "dir" ? 0 : S_ISGID);
}

async function xattrsOf(entry: Entry, trees: TreeReader): Promise<Xattr[]> {
  const xattrs: Xattr[] = [];
  let left: number = LIMITS.xattrBytesMax;
  const counted = (part: Bytes) => {
    left -= part.length;
    if (left < 0) throw tooMany(entry);
    return part;
  };
  for (const { name, value, chunks = [] } of entry.xattrs!) {
    if (value !== undefined) {
      xattrs.push({ name, value: counted(fromBase64(value)) });
      continue;
    }
    const parts: Bytes[] = [];
    for (const id of chunks) parts.push(counted(await trees.get(id)));
    xattrs.push({ name, value: concat(parts) });
  }
  return xattrs;
}

function tooMany(entry: Entry): AxiomError {
  const most = LIMITS.xattrBytesMax;
  return new AxiomError(
    "limit_exceeded",
    `Cannot restore ${entry.name}: its extended attributes have more than ${most} bytes`,
    { hint: "Run `axiom check --read-data` to see whether the repository is damaged" },
  );
}
