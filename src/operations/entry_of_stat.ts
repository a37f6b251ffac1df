import { KIB, toBase64 } from "../base/bytes.ts";
import { type ErrorReport, reportError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
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

/** Small values stand in the entry; `putChunks` stores larger ones, and what would make the entry too large. */
export async function entryXattrs(
  xattrs: readonly Xattr[],
  putChunks: (value: Xattr["value"]) => Promise<string[]>,
): Promise<EntryXattr[] | undefined> {
  if (xattrs.length === 0) return undefined;
  const entries: EntryXattr[] = [];
  let inlineBytes = 0;
  for (const { name, value } of xattrs) {
    const fits = value.length <= LIMITS.xattrInlineBytesMax && inlineBytes + value.length <= INLINE_BYTES_MAX;
    if (fits) inlineBytes += value.length;
    entries.push(fits ? { name, value: toBase64(value) } : { name, chunks: await putChunks(value) });
  }
  return entries;
}
