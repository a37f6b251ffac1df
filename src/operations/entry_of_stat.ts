import { KIB, toBase64, utf8 } from "../base/bytes.ts";
import { type ErrorReport, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import type { Entry, EntryXattr } from "../model/entry.ts";
import { type FileStat, type FileSystem, SystemError, type Xattr } from "../platform/file_system.ts";
import { sourceFault } from "../stages/source_fault.ts";

/** Turns what the system says of a file into an entry without content. */
export class EntryMaker {
  readonly #users = new Map<number, string | undefined>();
  readonly #groups = new Map<number, string | undefined>();

  constructor(readonly files: FileSystem) {}

  entry(name: string, stat: FileStat): Entry {
    const entry: Entry = {
      name,
      type: stat.type,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      mtime: stat.mtimeNs,
      ctime: stat.ctimeNs,
      inode: stat.inode,
    };
    const user = remembered(this.#users, stat.uid, (id) => this.files.userName(id));
    const group = remembered(this.#groups, stat.gid, (id) => this.files.groupName(id));
    if (user !== undefined) entry.user = user;
    if (group !== undefined) entry.group = group;
    if (stat.type === "file") entry.size = String(stat.sizeBytes);
    if (stat.type !== "dir" && stat.links > 1) {
      entry.links = stat.links;
      entry.device = stat.device;
    }
    if (stat.type === "chardev" || stat.type === "blockdev") entry.rdev = [stat.deviceMajor, stat.deviceMinor];
    return entry;
  }
}

function remembered<Key, Value>(map: Map<Key, Value>, key: Key, make: (key: Key) => Value): Value {
  if (!map.has(key)) map.set(key, make(key));
  return map.get(key)!;
}

/**
 * An entry without extended attributes because of a fault has to be marked as changed, so that the next run reads it again.
 * Throws `SystemError` where there is nothing any more.
 */
export function readXattrs(files: FileSystem, path: string): { xattrs?: Xattr[]; xattrFault?: ErrorReport } {
  try {
    return { xattrs: files.xattrs(path) };
  } catch (error) {
    if (!(error instanceof SystemError) || error.code === "ENOENT") throw error;
    return { xattrFault: reportError(sourceFault(path, error)) };
  }
}

/** Sum of the values that stand in an entry, so that any entry fits into a tree node. */
const INLINE_BYTES_MAX = 64 * KIB;

/** All of them as they stand in the entry; the longest name, link or list of chunks takes less than the rest of a node. */
const LIST_BYTES_MAX = 160 * KIB;

/**
 * Gives `entry` its extended attributes. Small values stand in it; `putChunks` stores larger ones, and what would make the
 * entry too large. Where there are too many even so, the entry goes without and is marked as changed, and the reason comes
 * back.
 */
export async function addXattrs(
  entry: Entry,
  path: string,
  xattrs: readonly Xattr[],
  putChunks: (value: Xattr["value"]) => Promise<string[]>,
): Promise<ErrorReport | undefined> {
  if (xattrs.length === 0) return undefined;
  const bytes = xattrs.reduce((sum, { value }) => sum + value.length, 0);
  const entries = bytes > LIMITS.xattrBytesMax ? undefined : await entryXattrs(xattrs, putChunks);
  if (entries !== undefined) {
    entry.xattrs = entries;
    return undefined;
  }
  entry.changed = true;
  const message = `Cannot save the extended attributes of ${displayName(path)}: ` +
    `${xattrs.length} of them with ${bytes} bytes are more than an entry holds`;
  return { kind: "source_unreadable", message };
}

async function entryXattrs(
  xattrs: readonly Xattr[],
  putChunks: (value: Xattr["value"]) => Promise<string[]>,
): Promise<EntryXattr[] | undefined> {
  const entries: EntryXattr[] = [];
  let inlineBytes = 0, listBytes = 0;
  for (const { name, value } of xattrs) {
    const fits = value.length <= LIMITS.xattrInlineBytesMax && inlineBytes + value.length <= INLINE_BYTES_MAX;
    if (fits) inlineBytes += value.length;
    const entry = fits ? { name, value: toBase64(value) } : { name, chunks: await putChunks(value) };
    listBytes += utf8(JSON.stringify(entry)).length + 1;
    if (listBytes > LIST_BYTES_MAX) return undefined;
    entries.push(entry);
  }
  return entries;
}
