import { toBase64 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { Entry, EntryXattr } from "../model/entry.ts";
import type { FileStat, FileSystem, Xattr } from "../platform/file_system.ts";

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

/** Small values stand in the entry; `putChunks` stores larger ones. */
export async function entryXattrs(
  xattrs: readonly Xattr[],
  putChunks: (value: Xattr["value"]) => Promise<string[]>,
): Promise<EntryXattr[] | undefined> {
  if (xattrs.length === 0) return undefined;
  const entries: EntryXattr[] = [];
  for (const { name, value } of xattrs) {
    entries.push(
      value.length <= LIMITS.xattrInlineBytesMax
        ? { name, value: toBase64(value) }
        : { name, chunks: await putChunks(value) },
    );
  }
  return entries;
}
